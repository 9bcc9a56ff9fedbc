//! The policy against examples computed by hand from Logto's rules, and against what must hold for every password.

use proptest::prelude::*;

use super::Violation::{
    CharacterTypes, Common, Repetition, Sequence, TooLong, TooShort, UnsupportedCharacters, UserInfo, Words,
};
use super::*;

fn logto() -> PasswordPolicy {
    PasswordPolicy::preset(Preset::Logto, false)
}

fn nobody() -> UserFacts {
    UserFacts::default()
}

fn ada() -> UserFacts {
    UserFacts {
        name: Some("Ada Lovelace".to_owned()),
        username: Some("babbage".to_owned()),
        email: Some("countess@example.com".to_owned()),
        phone: Some("+49 170 1234567".to_owned()),
    }
}

fn violations(policy: &PasswordPolicy, password: &str, facts: &UserFacts) -> Vec<Violation> {
    policy.violations(&NewPassword::parse(password).unwrap(), facts)
}

/// The group is decided together: with `length` characters, more than `max(1, length - 3)` marked ones refuse it.
#[test]
fn logtos_restricted_group_by_hand() {
    let examples: [(&str, &[Violation]); 25] = [
        // repetition: runs of three and more
        ("aaaaaaaa", &[Repetition]), // 8 of 8 marked, 5 may be
        ("aaaaaab1", &[Repetition]), // 6 of 8
        ("aaaaab1c", &[]),           // 5 of 8
        ("aabbaabb", &[]),           // no run of three
        ("AAAaaaBB", &[Repetition]), // 3 + 3 of 8: case tells runs apart
        // sequences: digits, alphabet, rows and columns of the keyboard, reversed, in upper case
        ("abcdefgh", &[Sequence]),
        ("hgfedcba", &[Sequence]),
        ("ABCDEFGH", &[Sequence]),
        ("aBcDeFgH", &[]), // one case at a time
        ("qwertyui", &[Sequence]),
        ("LKJHGFDS", &[Sequence]),
        ("1qaz2wsx", &[Sequence]),  // 4 + 4
        ("zaq1xsw2", &[Sequence]),  // the same, reversed
        ("8ikmno9ol", &[Sequence]), // 3 + 3 + 3 of 9
        ("67890123", &[Sequence]),  // 6789 and 0123
        ("x890yk3w", &[]),          // 890 doesn't wrap around
        ("abcdefpqx", &[]),         // 6 of 9, 6 may be
        ("abcdefgqx", &[Sequence]), // 7 of 9
        ("abcba123", &[Sequence]),  // there and back share the c
        ("abc1x9!k", &[]),          // 3 of 8
        // together, all that marked anything are named
        ("aaaaaxyz", &[Repetition, Sequence]), // 5 + 3 of 8
        ("111234zz", &[Repetition, Sequence]), // 111, 1234: 6 of 8
        ("abc\u{20}abc\u{20}", &[Sequence]),   // 6 of 8
        ("correct horse", &[]),
        ("Tr0ub4dor&3", &[]),
    ];
    for (password, expected) in examples {
        assert_eq!(violations(&logto(), password, &nobody()), expected, "{password}");
    }
}

#[test]
fn logtos_user_info_by_hand() {
    let examples: [(&str, &[Violation]); 14] = [
        ("Ada Lovelace", &[UserInfo]),            // the name as it is
        ("AdaLovelace", &[UserInfo]),             // without its space
        ("lovelace1x", &[UserInfo]),              // a word of it: 8 of 10, 7 may be
        ("lovelace1xy", &[]),                     // 8 of 11, 8 may be
        ("LOVELACE", &[UserInfo]),                // case doesn't matter
        ("babbage1", &[UserInfo]),                // the user name
        ("xbabbage", &[UserInfo]),                // 7 of 8
        ("Countess9", &[UserInfo]),               // the address before its @
        ("example.com", &[]),                     // and not behind it
        ("491701234567", &[Sequence, UserInfo]),  // the number's digits
        ("4917012345678", &[Sequence, UserInfo]), // 12 of 13; 12345678 is a sequence besides
        ("AdaAdaAda", &[UserInfo]),               // three times
        ("aaa123Ada", &[Repetition, Sequence, UserInfo]),
        ("ecalevol", &[]), // not reversed
    ];
    for (password, expected) in examples {
        assert_eq!(violations(&logto(), password, &ada()), expected, "{password}");
    }
    assert_eq!(
        violations(&logto(), "lovelace", &nobody()),
        [],
        "of nobody, nothing is known"
    );
}

