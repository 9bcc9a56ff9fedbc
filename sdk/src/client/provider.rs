//! Profiles: what differs between providers although the specifications are the same.

use url::Url;

use super::product::Product;
use crate::error::ConfigError;
use crate::secure_url::{has_credentials, is_secure};

/// What kind of provider the issuer is, which decides how [`FirstScreen`](crate::FirstScreen) is asked for and, above all, where
/// the way back begins for who forgot the password.
///
/// There is no standard for it. A profile is here if the provider's own documents or its source say how a reset begins, or, of
/// FusionAuth alone, its own issue tracker, and if that way continues to the relying party; each names what it rests on. None but Keyback's and Logto's was run against the
/// product by this crate's tests. Whichever it is, a callback is an ordinary sign-in and no proof of a reset, and one that
/// arrives in another browser than the one that began, as from a mailed link, is refused: answer it with a "Sign in" page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// Keyback's companion: screens are spelled as its discovery document lists them in `first_screen_values_supported`,
    /// and `reset-password` where it lists no spelling. A screen that is not listed is sent all the same: the companion
    /// answers with `invalid_request`, and so the mistake shows.
    #[default]
    Keyback,
    /// Logto: screens with underscores, whatever is listed, and a reset asks for `login consent`. After the reset the person
    /// signs in, and only then comes back.
    ///
    /// Source: Logto's page "First screen" (docs.logto.io, end-user flows, authentication parameters); `logto-io/logto`,
    /// `packages/schemas/src/consts/oidc.ts` and `packages/core/src/oidc/utils.ts`.
    Logto,
    /// Any other provider. Screens are spelled as for Keyback, but a screen other than the reset that is missing from a provider's
    /// list is not sent: an unknown value may be refused.
    ///
    /// A reset is sent as `first_screen=reset-password` where the provider lists it or lists nothing: it knows the parameter or
    /// has to ignore it (RFC 6749 section 3.1). Where its list is without a reset, or it is one of those that are known to have
    /// no entry (Auth0, Clerk, Entra External ID, Google, Kinde, Okta, Supabase, WorkOS and Zitadel, by the host that they give their
    /// issuers), the request is refused with [`SignInError::NoResetEntry`](crate::SignInError::NoResetEntry), which names the
    /// nearest thing. On a domain of one's own they can't be told from others, and an unknown parameter is ignored: name them by
    /// [`Self::WithoutEntry`].
    Generic,
    /// A product that is known to have no entry, on whichever domain. Ordinary sign-ins are those of [`Self::Generic`], without
    /// a first screen; a reset is refused with [`SignInError::NoResetEntry`](crate::SignInError::NoResetEntry) when the request is
    /// built, which names the nearest thing.
    WithoutEntry(Product),
    /// Keycloak: the request goes to `forgot-credentials` in place of `auth`, with every parameter. The realm needs "Forgot
    /// password" on. Nothing is filled in beforehand; a live session skips the form and mails its own user at once, so the link
    /// must not be prefetched. The way leads through a mailed link, in the browser that began.
    ///
    /// Source: Keycloak's server administration guide, `docs/documentation/server_admin/topics/authentication/flows.adoc`,
    /// "Registration or Reset credentials requested by client"; for the session and the form, `AuthorizationEndpoint.java`,
    /// `ResetCredentialChooseUser.java` and `login-reset-password.ftl` of `keycloak/keycloak`.
    Keycloak,
    /// Amazon Cognito with managed login: the request goes to `/forgotPassword` of the same domain, with every parameter. The code is typed
    /// on the page, and the person signs in afterwards. That the request survives until then is not documented: keep an
    /// ordinary sign-in at hand.
    ///
    /// Source: Amazon Cognito developer guide, "Managed login endpoints".
    Cognito,
    /// Azure AD B2C: a reset is a user flow (policy) of its own, with its own discovery document, endpoints and keys. Build a second
    /// client for it, whose issuer is the policy's own (`…/tfp/{tenant}/{policy}/v2.0/`, as set under "Token compatibility
    /// settings"), so that the code is redeemed where it was issued and the ID token's `iss` names the policy. On the client
    /// of the sign-in policy a reset is refused, and the refusal says so.
    ///
    /// Source: `MicrosoftDocs/azure-docs`, `articles/active-directory-b2c/`: `add-password-reset-policy.md`, `openid-connect.md`,
    /// `direct-signin.md`. Microsoft sells it to no new customers since May 2025.
    AzureAdB2c {
        /// The name of the reset policy, such as `B2C_1_reset`.
        reset_policy: String,
    },
    /// FusionAuth: the request goes to `/password/forgot` with every parameter, as the link on the hosted sign-in page does. The
    /// person ends signed in, also when the mail is opened on another device.
    ///
    /// Source: the vendor's issue tracker only (`FusionAuth/fusionauth-issues`, 2110, 1975 and 1827). It is the hosted page's own
    /// link and no documented contract: try it with the release in use.
    FusionAuth {
        /// The tenant, where there are several.
        tenant_id: Option<String>,
    },
    /// Ory Kratos, alone or behind Hydra: recovery is a page of Kratos that signs the person in, has a password set, and then leads
    /// to an address of the application. That address begins an ordinary sign-in, so the pending sign-in that comes with the
    /// URL is never answered and may be dropped. Who is signed in gets no recovery page.
    ///
    /// Source: `ory/docs`, `docs/kratos/bring-your-own-ui/10_custom-ui-advanced-integration.mdx` and
    /// `docs/kratos/concepts/browser-redirect-flow-completion.mdx`; for the session, `ory/kratos`,
    /// `selfservice/flow/recovery/handler.go`.
    OryKratos {
        /// Kratos' public address.
        public_url: Url,
        /// Where the application begins a sign-in. It stands in `selfservice.allowed_return_urls`, whole and not only by host.
        return_to: Url,
    },
    /// authentik: the recovery flow with the request as its relative `next`, which also travels in the mailed link. The example
    /// flow demands that nobody is signed in.
    ///
    /// Source: `goauthentik/authentik`, `authentik/flows/views/executor.py`, `stages/email/stage.py`,
    /// `stages/identification/stage.py` and `blueprints/example/flows-recovery-email-verification.yaml`; the whole is composed
    /// from reading them.
    Authentik {
        /// The slug that the administrator gave the recovery flow: `default-recovery-flow` in the example.
        recovery_flow: String,
    },
}

