//! The rows of the table of requirements in ARCHITECTURE.md.

/// A row begins so, then comes the number.
const ROW: &str = "| SR-";
/// The last column of a requirement that asks for nothing here begins so.
const EXEMPT: &str = "does not apply: ";

/// One requirement.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Requirement<'a> {
    /// Its number.
    pub(crate) number: u8,
    /// What it asks for, in short.
    pub(crate) text: &'a str,
    /// Whether there is something to show.
    pub(crate) standing: Standing<'a>,
}

/// Whether a requirement is kept here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing<'a> {
    /// The tests of these files show it, or this one test of a file (`file::test`).
    Kept(Vec<&'a str>),
    /// It asks for nothing here, for this reason.
    Exempt(&'a str),
}

/// The requirements of the table, in its order.
pub(crate) fn requirements(document: &str) -> Vec<Requirement<'_>> {
    document.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<Requirement<'_>> {
    let mut cells = line.strip_prefix(ROW)?.split(" | ");
    let number = cells.next()?.trim().parse().ok()?;
    let text = cells.next()?;
    let shown = cells.next()?.trim_end_matches(" |");
    let standing = match shown.strip_prefix(EXEMPT) {
        Some(reason) => Standing::Exempt(reason),
        None => Standing::Kept(shown.split('`').skip(1).step_by(2).collect()),
    };
    Some(Requirement {
        number,
        text,
        standing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_number_a_text_and_where_it_is_shown_or_why_not() {
        let document = "# Table\n| | a | b |\n| SR-7 | `Host` | `a.rs`, `b.js::of it` |\n\
                        | SR-48 | pepper | does not apply: none |\n";
        let expected = [
            (7, "`Host`", Standing::Kept(vec!["a.rs", "b.js::of it"])),
            (48, "pepper", Standing::Exempt("none")),
        ];
        let expected = expected.map(|(number, text, standing)| Requirement {
            number,
            text,
            standing,
        });
        assert_eq!(requirements(document), expected);
    }
}