#[test]
fn logtos_words_by_hand() {
    let mut config = PolicyConfig {
        preset: Preset::Logto,
        ..PolicyConfig::default()
    };
    config.rejects.words = Some(vec!["key".to_owned(), "KeyBack".to_owned()]);
    let policy = config.resolve(false).unwrap();
    assert_eq!(
        violations(&policy, "keyBACK1!", &nobody()),
        [Words],
        "the longest word counts: 7 of 9"
    );
    assert_eq!(violations(&policy, "keykey1!x", &nobody()), [], "6 of 9");
    assert_eq!(violations(&policy, "keykeykey", &nobody()), [Words]);
    let policy = logto().with_words(["k".to_owned()]);
    assert_eq!(
        violations(&policy, "kvm", &nobody()),
        [TooShort { min: 8 }],
        "one may always be marked"
    );
    let policy = logto().with_words(["Demo".to_owned(), " ".to_owned()]);
    assert_eq!(violations(&policy, "demodemo", &nobody()), [Words]);
}

#[test]
fn logtos_length_and_characters_by_hand() {
    let too_short = TooShort { min: 8 };
    let examples: [(&str, &[Violation]); 8] = [
        ("short1!", &[too_short]),
        ("short12!", &[]),
        ("aaa", &[too_short, Repetition]), // 3 marked, 1 may be
        ("", &[too_short, CharacterTypes { min: 1 }]),
        ("passw\u{f6}rd1", &[UnsupportedCharacters]),
        ("tab\tinside", &[UnsupportedCharacters]),
        ("nul\0inside", &[UnsupportedCharacters]),
        (" ~!@#$%^&*()_+{}|:\"<>?`-=[]\\;',./ ", &[]),
    ];
    for (password, expected) in examples {
        assert_eq!(
            violations(&logto(), password, &nobody()),
            expected,
            "{password:?}"
        );
    }
    let mut config = PolicyConfig {
        preset: Preset::Logto,
        ..PolicyConfig::default()
    };
    (config.length.max, config.character_types.min) = (Some(12), Some(3));
    let policy = config.resolve(false).unwrap();
    let examples: [(&str, &[Violation]); 6] = [
        ("Kvwmtrplxugb5", &[TooLong { max: 12 }]),
        ("kvwmtrplxugb", &[CharacterTypes { min: 3 }]),
        ("Kvwmtrplxugb", &[CharacterTypes { min: 3 }]),
        ("Kvwmtrplxug5", &[]),
        ("kvwmt rplxu5", &[]), // a space is of the fourth kind
        (
            "kvwmtrplxugbhh",
            &[TooLong { max: 12 }, CharacterTypes { min: 3 }],
        ),
    ];
    for (password, expected) in examples {
        assert_eq!(violations(&policy, password, &nobody()), expected, "{password}");
    }
}

/// SR-35, SR-37, SR-38: 15 characters of any kind, counted as code points; 8 beside a second factor.
#[test]
fn sr35_sr37_sr38_the_default_asks_for_length_alone() {
    let nist = PasswordPolicy::default();
    assert_eq!(nist, PolicyConfig::default().resolve(false).unwrap());
    assert_eq!(
        violations(&nist, "sunflower kettl", &nobody()),
        [],
        "15 lower-case letters and spaces"
    );
    assert_eq!(
        violations(&nist, "sunflower kett", &nobody()),
        [TooShort { min: 15 }]
    );
    assert_eq!(
        violations(&nist, "сонце над морем", &nobody()),
        [],
        "15 code points, 27 bytes"
    );
    assert_eq!(
        violations(&nist, "сонце над море", &nobody()),
        [TooShort { min: 15 }]
    );
    assert_eq!(
        violations(&nist, "tab\tsunflower kettle", &nobody()),
        [UnsupportedCharacters]
    );

    let beside_a_second_factor = PolicyConfig::default().resolve(true).unwrap();
    assert_eq!(violations(&beside_a_second_factor, "vJ7!qZ2#", &nobody()), []);
    assert_eq!(PasswordPolicy::preset(Preset::Asvs, false).min_length(), 8);
}

/// SR-40: what guessers try first is refused, and the reason told.
#[test]
fn common_passwords_are_refused_without_a_network() {
    let asvs = PasswordPolicy::preset(Preset::Asvs, false);
    // Ranks 2, 3 000, 10 000 and 30 000 of the list, and changes of them.
    for password in [
        "password",
        "sunshine1",
        "Password1",
        "P@ssw0rd",
        "iloveyou",
        "trustno1",
        "DRAGON123",
    ] {
        assert_eq!(violations(&asvs, password, &nobody()), [Common], "{password}");
    }
    let nist = PasswordPolicy::default();
    for password in [
        "passwordpassword1",
        "password password",
        "Password123456789",
        "iloveyouiloveyou",
        "letmeinletmein123",
        "P@ssw0rd!P@ssw0rd!",
        "1q2w3e4r5t6y7u8i9o0p",
        "summer2026summer2026",
        "trustno1trustno1",
    ] {
        assert_eq!(violations(&nist, password, &nobody()), [Common], "{password}");
    }
    assert_eq!(
        violations(&nist, "qwertyuiopasdfgh", &nobody()),
        [Sequence, Common]
    );
    for password in [
        "correct horse battery",
        "sunflower-kettle",
        "MyCatIsCalledMorpheus",
    ] {
        assert_eq!(violations(&nist, password, &nobody()), [], "{password}");
    }
}

