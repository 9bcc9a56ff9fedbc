//! Where the way begins for who forgot the password: a parameter of the request, or an address of the provider's own.

use url::Url;

use super::{FirstScreen, SignInBuilder};
use crate::client::{Metadata, Product, Provider};
use crate::error::SignInError;

/// Providers without any entry for relying parties, told by the host of their issuer, and the nearest thing each has.
const WITHOUT_ENTRY: [(&str, &str); 11] = [
    ("auth0.com", Product::Auth0.nearest()),
    (
        "ciamlogin.com",
        "send an ordinary sign-in with login_hint: \"Forgot password?\" is one click away, and continues here",
    ),
    ("okta.com", Product::Okta.nearest()),
    ("oktapreview.com", Product::Okta.nearest()),
    ("accounts.google.com", "send an ordinary sign-in"),
    ("kinde.com", "send an ordinary sign-in with login_hint"),
    ("workos.com", WORKOS),
    ("authkit.app", WORKOS),
    (
        "clerk.accounts.dev",
        "send an ordinary sign-in: \"Forgot password?\" is a step of it",
    ),
    ("zitadel.cloud", Product::Zitadel.nearest()),
    (
        "supabase.co",
        "let your server call `POST /recover`, which mails a link to a page of your own",
    ),
];

const WORKOS: &str =
    "let your server ask WorkOS' API for a password reset, and mail its `password_reset_url`";

/// How an authorization request gets to the page it asks for.
pub(super) enum Entry {
    /// As it is, with `first_screen` where there is a spelling.
    Request(Option<&'static str>),
    /// With all its parameters, but at this address.
    At(Url),
    /// As the `next` of this address, relative to the provider.
    Next(Url),
    /// Not at all: this address leads back to where the application begins a sign-in.
    Elsewhere(Url),
}

impl SignInBuilder {
    /// What the first screen amounts to at this provider.
    pub(super) fn entry(&self, metadata: &Metadata) -> Result<Entry, SignInError> {
        let provider = self.client.provider();
        match self.first_screen {
            None => Ok(Entry::Request(None)),
            Some(FirstScreen::ResetPassword) => reset(provider, self.client.issuer(), metadata),
            Some(screen) => Ok(Entry::Request(match provider {
                Provider::Keyback | Provider::Logto | Provider::Generic => {
                    screen.spelling(provider, metadata.first_screen_values_supported.as_deref())
                }
                _ => None,
            })),
        }
    }
}

impl Entry {
    pub(super) fn first_screen(&self) -> Option<&'static str> {
        match self {
            Self::Request(spelling) => *spelling,
            _ => None,
        }
    }

    /// Where to send the browser with this authorization request.
    pub(super) fn lead(self, request: Url) -> Url {
        match self {
            Self::Request(_) => request,
            Self::At(mut address) => {
                let own = address.query().map(|own| format!("{own}&")).unwrap_or_default();
                let query = format!("{own}{}", request.query().unwrap_or_default());
                address.set_query(Some(&query));
                address
            }
            Self::Next(mut address) => {
                let relative = match request.query() {
                    Some(query) => format!("{}?{query}", request.path()),
                    None => request.path().to_owned(),
                };
                address.query_pairs_mut().append_pair("next", &relative);
                address
            }
            Self::Elsewhere(address) => address,
        }
    }
}

fn reset(provider: &Provider, issuer: &str, metadata: &Metadata) -> Result<Entry, SignInError> {
    let endpoint = &metadata.authorization_endpoint;
    let advertised = metadata.first_screen_values_supported.as_deref();
    match provider {
        Provider::Keyback | Provider::Logto => Ok(Entry::Request(
            FirstScreen::ResetPassword.spelling(provider, advertised),
        )),
        Provider::Generic => {
            if let Some(nearest) = nearest_to(issuer) {
                return Err(SignInError::NoResetEntry { nearest });
            }
            let spelling = FirstScreen::ResetPassword.spelling(provider, advertised);
            let spelling = spelling.ok_or(SignInError::NoResetEntry {
                nearest: "its discovery document lists no reset screen; send an ordinary sign-in with login_hint",
            })?;
            Ok(Entry::Request(Some(spelling)))
        }
        Provider::WithoutEntry(product) => Err(SignInError::NoResetEntry {
            nearest: product.nearest(),
        }),
        Provider::Keycloak => at(endpoint, "/protocol/openid-connect/auth", |before| {
            format!("{before}/protocol/openid-connect/forgot-credentials")
        }),
        Provider::Cognito => at(endpoint, "/oauth2/authorize", |_| "/forgotPassword".to_owned()),
        Provider::FusionAuth { tenant_id } => {
            let entry = at(endpoint, "/oauth2/authorize", |before| {
                format!("{before}/password/forgot")
            })?;
            Ok(match (entry, tenant_id) {
                (Entry::At(mut address), Some(tenant)) => {
                    address.query_pairs_mut().append_pair("tenantId", tenant);
                    Entry::At(address)
                }
                (entry, _) => entry,
            })
        }
        Provider::AzureAdB2c { reset_policy } => {
            let mut segments = endpoint.path_segments().into_iter().flatten();
            if segments.any(|segment| segment.eq_ignore_ascii_case(reset_policy)) {
                Ok(Entry::Request(None))
            } else {
                Err(SignInError::NoResetEntry {
                    nearest: "the code of a policy is redeemed at that policy; build a second client with the reset policy's issuer",
                })
            }
        }
        Provider::Authentik { recovery_flow } => {
            let mut address = endpoint.clone();
            address.set_path(&format!("/if/flow/{recovery_flow}/"));
            address.set_query(None);
            Ok(Entry::Next(address))
        }
        Provider::OryKratos {
            public_url,
            return_to,
        } => {
            let mut address = public_url.clone();
            let path = format!(
                "{}/self-service/recovery/browser",
                public_url.path().trim_end_matches('/')
            );
            address.set_path(&path);
            address
                .query_pairs_mut()
                .clear()
                .append_pair("return_to", return_to.as_str());
            Ok(Entry::Elsewhere(address))
        }
    }
}

/// Another path in place of the one that the authorization endpoint must end in. An endpoint of another shape is another
/// product's or another version's: guessing would send people to a page that is not there.
fn at(endpoint: &Url, suffix: &str, path: impl FnOnce(&str) -> String) -> Result<Entry, SignInError> {
    let before = endpoint
        .path()
        .strip_suffix(suffix)
        .ok_or(SignInError::NoResetEntry {
            nearest: "its authorization endpoint is not of the profile's shape; check the profile, or send an ordinary sign-in",
        })?;
    let mut address = endpoint.clone();
    address.set_path(&path(before));
    Ok(Entry::At(address))
}

fn nearest_to(issuer: &str) -> Option<&'static str> {
    let url = Url::parse(issuer).ok()?;
    let host = url.host_str()?;
    WITHOUT_ENTRY.into_iter().find_map(|(domain, nearest)| {
        let of_domain = host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
        of_domain.then_some(nearest)
    })
}
