//! The names that have columns of their own: what a person is called, and what they may type to sign in.

use keyback_core::identifier::Identifier;
use keyback_core::phone::Region;

use super::{Unfit, text};

/// Characters of a user name at most.
const MOST_OF_USERNAME: usize = 128;

/// Reads `name`: the whole name, for display.
pub fn full_name(typed: &str) -> Result<String, Unfit> {
    text::line(typed).map_err(|reason| Unfit {
        field: "name",
        reason,
    })
}

/// Reads a user name. It must not look like an address: what is typed at sign-in means one thing, and there a number may
/// be written as it is dialled in `region`.
pub fn username(typed: &str, region: Option<Region>) -> Result<String, Unfit> {
    let fit = (1..=MOST_OF_USERNAME).contains(&typed.len())
        && typed
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        && Identifier::parse_in(region, typed).is_err();
    if fit {
        Ok(typed.to_owned())
    } else {
        Err(Unfit {
            field: "username",
            reason: "a user name has 1 to 128 letters, digits, dots, dashes and underscores, and is no phone number",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_is_no_address() {
        for good in ["ada", "ada.lovelace", "a", "0000001", "Ada_1-2"] {
            assert_eq!(username(good, None).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "ada@example.com",
            "+14155550123",
            "a b",
            "é",
            "ada\n",
            &"a".repeat(129),
        ] {
            assert!(username(bad, None).is_err(), "{bad:?}");
        }
        assert_eq!(full_name("Ada Lovelace").as_deref(), Ok("Ada Lovelace"));
        assert_eq!(full_name("a\nb").unwrap_err().field, "name");
    }

    #[test]
    fn sr11_a_user_name_is_no_number_of_the_configured_country() {
        let region: Region = "US".parse().unwrap();
        for number in ["4155550123", "415-555-0123"] {
            assert_eq!(username(number, None).as_deref(), Ok(number));
            assert_eq!(
                username(number, Some(region)).unwrap_err().field,
                "username",
                "{number}"
            );
        }
        assert_eq!(username("ada99", Some(region)).as_deref(), Ok("ada99"));
    }
}