/// SR-40: a guesser knows the user and the house.
#[test]
fn context_words_are_refused_beyond_what_they_cover() {
    let facts = UserFacts {
        name: Some("Augusta Lovelace".to_owned()),
        ..nobody()
    };
    assert_eq!(
        violations(&PasswordPolicy::default(), "augustalovelace1815", &facts),
        [UserInfo]
    );
    assert_eq!(
        violations(&PasswordPolicy::default(), "augustalovelace1815", &nobody()),
        []
    );
    assert_eq!(
        violations(&PasswordPolicy::default(), "countess@example.com", &ada()),
        [UserInfo],
        "the address"
    );
    let policy = PasswordPolicy::default().with_words(["zorblatt".to_owned()]);
    assert_eq!(violations(&policy, "zorblatt-zorblatt-2026", &nobody()), [Words]);
}

proptest! {
    /// What passes keeps every rule, whatever the password.
    #[test]
    fn nothing_passes_that_breaks_the_default(text in "\\PC{0,40}") {
        let password = NewPassword::parse(&text).unwrap();
        let length = password.expose().chars().count();
        let found = PasswordPolicy::default().violations(&password, &ada());
        prop_assert_eq!(found.contains(&TooShort { min: 15 }), length < 15);
        let too_long = found.contains(&TooLong { max: 256 });
        prop_assert!(!too_long);
        let mut once = found.clone();
        once.dedup();
        prop_assert_eq!(once, found, "each rule is named once");
    }

    /// What is put around a password with three free characters never brings the restricted group on: a longer password
    /// with as many marked characters is no worse.
    #[test]
    fn free_characters_free_a_password(run in 3_usize..60, tail in "[!#%]{1,3}") {
        let password = format!("{}{tail}", "a".repeat(run));
        let free = tail.chars().count();
        let found = violations(&logto(), &password, &nobody());
        // Three of the same sign are a run themselves.
        let tail_is_a_run = free == 3 && tail.chars().all(|c| tail.starts_with(c));
        prop_assert_eq!(found.contains(&Repetition), free < 3 || tail_is_a_run);
    }

    /// The user's own data never passes as it is.
    #[test]
    fn own_data_is_never_a_password(name in "[A-Za-z]{8,20}", upper in any::<bool>()) {
        let facts = UserFacts { username: Some(name.clone()), ..nobody() };
        let password = if upper { name.to_uppercase() } else { name.to_lowercase() };
        prop_assert!(violations(&logto(), &password, &facts).contains(&UserInfo));
    }
}

#[test]
fn the_configuration_has_logtos_shape() {
    let policy: PolicyConfig = serde_json::from_str(
        r#"{"preset":"logto","length":{"min":10},"characterTypes":{"min":2},
            "rejects":{"pwned":false,"repetitionAndSequence":true,"userInfo":true,"words":["acme"]}}"#,
    )
    .unwrap();
    assert_eq!(
        serde_json::to_string(&policy.resolve(false).unwrap()).unwrap(),
        r#"{"length":{"min":10,"max":256},"characterTypes":{"min":2},"rejects":{"pwned":false,"repetitionAndSequence":true,"userInfo":true,"words":["acme"],"common":false,"current":true},"unicode":false}"#
    );
    let snake: PolicyConfig =
        serde_json::from_str(r#"{"character_types":{"min":2},"rejects":{"user_info":false}}"#).unwrap();
    assert_eq!(
        (snake.character_types.min, snake.rejects.user_info),
        (Some(2), Some(false))
    );
    assert!(
        serde_json::from_str::<PolicyConfig>(r#"{"lenght":{}}"#).is_err(),
        "unknown keys stop the start"
    );
}

#[test]
fn all_problems_of_a_policy_are_named() {
    let mut config = PolicyConfig::default();
    (config.length.min, config.length.max, config.character_types.min) = (Some(300), Some(257), Some(5));
    config.rejects.words = Some(vec!["  ".to_owned()]);
    assert_eq!(
        config.resolve(false).unwrap_err(),
        [
            MalformedPolicy::Length { min: 300, max: 257 },
            MalformedPolicy::MaxLength { max: 257 },
            MalformedPolicy::CharacterTypes { min: 5 },
            MalformedPolicy::EmptyWord,
        ]
    );
}
