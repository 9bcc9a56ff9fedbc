//! A request as it goes over the wire.

use super::moves::{Request, Twist, Who, Whom, Whose};
use super::side::Side;
use super::world::World;

const WEAK: &str = "password";

pub(super) const ASK: &str = "/forgot-password";
pub(super) const CODE: &str = "/forgot-password/code";
pub(super) const RESEND: &str = "/forgot-password/code/resend";
pub(super) const PASSWORD: &str = "/forgot-password/password";
pub(super) const TOKEN: &str = "/forgot-password/token";
const LINK: &str = "/forgot-password/link";

pub(super) struct Concrete {
    /// Whose flow the address names.
    pub(super) flow: Option<Who>,
    /// What the cookie of that flow holds, by its parts; none where the browser has no such cookie.
    pub(super) cookie: Option<Vec<String>>,
    /// With the browser's own jar; else with a jar that holds that cookie alone.
    pub(super) is_own: bool,
    pub(super) path: &'static str,
    pub(super) query: String,
    /// None is a look.
    pub(super) fields: Option<Vec<(&'static str, String)>>,
}

impl Concrete {
    pub(super) fn has(&self, name: &str, value: &str) -> bool {
        let mut fields = self.fields.iter().flatten();
        fields.any(|(field, typed)| *field == name && typed == value)
    }
}

impl World {
    pub(super) fn concrete(&self, who: Who, request: Request, twist: Twist) -> Concrete {
        let other = who.other();
        let (own, others) = (self.side(who), self.side(other));
        let target = match twist {
            Twist::OthersFlow | Twist::OthersFlowOwnSecrets => Some(other),
            Twist::NoFlow => None,
            _ => Some(who),
        };
        let cookie = match twist {
            Twist::NoCookie | Twist::OthersFlow | Twist::NoFlow => None,
            Twist::OthersSecrets => Some(others.flow.secrets()),
            Twist::OthersProof => {
                let mut parts = own.flow.secrets();
                parts.truncate(2);
                let proof = others.flow.proof.as_ref();
                parts.push(proof.unwrap_or(&others.flow.binding).clone());
                Some(parts)
            }
            _ => Some(own.flow.secrets()),
        };
        let at = target.map_or(own, |who| self.side(who));
        let whose = |whose| match whose {
            Whose::Own => own,
            Whose::Others => others,
        };
        let link = |of| whose(of).flow.links.last().cloned().unwrap_or_default();
        let (path, field) = match request {
            Request::Ask(whom) => (ASK, Some(("identifier", self.address(who, whom).to_owned()))),
            Request::Code(typed) => (CODE, Some(("code", at.typed(typed, others)))),
            Request::Resend => (RESEND, None),
            Request::StrongPassword => (PASSWORD, Some(("password", self.strong()))),
            Request::WeakPassword => (PASSWORD, Some(("password", WEAK.to_owned()))),
            Request::Link(_) => (LINK, None),
            Request::PressLink(of) => (LINK, Some(("t", link(of)))),
            Request::PressToken(_) => (TOKEN, None),
            Request::Look(path) => (path, None),
        };
        let name = field.as_ref().map_or("", |(name, _)| *name);
        let mut fields: Vec<_> = field.into_iter().collect();
        match twist {
            Twist::NoFields => fields.clear(),
            Twist::FieldTwice => fields.extend(fields.clone()),
            Twist::MoreFields => fields.extend(self.more_fields(others, name)),
            _ => {}
        }
        let path = match (twist, request) {
            (Twist::OtherStep, Request::Code(_)) => PASSWORD,
            (Twist::OtherStep, _) => CODE,
            _ => path,
        };
        let challenge = match twist {
            Twist::NoChallenge => None,
            Twist::OthersChallenge => others.flow.challenges.last(),
            _ => at.flow.challenges.last(),
        };
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        match request {
            Request::Link(of) => {
                query.append_pair("t", &link(of));
            }
            Request::PressToken(of) => {
                query.extend_pairs(
                    whose(of)
                        .brought
                        .as_ref()
                        .map(|brought| ("i", &brought.interaction)),
                );
            }
            Request::Ask(_) | Request::PressLink(_) => {}
            _ => {
                query.extend_pairs(target.map(|who| ("f", &self.side(who).flow.id)));
                query.extend_pairs(challenge.map(|id| ("c", id)));
            }
        }
        Concrete {
            flow: target,
            is_own: twist.keeps_the_cookies(),
            cookie,
            path,
            query: query.finish(),
            fields: (!matches!(request, Request::Look(_) | Request::Link(_))).then_some(fields),
        }
    }

    /// The address that somebody types.
    fn address(&self, who: Who, whom: Whom) -> &str {
        match whom {
            Whom::Oneself => &self.side(who).address,
            Whom::TheOther => &self.side(who.other()).address,
            Whom::Nobody => &self.nobody,
        }
    }

    /// What no form of ours has at that step.
    fn more_fields(&self, others: &Side, has: &str) -> Vec<(&'static str, String)> {
        let more = [
            ("identifier", others.address.clone()),
            ("user_id", others.user_id.clone()),
            ("subject", others.user_id.clone()),
            ("f", others.flow.id.clone()),
            ("proof", others.flow.proof.clone().unwrap_or_default()),
            ("binding", others.flow.binding.clone()),
            ("verified", "true".to_owned()),
            (
                "code",
                self.side(Who::Ada).flow.codes.last().cloned().unwrap_or_default(),
            ),
            ("password", self.strong()),
        ];
        more.into_iter().filter(|(name, _)| *name != has).collect()
    }
}
