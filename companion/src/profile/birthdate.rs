//! `birthdate` (OIDC Core 5.1): `YYYY-MM-DD`; the year alone; or the year `0000` where it is not told.

use chrono::NaiveDate;

/// A leap year: the 29th of February is a birthday.
const LEAP_YEAR: i32 = 2000;

pub(super) fn read(typed: &str) -> Result<String, &'static str> {
    if is_birthdate(typed) {
        Ok(typed.to_owned())
    } else {
        Err("a birth date is YYYY-MM-DD, or YYYY alone, or 0000-MM-DD without the year")
    }
}

fn is_birthdate(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |text: &str, digits: usize| -> Option<u32> {
        let all_digits = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        all_digits.then(|| text.parse().ok()).flatten()
    };
    match parts.as_slice() {
        [year] => number(year, 4).is_some_and(|year| year > 0),
        [year, month, day] => {
            let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2))
            else {
                return false;
            };
            let year = i32::try_from(year).ok().filter(|year| *year > 0);
            NaiveDate::from_ymd_opt(year.unwrap_or(LEAP_YEAR), month, day).is_some()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oidc_core_5_1_birthdate_has_three_forms() {
        for good in ["1815-12-10", "1815", "0000-12-10", "0000-02-29", "2024-02-29"] {
            assert_eq!(read(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "0000",
            "815",
            "1815-12",
            "1815-13-01",
            "1815-12-32",
            "2023-02-29",
            "10.12.1815",
            "1815-1-1",
            "1815-12-10T00:00:00Z",
            "+815-12-10",
            " 1815",
            "1815-12-10-1",
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
