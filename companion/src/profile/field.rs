//! The fields of a profile, and which form each has.

use super::{birthdate, locale, text, web_address, zoneinfo};

/// A further standard claim (OIDC Core 5.1), or a part of `address` (5.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    GivenName,
    FamilyName,
    MiddleName,
    Nickname,
    /// The address of the person's page.
    Profile,
    /// The address of the person's picture.
    Picture,
    Website,
    Gender,
    Birthdate,
    Zoneinfo,
    Locale,
    /// The whole address, as on a letter.
    Formatted,
    StreetAddress,
    Locality,
    Region,
    PostalCode,
    Country,
}

impl Field {
    /// All fields, in the order they are shown.
    pub const ALL: [Self; 17] = [
        Self::GivenName,
        Self::FamilyName,
        Self::MiddleName,
        Self::Nickname,
        Self::Profile,
        Self::Picture,
        Self::Website,
        Self::Gender,
        Self::Birthdate,
        Self::Zoneinfo,
        Self::Locale,
        Self::Formatted,
        Self::StreetAddress,
        Self::Locality,
        Self::Region,
        Self::PostalCode,
        Self::Country,
    ];

    /// The claim, or the member of `address`, on the wire.
    pub fn claim(self) -> &'static str {
        let name = self.name();
        name.strip_prefix("address.").unwrap_or(name)
    }

    /// The field by its own name, which no other has: `address.` before the parts of the address.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GivenName => "given_name",
            Self::FamilyName => "family_name",
            Self::MiddleName => "middle_name",
            Self::Nickname => "nickname",
            Self::Profile => "profile",
            Self::Picture => "picture",
            Self::Website => "website",
            Self::Gender => "gender",
            Self::Birthdate => "birthdate",
            Self::Zoneinfo => "zoneinfo",
            Self::Locale => "locale",
            Self::Formatted => "address.formatted",
            Self::StreetAddress => "address.street_address",
            Self::Locality => "address.locality",
            Self::Region => "address.region",
            Self::PostalCode => "address.postal_code",
            Self::Country => "address.country",
        }
    }

    /// The field of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// Whether the field is a part of `address`.
    pub const fn is_of_address(self) -> bool {
        matches!(
            self,
            Self::Formatted
                | Self::StreetAddress
                | Self::Locality
                | Self::Region
                | Self::PostalCode
                | Self::Country
        )
    }

    /// Reads a value into the form it is kept and given out in, or tells what it must be.
    pub(super) fn read(self, typed: &str) -> Result<String, &'static str> {
        match self {
            Self::GivenName
            | Self::FamilyName
            | Self::MiddleName
            | Self::Nickname
            | Self::Gender
            | Self::Locality
            | Self::Region
            | Self::PostalCode
            | Self::Country => text::line(typed),
            Self::Formatted | Self::StreetAddress => text::lines(typed),
            Self::Profile | Self::Picture | Self::Website => web_address::read(typed),
            Self::Birthdate => birthdate::read(typed),
            Self::Zoneinfo => zoneinfo::read(typed),
            Self::Locale => locale::read(typed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_by_its_name() {
        for field in Field::ALL {
            assert_eq!(Field::of_name(field.name()), Some(field));
        }
        assert_eq!(Field::of_name("country"), None);
        assert_eq!(Field::Country.claim(), "country");
        let mut sorted = Field::ALL;
        sorted.sort_unstable();
        assert_eq!(sorted, Field::ALL, "the order they are declared in");
    }
}
