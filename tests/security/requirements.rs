//! The rows of the table of requirements in ARCHITECTURE.md.

/// A row begins so, then comes the number.
const ROW: &str = "| SR-";
/// The last column of a requirement that asks for nothing here begins so.
const EXEMPT: &str = "does not apply: ";
/// And of one that is not kept yet.
const OPEN: &str = "not yet: ";

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing<'a> {
    /// Tests show it.
    Kept,
    /// It asks for nothing here, for this reason.
    Exempt(&'a str),
    /// It is not kept yet: what is missing.
    Open(&'a str),
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
    let standing = if let Some(reason) = shown.strip_prefix(EXEMPT) {
        Standing::Exempt(reason)
    } else if let Some(missing) = shown.strip_prefix(OPEN) {
        Standing::Open(missing)
    } else {
        Standing::Kept
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
        let document = "# Table\n| | a | b |\n| SR-7 | proxies | `a.rs` |\n| SR-48 | pepper | does not apply: none |\n\
                        | SR-58 | factors | not yet: none |\n";
        let expected = [
            (7, "proxies", Standing::Kept),
            (48, "pepper", Standing::Exempt("none")),
            (58, "factors", Standing::Open("none")),
        ];
        let expected = expected.map(|(number, text, standing)| Requirement {
            number,
            text,
            standing,
        });
        assert_eq!(requirements(document), expected);
    }
}
