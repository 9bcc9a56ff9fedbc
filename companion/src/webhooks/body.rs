//! The bodies, in the shapes that Logto 1.42 sends.

use keyback_core::time::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{AccountChange, Cause};
use crate::config::app::AppKind;
use crate::config::webhook::WebhookEvent;
use crate::logto_account;
use crate::time_text;

/// What the bodies of one change are made of.
pub(super) struct Facts<'a> {
    pub(super) change: AccountChange<'a>,
    pub(super) last_sign_in_at: Option<Timestamp>,
    pub(super) application: Option<Application>,
}

/// The app that the person came from.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Application {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    name: String,
    description: Option<String>,
}

impl Application {
    pub(super) fn new(client_id: &str, kind: AppKind, name: Option<String>) -> Self {
        Self {
            id: client_id.to_owned(),
            kind: match kind {
                AppKind::Web => "Traditional",
                AppKind::Spa => "SPA",
                AppKind::Native => "Native",
                AppKind::Machine => "MachineToMachine",
            },
            name: name.unwrap_or_else(|| client_id.to_owned()),
            // Apps have none here.
            description: None,
        }
    }
}

impl Facts<'_> {
    /// The body of an event for a webhook.
    pub(super) fn body(&self, event: WebhookEvent, hook_id: &str) -> Value {
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
        put("event", json!(event.as_str()));
        put("createdAt", json!(time_text::rfc3339(self.change.now)));
        if let Cause::Reset { flow_id, .. } = self.change.by {
            put("interactionEvent", json!("ForgotPassword"));
            put("sessionId", json!(flow_id));
        }
        if let Cause::Api(call) = self.change.by {
            let user_id = self.change.user.id.as_str();
            put("path", json!(call.route.replace(":userId", user_id)));
            put("method", json!(call.method));
            put("status", json!(call.status));
            let names_account = call.route.contains(":userId");
            put(
                "params",
                if names_account {
                    json!({ "userId": user_id })
                } else {
                    json!({})
                },
            );
            put("matchedRoute", json!(call.route));
        }
        if let Some(user_agent) = self.change.user_agent {
            put("userAgent", json!(user_agent));
        }
        if let Some(application) = &self.application {
            put("application", json!(application));
        }
        match event {
            WebhookEvent::PostResetPassword => {
                put("userId", json!(self.change.user.id));
                put("userIp", json!(self.change.client_ip));
                put("user", self.user());
            }
            WebhookEvent::UserDataUpdated
            | WebhookEvent::UserCreated
            | WebhookEvent::UserSuspensionUpdated
            | WebhookEvent::UserDeleted => {
                if let Some(application) = &self.application {
                    put("applicationId", json!(application.id));
                }
                if let Some(client_ip) = self.change.client_ip {
                    put("ip", json!(client_ip));
                }
                // Of an account that is gone nothing is told but which it was.
                let data = match event {
                    WebhookEvent::UserDeleted => Value::Null,
                    _ => self.user(),
                };
                put("data", data);
            }
        }
        put("hookId", json!(hook_id));
        Value::Object(body)
    }

    fn user(&self) -> Value {
        Value::Object(logto_account::json(self.change.user, self.last_sign_in_at))
    }
}
