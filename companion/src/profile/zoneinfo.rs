//! `zoneinfo` (OIDC Core 5.1): a name of the time zone database, such as `Europe/Paris`.
//!
//! The form is held, not the list: the list changes each year, and a relying party has its own.

const MOST: usize = 64;

pub(super) fn read(typed: &str) -> Result<String, &'static str> {
    let part_is_fit = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
    };
    let parts = typed.split('/').count();
    if typed.len() <= MOST && parts <= 3 && typed.split('/').all(part_is_fit) {
        Ok(typed.to_owned())
    } else {
        Err("a time zone is a name of the time zone database, such as Europe/Paris")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oidc_core_5_1_zoneinfo_is_a_name_of_the_time_zone_database() {
        for good in [
            "Europe/Paris",
            "America/Los_Angeles",
            "America/Argentina/Buenos_Aires",
            "Etc/GMT+5",
            "UTC",
            "GMT-0",
        ] {
            assert_eq!(read(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "/",
            "Europe/",
            "../etc/passwd",
            "+02:00",
            "Europe/Paris ",
            "a/b/c/d",
            "Europe//Paris",
            "Köln",
            &"a".repeat(65),
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
