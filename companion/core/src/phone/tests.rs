use proptest::prelude::*;
use rlibphonenumber::PhoneNumberType;

use super::*;
use crate::identifier::{Identifier, IdentifierKind};

fn region(code: &str) -> Option<Region> {
    Some(code.parse().unwrap())
}

fn normal(region: Option<Region>, text: &str) -> Option<String> {
    PhoneNumber::parse_in(region, text)
        .ok()
        .map(|number| number.as_str().to_owned())
}

/// Numbers as the plans of all regions give them for an example: of a mobile, of a fixed line.
fn examples() -> Vec<(Region, String, String)> {
    let mut examples = Vec::new();
    for code in PHONE_NUMBER_UTIL.get_supported_regions() {
        for kind in [PhoneNumberType::Mobile, PhoneNumberType::FixedLine] {
            if let Ok(number) = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(code, kind) {
                let written = |form| PHONE_NUMBER_UTIL.format(&number, form).into_owned();
                examples.push((
                    Region(code),
                    written(PhoneNumberFormat::E164),
                    written(PhoneNumberFormat::National),
                ));
            }
        }
    }
    examples
}

#[test]
fn sr11_every_country_has_its_international_and_its_national_form() {
    let examples = examples();
    assert!(examples.len() > 400, "{}", examples.len());
    let mut same = 0;
    for (home, e164, national) in &examples {
        let number = PhoneNumber::parse(e164).unwrap_or_else(|_| panic!("{home} {e164}"));
        assert_eq!(number.as_str(), e164);
        // Which region is asked in has no say where the country code is there.
        assert_eq!(normal(region("US"), e164).as_ref(), Some(e164), "{home}");
        // As it is shown it is also typed.
        let shown = number.international();
        assert_eq!(normal(None, &shown).as_ref(), Some(e164), "{home} {shown}");
        let read = normal(Some(*home), national);
        if let Some(read) = &read {
            assert_eq!(read, e164, "{home} {national}");
            same += 1;
        }
    }
    // A handful write their national form so that only a person can read it.
    assert!(same * 100 >= examples.len() * 98, "{same} of {}", examples.len());
}

#[test]
fn what_people_type_is_understood() {
    for (home, typed, number) in [
        ("US", "(415) 555-0123", "+14155550123"),
        ("US", "1 415 555 0123", "+14155550123"),
        ("US", "415.555.0123", "+14155550123"),
        ("US", "011 49 170 1234567", "+491701234567"),
        ("DE", "0170 1234567", "+491701234567"),
        ("DE", "0170/123 45-67", "+491701234567"),
        ("DE", "0049 170 1234567", "+491701234567"),
        ("DE", "+49 (0)170 1234567", "+491701234567"),
        ("GB", "020 7183 8750", "+442071838750"),
        ("IT", "06 1234 5678", "+390612345678"),
        ("AR", "011 15-2345-6789", "+5491123456789"),
        ("BR", "(11) 96123-4567", "+5511961234567"),
        (
            "JP",
            "\u{ff10}\u{ff19}\u{ff10}\u{ff0d}\u{ff11}\u{ff12}\u{ff13}\u{ff14}\u{ff0d}\u{ff15}\u{ff16}\u{ff17}\u{ff18}",
            "+819012345678",
        ),
        (
            "EG",
            "\u{660}\u{661}\u{660}\u{661} \u{662}\u{663}\u{664} \u{665}\u{666}\u{667}\u{668}",
            "+201012345678",
        ),
        (
            "US",
            "\u{ff0b}\u{ff11}\u{3000}\u{ff08}\u{ff14}\u{ff11}\u{ff15}\u{ff09}\u{3000}555 0123",
            "+14155550123",
        ),
        // As an address book copies it.
        ("US", "\u{202d}+1 (415) 555\u{2011}0123\u{202c}", "+14155550123"),
        ("US", "+1\u{a0}415\u{202f}555 0123", "+14155550123"),
    ] {
        assert_eq!(
            normal(region(home), typed).as_deref(),
            Some(number),
            "{home} {typed:?}"
        );
    }
}

/// SR-10: what is no number of any plan, and what is more than a number.
#[test]
fn sr10_impossible_and_invalid_numbers_are_refused() {
    for text in [
        "+",
        "+123456",
        "+1 415 555 012",   // too short
        "+1 415 555 01234", // too long
        "+1 015 555 0123",  // no area code begins with 0
        "+999 123 456 789", // no such country
        "+0491701234567",
        "+1234567890123456",
        "+49170123456a",
        "++491701234567",
        "+49+1701234567",
        "+49170\n1234567",
        "+49170\u{0}123456",
        "+491701234567;ext=1",
        "+491701234567 ext. 1",
        "+491701234567x1",
        "tel:+491701234567",
        "+1-800-FLOWERS",
        "911",
        "110",
        "ada",
        "1234567",
        "4155550123@",
        "\u{2460}\u{2461}\u{2462}\u{2463}\u{2464}\u{2465}\u{2466}", // circled digits
    ] {
        assert!(PhoneNumber::parse(text).is_err(), "{text:?}");
        assert!(PhoneNumber::parse_in(region("DE"), text).is_err(), "DE {text:?}");
    }
    let long = format!("+1 415{}555 0123", " ".repeat(90));
    assert_eq!(PhoneNumber::parse(&long), Err(MalformedIdentifier::TooLong));
}