impl Provider {
    /// What the profile itself says must be usable.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let is_word = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        let usable = match self {
            Self::AzureAdB2c { reset_policy } => is_word(reset_policy),
            Self::Authentik { recovery_flow } => is_word(recovery_flow),
            Self::FusionAuth { tenant_id } => tenant_id.as_deref().is_none_or(is_word),
            Self::OryKratos {
                public_url,
                return_to,
            } => [public_url, return_to]
                .into_iter()
                .all(|url| is_secure(url) && !has_credentials(url)),
            _ => true,
        };
        if usable { Ok(()) } else { Err(ConfigError::Profile) }
    }

    /// Whether a reset needs `prompt=login`, since a live session would skip the page. Where the entry is a page of its own the
    /// prompt changes nothing, or would ask for the password that was just forgotten.
    pub(crate) fn resets_by_prompt(&self) -> bool {
        matches!(
            self,
            Self::Keyback | Self::Logto | Self::Generic | Self::AzureAdB2c { .. }
        )
    }
}

/// How the client's secret is sent (OpenID Connect Core section 9). Without a secret and without a
/// [key](crate::ClientBuilder::client_key) it is a public client, which sends its id alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// `client_secret_basic`: in the Authorization header.
    #[default]
    Basic,
    /// `client_secret_post`: in the body.
    Post,
}
