//! The flags of the standard claims (OIDC Core 5.1), for `keyback user add` and `keyback user edit`.

use clap::Args;

use crate::profile::{Field, Profile, Unfit};

/// One flag per field; an empty text takes a value away.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Who the person is (claims of OpenID Connect Core 5.1)")]
pub(crate) struct ProfileArgs {
    #[arg(long, value_name = "NAME")]
    given_name: Option<String>,
    #[arg(long, value_name = "NAME")]
    family_name: Option<String>,
    #[arg(long, value_name = "NAME")]
    middle_name: Option<String>,
    #[arg(long, value_name = "NAME")]
    nickname: Option<String>,
    /// The address of the person's page
    #[arg(long, value_name = "URL")]
    profile: Option<String>,
    /// The address of the person's picture
    #[arg(long, value_name = "URL")]
    picture: Option<String>,
    #[arg(long, value_name = "URL")]
    website: Option<String>,
    #[arg(long, value_name = "TEXT")]
    gender: Option<String>,
    /// YYYY-MM-DD, YYYY, or 0000-MM-DD without the year
    #[arg(long, value_name = "DATE")]
    birthdate: Option<String>,
    /// Such as Europe/Paris
    #[arg(long, value_name = "ZONE")]
    zoneinfo: Option<String>,
    /// Such as fr-CA
    #[arg(long, value_name = "TAG")]
    locale: Option<String>,
    /// The whole postal address, as on a letter
    #[arg(long, value_name = "TEXT")]
    address: Option<String>,
    #[arg(long, value_name = "TEXT")]
    street_address: Option<String>,
    /// City
    #[arg(long, value_name = "TEXT")]
    locality: Option<String>,
    #[arg(long, value_name = "TEXT")]
    region: Option<String>,
    #[arg(long, value_name = "TEXT")]
    postal_code: Option<String>,
    #[arg(long, value_name = "TEXT")]
    country: Option<String>,
}

impl ProfileArgs {
    /// The profile of a new account.
    pub(super) fn profile(&self) -> Result<Profile, Unfit> {
        let mut profile = Profile::default();
        self.apply(&mut profile)?;
        Ok(profile)
    }

    /// Whether any flag was given.
    pub(super) fn says_something(&self) -> bool {
        Field::ALL.into_iter().any(|field| self.given(field).is_some())
    }

    /// Changes what flags were given for, and nothing else.
    pub(super) fn apply(&self, profile: &mut Profile) -> Result<(), Unfit> {
        for field in Field::ALL {
            if let Some(text) = self.given(field) {
                profile.set(field, text)?;
            }
        }
        Ok(())
    }

    fn given(&self, field: Field) -> Option<&str> {
        let given = match field {
            Field::GivenName => &self.given_name,
            Field::FamilyName => &self.family_name,
            Field::MiddleName => &self.middle_name,
            Field::Nickname => &self.nickname,
            Field::Profile => &self.profile,
            Field::Picture => &self.picture,
            Field::Website => &self.website,
            Field::Gender => &self.gender,
            Field::Birthdate => &self.birthdate,
            Field::Zoneinfo => &self.zoneinfo,
            Field::Locale => &self.locale,
            Field::Formatted => &self.address,
            Field::StreetAddress => &self.street_address,
            Field::Locality => &self.locality,
            Field::Region => &self.region,
            Field::PostalCode => &self.postal_code,
            Field::Country => &self.country,
        };
        given.as_deref()
    }
}
