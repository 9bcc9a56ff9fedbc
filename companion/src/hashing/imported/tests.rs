//! Hashes that other programs made of one password: Python's hashlib, and libxcrypt.

use super::super::memory::Memory;
use super::super::work::{HashParams, Verdict, verify};
use super::*;

const RIGHT: &str = "violet otter paddles";
const BCRYPT: &str = "$2b$05$abcdefghijklmnopqrstuuE/CMYJ/nB6WDTO9hhfnzB0Rmg6wgsGy";
const BCRYPT_OF_72: &str = "$2b$05$abcdefghijklmnopqrstuujf8SX2ahXLwp9w/B.Y5XdysS6yR576q";
const SMALL: HashParams = HashParams {
    memory_kib: 64,
    iterations: 1,
    parallelism: 1,
};

fn check(password: &str, stored: &str) -> Verdict {
    verify(password.as_bytes(), stored, SMALL, &mut Memory::default()).unwrap()
}

#[test]
fn sr51_slow_hashes_of_other_systems_are_verified_as_they_are_and_then_outdated() {
    let with_hex_salt =
        r#"["pbkdf2",["hex:c0ffee00",1000,20,"sha1","@"],"19f0156a059b2c77714e8df8463bae4ea2775c74"]"#;
    let with_text_salt = r#"["pbkdf2",["c0ffee00c0ffee00c0ffee00c0ffee00","1000","64","sha512","@"],"24209a60d8965ee2c33638aad0d1c395134fb2bf1a3e1ffce2cbfe56687023c34b7321f0a44217155af495181c02896f60867baf5209fbbc119965f7c602bf6b"]"#;
    for (algorithm, text) in [
        (None, BCRYPT),
        (Some("Bcrypt"), &BCRYPT.replace("$2b$", "$2a$")),
        (Some("bcrypt"), &BCRYPT.replace("$2b$", "$2y$")),
        (
            None,
            "$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$W0DipmdfUKJy8CWq0Iyj3Lfh85DxFqsCnkIyTPIzLGk",
        ),
        (
            Some("PBKDF2"),
            "$pbkdf2-sha512$1000$MDEyMzQ1Njc4OWFiY2RlZg$POWTZvolNjn6vy9Q9V/tX22xTBNlBgh2by5kIlyddWVHy3clS6H9Drp54rKfIyknDKFcigxcsGW0AUpJvkW.og",
        ),
        (
            None,
            "pbkdf2_sha256$1000$saltsalt$tXdyPftTXALz+CINn2xkwoQuGZxGfLvjgItrboYiDnY=",
        ),
        (Some("Legacy"), with_hex_salt),
        (Some("Legacy"), with_text_salt),
        (None, with_text_salt),
    ] {
        let hash = ImportedHash::read(algorithm, text).unwrap();
        assert_eq!(check(RIGHT, hash.as_str()), Verdict::RightButOutdated, "{text}");
        for wrong in [
            "",
            "violet otter paddle",
            "violet otter paddles ",
            "Violet otter paddles",
        ] {
            assert_eq!(check(wrong, hash.as_str()), Verdict::Wrong, "{text}");
        }
    }
}

#[test]
fn sr47_argon2_of_other_systems_is_taken_with_its_own_cost() {
    // The reference implementation's own example, and the costs that Logto writes and wrote.
    let reference = "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA";
    let hash = ImportedHash::read(Some("Argon2i"), reference).unwrap();
    assert_eq!(check("password", hash.as_str()), Verdict::RightButOutdated);
    for cost in ["m=8192,t=8,p=1", "m=4096,t=256,p=1"] {
        let text = format!("$argon2i$v=19${cost}$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA");
        assert!(ImportedHash::read(None, &text).is_ok(), "{cost}");
    }
}

#[test]
fn sr39_bcrypt_takes_no_password_that_differs_behind_what_it_reads() {
    let hash = ImportedHash::read(None, BCRYPT_OF_72).unwrap();
    let (whole, longer) = ("x".repeat(72), "x".repeat(73));
    assert_eq!(check(&whole, hash.as_str()), Verdict::RightButOutdated);
    assert_eq!(check(&longer, hash.as_str()), Verdict::Wrong);
    assert_eq!(check(&"x".repeat(71), hash.as_str()), Verdict::Wrong);
}

#[test]
fn sr51_fast_hashes_are_refused() {
    for (algorithm, text) in [
        (Some("MD5"), "5f4dcc3b5aa765d61d8327deb882cf99"),
        (Some("SHA1"), "5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8"),
        (Some("SHA256"), "x"),
        (None, "5f4dcc3b5aa765d61d8327deb882cf99"),
        (None, "5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8"),
        (
            None,
            "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
        ),
        (Some("Legacy"), r#"["sha512",["salt","@"],"c0ffee"]"#),
        (Some("Legacy"), r#"["md5",["@"],"c0ffee"]"#),
    ] {
        assert_eq!(
            ImportedHash::read(algorithm, text),
            Err(HashRefused::Fast),
            "{text}"
        );
    }
}

#[test]
fn sr49_parameters_are_bounded_before_any_work() {
    let argon2 =
        |cost: &str| format!("$argon2id$v=19${cost}$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA");
    let pbkdf2 =
        |iterations: &str, salt: &str, output: &str| format!("$pbkdf2-sha256$i={iterations}${salt}${output}");
    let (salt, output) = (
        "MDEyMzQ1Njc4OWFiY2RlZg",
        "W0DipmdfUKJy8CWq0Iyj3Lfh85DxFqsCnkIyTPIzLGk",
    );
    for text in [
        argon2("m=4194304,t=1,p=1"),
        argon2("m=262144,t=64,p=1"),
        argon2("m=64,t=100000,p=1"),
        argon2("m=4096,t=1,p=64"),
        "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ".to_owned(),
        BCRYPT.replace("$05$", "$16$"),
        BCRYPT.replace("$05$", "$31$"),
        BCRYPT[..50].to_owned(),
        pbkdf2("999", salt, output),
        pbkdf2("2000001", salt, output),
        pbkdf2("99999999999", salt, output),
        pbkdf2("1000", &"A".repeat(400), output),
        pbkdf2("1000", salt, "QUJD"),
        pbkdf2("1000", salt, &"A".repeat(400)),
        "$pbkdf2-sha256$i=1000".to_owned(),
        "pbkdf2_sha256$1000$salt".to_owned(),
        r#"["pbkdf2",["salt","1000","64","sha512"],"00"]"#.to_owned(),
        r#"["pbkdf2",["hex:xyz","1000","64","sha512","@"],"00"]"#.to_owned(),
        r#"["pbkdf2"]"#.to_owned(),
    ] {
        let refused = ImportedHash::read(None, &text);
        assert!(
            matches!(refused, Err(HashRefused::Unusable(_))),
            "{text}: {refused:?}"
        );
    }
    for text in [
        "",
        "secret",
        "$6$salt$hash",
        "$scrypt$ln=17$a$b",
        r#"["firebase-scrypt",[],"x"]"#,
    ] {
        assert_eq!(
            ImportedHash::read(None, text),
            Err(HashRefused::Unknown),
            "{text}"
        );
    }
    assert!(ImportedHash::read(Some("Argon2i"), BCRYPT).is_err());
    assert_eq!(
        ImportedHash::read(Some("Scrypt"), BCRYPT),
        Err(HashRefused::Unknown)
    );
}
