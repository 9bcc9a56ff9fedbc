//! A site with accounts, and browsers that visit it.

use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use keyback_core::event::Visitor;
use keyback_core::identifier::Identifier;
use keyback_core::ids::{ChallengeId, FlowId, Subject};
use keyback_core::one_time_code::{CodeKey, CodeKeyring, OneTimeCode};
use keyback_core::outcome::{
    FlowView, IdentifyRejection, PasswordSet, ResendRejection, Resent, SetPasswordRejection, TokenRejection,
    Verified, VerifyRejection, ViewRejection,
};
use keyback_core::password::{NewPassword, PasswordGate, PasswordPolicy, WhenDown};
use keyback_core::rate_limit::{IdentifierHasher, Limiter, Limits};
use keyback_core::reset::{
    ResetFlow, ResetParts, ResetRequest, ResetService, ResetSettings, SetPasswordRequest, TokenFlow,
    TokenRequest, VerifyRequest,
};
use keyback_core::secret::{BindingSecret, Proof, SecretDigest};
use keyback_core::testing::{ManualClock, SeededRandom};
use keyback_core::time::Clock as _;

use crate::memory::{Account, Memory};

/// Has an account.
pub(crate) const ADA: &str = "ada@example.com";
/// Has another.
pub(crate) const BOB: &str = "bob@example.com";
/// Has none.
pub(crate) const NOBODY: &str = "nobody@example.com";
/// Has an account that may not sign in.
pub(crate) const SUSPENDED: &str = "suspended@example.com";
/// Has an account with an address that nobody has verified.
pub(crate) const UNVERIFIED: &str = "unverified@example.com";
/// Has an account that never had a password.
pub(crate) const PASSWORDLESS: &str = "passwordless@example.com";

pub(crate) const OLD_PASSWORD: &str = "granite-kettle-sunflower";
pub(crate) const STRONG: &str = "sunflower-kettle-granite";
pub(crate) const WEAK: &str = "password";

pub(crate) struct World {
    pub(crate) memory: Memory,
    pub(crate) clock: ManualClock,
    pub(crate) service: ResetService<Memory, Memory, Memory, Memory>,
    /// What tells browsers apart.
    random: SeededRandom,
}

