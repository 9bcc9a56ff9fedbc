//! Products that have no way to a reset which continues to the relying party, named by whoever has a client there.

/// A product without an entry that leads from a relying party over the reset and back to it. On a domain of one's own it can't be
/// told from others, so its name is given: [`Provider::WithoutEntry`](crate::Provider::WithoutEntry).
///
/// What each has in its place is in its documents or source: of Auth0, Okta and Zitadel those of their hosted services; of the others
/// the page or route that [`Self::nearest`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Product {
    /// Auth0. Source: Auth0 docs, "Authentication API", change password.
    Auth0,
    /// Authelia. Source: `authelia/authelia`, `web/src/constants/Routes.ts` and `web/src/views/ResetPassword/`.
    Authelia,
    /// Casdoor. Source: `casdoor/casdoor`, `web/src/auth/ForgetPage.js`.
    Casdoor,
    /// Dex, which keeps no passwords of its own but for a static list. Source: `dexidp/dex`, `server/`.
    Dex,
    /// Duende IdentityServer, whose pages are the operator's. Source: Duende docs, "Custom pages".
    Duende,
    /// Hanko. Source: `teamhanko/hanko`, `backend/handler/public_router.go`.
    Hanko,
    /// Kanidm. Source: `kanidm/kanidm`, `server/core/src/https/views/recover.rs`.
    Kanidm,
    /// Matrix Authentication Service. Source: `element-hq/matrix-authentication-service`,
    /// `crates/handlers/src/views/recovery/start.rs`.
    MatrixAuthenticationService,
    /// Okta. Source: Okta's sign-in widget, `flow`.
    Okta,
    /// rauthy. Source: `sebadob/rauthy`, `frontend/src/routes/users/password_reset/+page.svelte`.
    Rauthy,
    /// SuperTokens. Source: SuperTokens docs, "Password reset".
    SuperTokens,
    /// Zitadel. Source: `zitadel/zitadel`, `apps/login/`.
    Zitadel,
}

impl Product {
    /// The nearest thing to an entry that the product has, as advice to a developer.
    pub const fn nearest(self) -> &'static str {
        match self {
            Self::Auth0 => "let your server call `POST /dbconnections/change_password`, which mails a link",
            Self::Authelia => {
                "link to its page `/reset-password/step1`; people come back to you by themselves"
            }
            Self::Casdoor => {
                "link to its page `/forget/{application}?username=`, and set the application's Signin URL to where your sign-in \
                 begins: it leads there"
            }
            Self::Dex => "it has no reset; link to that of the connector that keeps the passwords",
            Self::Duende => {
                "its operator can add a value to `PromptValuesSupported` and answer it with a page; send that value as a \
                 prompt of your own, once discovery lists it"
            }
            Self::Hanko => "recovery is a step of its own login; send an ordinary sign-in",
            Self::Kanidm => {
                "link to its page `/ui/recover`, which its operator must switch on; people come back to you by themselves"
            }
            Self::MatrixAuthenticationService => {
                "link to its page `/recover`; people come back to you by themselves"
            }
            Self::Okta => "show Okta's sign-in widget in a page of your own with `flow: 'resetPassword'`",
            Self::Rauthy => {
                "link to its page `{issuer}users/password_reset?email_hint=`; people come back to you by themselves"
            }
            Self::SuperTokens => {
                "link to its page `/auth/reset-password` (its operator may have moved it); a button there leads to its sign-in, \
                 without your request"
            }
            Self::Zitadel => {
                "let your server call `POST /v2/users/{id}/password_reset`, which mails a link; the sign-in begins anew behind \
                 it"
            }
        }
    }
}
