//! Who the demo's account is to relying parties: a value for every standard claim (OIDC Core 5.1), so that an app
//! or a conformance test that asks for one finds it.

use crate::profile::{Field, Profile, Unfit};

const FIELDS: [(Field, &str); 17] = [
    (Field::GivenName, "Ada"),
    (Field::FamilyName, "Lovelace"),
    (Field::MiddleName, "King"),
    (Field::Nickname, "Countess"),
    (Field::Profile, "https://example.com/people/ada"),
    (Field::Picture, "https://example.com/people/ada.jpg"),
    (Field::Website, "https://ada.example.com/"),
    (Field::Gender, "female"),
    // Not in 1815: the Foundation's suite, for one, believes no year before 1850.
    (Field::Birthdate, "1985-12-10"),
    (Field::Zoneinfo, "Europe/London"),
    (Field::Locale, "en-GB"),
    (
        Field::Formatted,
        "12 St James's Square\nLondon SW1Y 4JH\nUnited Kingdom",
    ),
    (Field::StreetAddress, "12 St James's Square"),
    (Field::Locality, "London"),
    (Field::Region, "Greater London"),
    (Field::PostalCode, "SW1Y 4JH"),
    (Field::Country, "United Kingdom"),
];

pub(super) fn profile() -> Result<Profile, Unfit> {
    let mut profile = Profile::default();
    for (field, text) in FIELDS {
        profile.set(field, text)?;
    }
    Ok(profile)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oidc_core_5_1_the_account_has_every_field() {
        assert_eq!(profile().unwrap().iter().count(), Field::ALL.len());
    }

    /// The Foundation's suite fails a claim that it takes for no date of birth.
    #[test]
    fn oidc_core_5_1_the_date_of_birth_is_one_that_is_believed() {
        let (_, born) = FIELDS
            .iter()
            .find(|(field, _)| *field == Field::Birthdate)
            .unwrap();
        let year: u16 = born.split('-').next().unwrap().parse().unwrap();
        assert!((1850..2026).contains(&year), "{born}");
    }
}