#[test]
fn without_country_code_and_region_a_number_is_nobodys() {
    for text in [
        "(415) 555-0123",
        "0170 1234567",
        "0049 170 1234567",
        "491701234567",
    ] {
        assert_eq!(
            PhoneNumber::parse(text),
            Err(MalformedIdentifier::Phone),
            "{text}"
        );
    }
}

/// SR-32: what is shown has the digits of the number, and no more.
#[test]
fn sr32_a_number_is_shown_in_the_groups_of_its_country() {
    for (number, shown) in [
        ("+14155550123", "+1 415-555-0123"),
        ("+491701234567", "+49 170 1234567"),
        ("+390612345678", "+39 06 1234 5678"),
        // In no plan any more, but it rests somewhere.
        ("+99912345678", "+99912345678"),
    ] {
        assert_eq!(PhoneNumber::from_e164(number).unwrap().international(), shown);
    }
    assert_eq!(
        Identifier::parse("Ada@Example.com").unwrap().shown(),
        "ada@example.com"
    );
}

#[test]
fn regions_are_countries_with_a_numbering_plan() {
    assert_eq!("us".parse::<Region>().unwrap().to_string(), "US");
    assert_eq!(serde_json::to_string(&region("DE").unwrap()).unwrap(), "\"DE\"");
    let mut planned: Vec<String> = PHONE_NUMBER_UTIL
        .get_supported_regions()
        .map(|region| region.to_string())
        .collect();
    planned.sort();
    assert_eq!(REGIONS.split(' ').collect::<Vec<_>>(), planned);
    for text in ["", " ", "U", "USA", "ZZ", "001", "49", "\u{df}\u{df}", "XX"] {
        assert!(text.parse::<Region>().is_err(), "{text:?}");
    }
}

proptest! {
    /// SR-11: one idempotent normal form, in whichever region it was read.
    #[test]
    fn sr11_normalising_a_number_twice_changes_nothing(
        text in "[+]?[0-9 ()/.-]{5,20}",
        home in prop::sample::select(vec!["US", "DE", "GB", "IT", "BR", "AR", "MX", "JP", "CI", "SM"]),
    ) {
        if let Ok(number) = PhoneNumber::parse_in(region(home), &text) {
            prop_assert_eq!(&PhoneNumber::parse(number.as_str()).unwrap(), &number);
            prop_assert_eq!(&PhoneNumber::parse_in(region(home), number.as_str()).unwrap(), &number);
            prop_assert_eq!(&PhoneNumber::parse(&number.international()).unwrap(), &number);
            let identifier = Identifier::parse_in(region(home), &text).unwrap();
            prop_assert_eq!(identifier.kind(), IdentifierKind::Phone);
            prop_assert_eq!(identifier.as_str(), number.as_str());
        }
    }

    #[test]
    fn separators_say_nothing(gaps in prop::collection::vec("[ ./()\u{a0}\u{2011}\u{ff0d}\u{202d}-]{0,2}", 11)) {
        let typed: String = "14155550123".chars().zip(&gaps).map(|(digit, gap)| format!("{gap}{digit}")).collect();
        let wanted = Some("+14155550123".to_owned());
        prop_assert_eq!(normal(None, &format!("+{typed}")), wanted.clone());
        prop_assert_eq!(normal(region("US"), &typed), wanted);
    }

    /// Whatever is typed, in any script: no panic, and what comes out is E.164.
    #[test]
    fn any_text_is_a_number_or_none(text in "\\PC{0,40}", dialled in "[+0-9\u{ff10}-\u{ff19}\u{660}-\u{669}]{0,20}") {
        for text in [text, dialled] {
            for home in [None, region("DE"), region("US")] {
                if let Ok(number) = PhoneNumber::parse_in(home, &text) {
                    prop_assert!(PhoneNumber::from_e164(number.as_str()).is_ok());
                }
            }
        }
    }
}

/// SR-14: numbers are told apart by country where several share a country code, and by the block they are given out in.
#[test]
fn sr14_a_number_has_a_country_and_a_beginning() {
    for (number, region, prefix) in [
        ("+14155550123", Some("US"), "+1415555"),
        ("+14165550123", Some("CA"), "+1416555"),
        ("+491711234567", Some("DE"), "+49171123"),
        ("+447400123456", Some("GB"), "+44740012"),
        ("+447797712345", Some("JE"), "+44779771"),
        // A satellite's.
        ("+881612345678", None, "+88161234"),
    ] {
        let number = PhoneNumber::from_e164(number).unwrap();
        assert_eq!(
            number.region(),
            region.map(|code| code.parse().unwrap()),
            "{number:?}"
        );
        assert_eq!(number.prefix(), prefix);
    }
}
