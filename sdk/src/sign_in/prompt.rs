//! Which prompts a request has to carry (OpenID Connect Core section 3.1.2.1).

use crate::client::Provider;
use crate::error::SignInError;
use crate::sign_in::Purpose;

/// What the provider must ask the person, even if a session is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Prompt {
    /// Nothing: answer at once, or with an error.
    None,
    /// To sign in.
    Login,
    /// To consent.
    Consent,
    /// To choose an account.
    SelectAccount,
}

impl Prompt {
    fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
        }
    }
}

/// Prompts that may stand together.
pub(crate) struct Prompts(Vec<Prompt>);

impl Prompts {
    /// Those asked for, and those that the purpose cannot do without.
    pub(crate) fn check(
        asked: &[Prompt],
        purpose: Purpose,
        provider: &Provider,
    ) -> Result<Self, SignInError> {
        let mut prompts = asked.to_vec();
        if purpose == Purpose::ResetPassword && provider.resets_by_prompt() {
            // With a live session the provider would answer at once, and the reset page never show.
            prompts.push(Prompt::Login);
            if *provider == Provider::Logto {
                // Logto gives a refresh token only after its consent step, which `login` alone leaves out.
                prompts.push(Prompt::Consent);
            }
        }
        prompts.sort_unstable();
        prompts.dedup();
        if prompts.contains(&Prompt::None) && prompts.len() > 1 {
            return Err(SignInError::PromptNone);
        }
        Ok(Self(prompts))
    }

    /// The `prompt` parameter.
    pub(crate) fn parameter(self, offline_access: bool) -> Option<String> {
        let Self(mut prompts) = self;
        if offline_access && !prompts.contains(&Prompt::None) {
            // OpenID Connect Core section 11: offline access needs consent.
            prompts.push(Prompt::Consent);
        }
        prompts.sort_unstable();
        prompts.dedup();
        let words: Vec<&str> = prompts.into_iter().map(Prompt::as_str).collect();
        (!words.is_empty()).then(|| words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(asked: &[Prompt], purpose: Purpose, provider: &Provider, offline: bool) -> Option<String> {
        let prompts = Prompts::check(asked, purpose, provider).expect("the prompts fit together");
        prompts.parameter(offline)
    }

    #[test]
    fn a_reset_forces_the_login_prompt() {
        use Purpose::ResetPassword;
        assert_eq!(
            prompt(&[], ResetPassword, &Provider::Keyback, false).as_deref(),
            Some("login")
        );
        assert_eq!(
            prompt(&[], ResetPassword, &Provider::Generic, false).as_deref(),
            Some("login")
        );
        assert_eq!(
            prompt(&[], ResetPassword, &Provider::Logto, false).as_deref(),
            Some("login consent")
        );
        assert_eq!(
            prompt(&[], ResetPassword, &Provider::Keyback, true).as_deref(),
            Some("login consent")
        );
        let asked = [Prompt::Consent, Prompt::Login];
        assert_eq!(
            prompt(&asked, ResetPassword, &Provider::Logto, true).as_deref(),
            Some("login consent")
        );
    }

    #[test]
    fn an_ordinary_sign_in_asks_nothing_by_itself() {
        assert_eq!(prompt(&[], Purpose::SignIn, &Provider::Logto, false), None);
        assert_eq!(
            prompt(&[], Purpose::SignIn, &Provider::Keyback, true).as_deref(),
            Some("consent")
        );
        assert_eq!(
            prompt(&[Prompt::None], Purpose::SignIn, &Provider::Keyback, true).as_deref(),
            Some("none")
        );
    }

    #[test]
    fn none_stands_alone() {
        let both = [Prompt::None, Prompt::Login];
        let with_login = Prompts::check(&both, Purpose::SignIn, &Provider::Keyback);
        assert!(matches!(with_login, Err(SignInError::PromptNone)));
        let with_reset = Prompts::check(&[Prompt::None], Purpose::ResetPassword, &Provider::Keyback);
        assert!(matches!(with_reset, Err(SignInError::PromptNone)));
    }
}
