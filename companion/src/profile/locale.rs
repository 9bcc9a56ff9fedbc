//! `locale` (OIDC Core 5.1): a language tag in the form of BCP 47, such as `en-US`.
//!
//! The underscore of `en_US`, which the specification knows from practice, becomes a dash.

const MOST: usize = 64;

pub(super) fn read(typed: &str) -> Result<String, &'static str> {
    let tag = typed.replace('_', "-");
    let mut parts = tag.split('-');
    let language = parts.next().unwrap_or_default();
    let language_is_fit =
        (2..=8).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_alphabetic());
    let part_is_fit =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if tag.len() <= MOST && language_is_fit && parts.all(part_is_fit) {
        Ok(tag)
    } else {
        Err("a locale is a language tag such as en-US")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oidc_core_5_1_locale_is_a_language_tag() {
        for good in [
            "en",
            "en-US",
            "zh-Hant-TW",
            "de-CH-1996",
            "fil",
            "sr-Latn-RS",
            "es-419",
        ] {
            assert_eq!(read(good).as_deref(), Ok(good));
        }
        assert_eq!(read("en_US").as_deref(), Ok("en-US"));
        for bad in [
            "",
            "e",
            "-",
            "en-",
            "en--US",
            "en US",
            "12-US",
            "en-US!",
            "englishenglish",
            "日本",
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
        assert!(read(&format!("en{}", "-abcdefgh".repeat(8))).is_err());
    }
}