/// A browser that has begun a flow: what it keeps in cookies and forms.
pub(crate) struct Browser {
    pub(crate) flow_id: FlowId,
    pub(crate) binding: BindingSecret,
    pub(crate) challenge_id: ChallengeId,
    pub(crate) address: IpAddr,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Limits::default().times(1_000), ResetSettings::default())
    }

    pub(crate) fn with(limits: Limits, settings: ResetSettings) -> Self {
        let memory = Memory::default();
        let account = |subject: &str| Account {
            subject: Subject::new(subject),
            password: Some(OLD_PASSWORD.to_owned()),
            may_sign_in: true,
            is_verified: true,
        };
        let suspended = Account {
            may_sign_in: false,
            ..account("suspended000")
        };
        let unverified = Account {
            is_verified: false,
            ..account("unverified00")
        };
        let passwordless = Account {
            password: None,
            ..account("passwordless")
        };
        memory.rows().accounts.extend([
            (ADA.to_owned(), account("ada000000000")),
            (BOB.to_owned(), account("bob000000000")),
            (SUSPENDED.to_owned(), suspended),
            (UNVERIFIED.to_owned(), unverified),
            (PASSWORDLESS.to_owned(), passwordless),
        ]);
        let breached = Some((memory.clone(), WhenDown::Accept));
        let service = ResetService::new(ResetParts {
            store: memory.clone(),
            limiter: Limiter::new(memory.clone(), limits),
            backend: memory.clone(),
            passwords: PasswordGate::new(PasswordPolicy::default(), breached),
            keyring: CodeKeyring::new(CodeKey::new("k1", &[1; 32]), Vec::new()),
            hasher: IdentifierHasher::new(&[2; 32]),
            random: Arc::new(SeededRandom::new(42)),
            settings,
        });
        Self {
            memory,
            clock: ManualClock::default(),
            service,
            random: SeededRandom::new(43),
        }
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Opens a browser and asks for a code.
    pub(crate) fn ask(&self, identifier: &str) -> Browser {
        self.try_ask(identifier, "192.0.2.1").unwrap()
    }

    pub(crate) fn try_ask(&self, identifier: &str, address: &str) -> Result<Browser, IdentifyRejection> {
        self.try_ask_at(Some("demo-site"), identifier, address)
    }

    pub(crate) fn try_ask_at(
        &self,
        app: Option<&str>,
        identifier: &str,
        address: &str,
    ) -> Result<Browser, IdentifyRejection> {
        let address = address.parse().unwrap();
        let request = ResetRequest {
            identifier: Identifier::parse(identifier).unwrap(),
            client_id: app.map(str::to_owned),
            interaction: Some("interaction-1".to_owned()),
            send_after: Duration::ZERO,
        };
        let begun = at_once(self.service.identify(
            request,
            Visitor {
                address,
                user_agent: None,
            },
            self.clock.now(),
        ))
        .unwrap()?;
        Ok(Browser {
            flow_id: begun.flow_id,
            binding: begun.binding,
            challenge_id: begun.challenge_id,
            address,
        })
    }

    /// Makes a one-time token for an address.
    pub(crate) fn make_token(&self, token: &str, identifier: &str) {
        let digest = String::from(SecretDigest::of_text(token));
        self.memory.rows().tokens.insert(digest, identifier.to_owned());
    }

    /// Opens a browser and brings a one-time token.
    pub(crate) fn bring(&self, token: &str, identifier: &str) -> Result<(Browser, Proof), TokenRejection> {
        self.bring_from(&self.token_flow(), token, identifier)
    }

    /// What a token opens in a browser that nobody used before.
    pub(crate) fn token_flow(&self) -> TokenFlow {
        TokenFlow {
            id: FlowId::draw(&self.random),
            binding: BindingSecret::issue(&self.random),
            proof: Proof::issue(&self.random),
        }
    }

    /// Brings a one-time token in a browser.
    pub(crate) fn bring_from(
        &self,
        opens: &TokenFlow,
        token: &str,
        identifier: &str,
    ) -> Result<(Browser, Proof), TokenRejection> {
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let request = TokenRequest {
            token: SecretDigest::of_text(token),
            identifier: Identifier::parse(identifier).unwrap(),
            client_id: Some("demo-site".to_owned()),
            interaction: Some("interaction-1".to_owned()),
            opens: opens.clone(),
        };
        let visitor = Visitor {
            address,
            user_agent: None,
        };
        let opened = at_once(self.service.open_by_token(request, visitor, self.clock.now())).unwrap()?;
        let browser = Browser {
            flow_id: opened.flow.id().clone(),
            binding: opened.binding,
            challenge_id: ChallengeId::new("none"),
            address,
        };
        Ok((browser, opened.proof))
    }

    /// Lets the worker run, and reads the last message to that address.
    pub(crate) fn code_for(&self, identifier: &str) -> Option<String> {
        let inbox = self.memory.rows().deliver();
        inbox
            .into_iter()
            .rev()
            .find_map(|(to, code)| (to == identifier).then_some(code))
    }

    pub(crate) fn verify(&self, browser: &Browser, code: &str) -> Result<Verified, VerifyRejection> {
        self.verify_form(browser, None, code)
    }

    /// With a form that says which challenge it was made for.
    pub(crate) fn verify_form(
        &self,
        browser: &Browser,
        challenge_id: Option<&ChallengeId>,
        code: &str,
    ) -> Result<Verified, VerifyRejection> {
        let code = OneTimeCode::parse(code).unwrap();
        let request = VerifyRequest {
            flow_id: &browser.flow_id,
            binding: &browser.binding,
            challenge_id,
            code: &code,
        };
        at_once(self.service.verify(request, browser.visitor(), self.clock.now())).unwrap()
    }

    pub(crate) fn resend(&self, browser: &Browser) -> Result<Resent, ResendRejection> {
        let (id, binding) = (&browser.flow_id, &browser.binding);
        at_once(
            self.service
                .resend(id, binding, Duration::ZERO, browser.visitor(), self.clock.now()),
        )
        .unwrap()
    }

    pub(crate) fn set_password(
        &self,
        browser: &Browser,
        proof: &Proof,
        password: &str,
    ) -> Result<PasswordSet, SetPasswordRejection> {
        let request = SetPasswordRequest {
            flow_id: &browser.flow_id,
            binding: &browser.binding,
            proof,
            password: NewPassword::parse(password).unwrap(),
        };
        at_once(
            self.service
                .set_password(request, browser.visitor(), self.clock.now()),
        )
        .unwrap()
    }

    pub(crate) fn view(&self, browser: &Browser) -> Result<FlowView, ViewRejection> {
        at_once(
            self.service
                .view(&browser.flow_id, &browser.binding, self.clock.now()),
        )
        .unwrap()
    }

    pub(crate) fn flow(&self, browser: &Browser) -> Option<ResetFlow> {
        self.memory.rows().flow(&browser.flow_id)
    }

    pub(crate) fn password_of(&self, identifier: &str) -> String {
        self.memory.rows().accounts[identifier].password.clone().unwrap()
    }

    /// What has been asked of the ports since the last time.
    pub(crate) fn asked(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.memory.rows().asked)
    }

    /// The names of all events, in order.
    pub(crate) fn events(&self) -> Vec<&'static str> {
        self.memory
            .rows()
            .events
            .iter()
            .map(|event| event.kind.name())
            .collect()
    }
}

impl Browser {
    pub(crate) fn visitor(&self) -> Visitor {
        Visitor {
            address: self.address,
            user_agent: None,
        }
    }

    /// The same flow in a browser that didn't begin it.
    pub(crate) fn elsewhere(&self) -> Self {
        Self {
            flow_id: self.flow_id.clone(),
            binding: BindingSecret::issue(&SeededRandom::new(666)),
            challenge_id: self.challenge_id.clone(),
            address: self.address,
        }
    }
}

/// A code that is not this one.
pub(crate) fn other_than(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

/// A proof that nobody was given.
pub(crate) fn foreign_proof() -> Proof {
    Proof::issue(&SeededRandom::new(667))
}

/// Runs what never waits. A server moves such futures between threads, hence `Send`.
pub(crate) fn at_once<T>(future: impl Future<Output = T> + Send) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}
