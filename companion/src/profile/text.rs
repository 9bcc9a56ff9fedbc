//! Names and the parts of an address: text that a person reads.

/// Characters at most, of a line.
const MOST_OF_LINE: usize = 256;
/// Characters at most, of several lines.
const MOST_OF_LINES: usize = 1024;

/// One line.
pub(super) fn line(typed: &str) -> Result<String, &'static str> {
    let text = typed.trim();
    let fit = (1..=MOST_OF_LINE).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fit {
        Ok(text.to_owned())
    } else {
        Err("this is a line of 1 to 256 characters, without control characters")
    }
}

/// Several lines, parted by a line feed (OIDC Core 5.1.1 has them as `\n` or `\r\n`).
pub(super) fn lines(typed: &str) -> Result<String, &'static str> {
    let text = typed.trim().replace("\r\n", "\n");
    let fit = (1..=MOST_OF_LINES).contains(&text.chars().count())
        && !text.chars().any(|c| c.is_control() && c != '\n');
    if fit {
        Ok(text)
    } else {
        Err("these are lines of 1 to 1024 characters together, without control characters")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(line(" Ada ").as_deref(), Ok("Ada"));
        assert_eq!(line("Ægir ポニョ").as_deref(), Ok("Ægir ポニョ"));
        assert!(line(&"é".repeat(256)).is_ok());
        for bad in ["", "  ", "a\nb", "a\u{0}b", "a\u{7f}", &"é".repeat(257)] {
            assert!(line(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn oidc_core_5_1_1_an_address_may_have_lines() {
        assert_eq!(lines("1 Way\r\nTown\n").as_deref(), Ok("1 Way\nTown"));
        for bad in ["", "\n", "a\tb", "a\rb", &"a".repeat(1025)] {
            assert!(lines(bad).is_err(), "{bad:?}");
        }
    }
}
