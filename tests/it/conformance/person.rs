//! A person who has every standard claim (OIDC Core 5.1).

use keyback_tests::TestApp;
use serde_json::{Value, json};

pub(super) const NAME: &str = "Ada Lovelace";

pub(super) const PROFILE: [&str; 14] = [
    "name",
    "family_name",
    "given_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
];
pub(super) const EMAIL: [&str; 2] = ["email", "email_verified"];
pub(super) const PHONE: [&str; 2] = ["phone_number", "phone_number_verified"];
pub(super) const ADDRESS: [&str; 1] = ["address"];

/// Gives an account what it lacks.
pub(super) async fn complete(app: &TestApp, user_id: &str) {
    let further = json!({
        "family_name": "Lovelace",
        "given_name": "Ada",
        "middle_name": "Augusta",
        "nickname": "Countess",
        "profile": "https://example.com/ada",
        "picture": "https://example.com/ada.png",
        "website": "https://ada.example.com",
        "gender": "female",
        "birthdate": "1985-12-10",
        "zoneinfo": "Europe/London",
        "locale": "en-GB",
        "address": {
            "formatted": "12 St James's Square\nLondon SW1Y 4JH\nUnited Kingdom",
            "street_address": "12 St James's Square",
            "locality": "London",
            "postal_code": "SW1Y 4JH",
            "country": "United Kingdom",
        },
    });
    let sql = "UPDATE users SET name = $1, username = 'ada', phone = '+14155550123', phone_verified = TRUE, \
               profile = $2 WHERE id = $3";
    let done = sqlx::query(sql)
        .bind(NAME)
        .bind(further.to_string())
        .bind(user_id)
        .execute(app.companion.store.writer())
        .await
        .unwrap();
    assert_eq!(done.rows_affected(), 1);
}

/// The types of the claims that are there (OIDC Core 5.1).
pub(super) fn check_types(claims: &Value) {
    for (name, value) in claims.as_object().unwrap() {
        let right = match name.as_str() {
            "updated_at" => value.is_u64() && value.as_u64().unwrap() < 100_000_000_000,
            "email_verified" | "phone_number_verified" => value.is_boolean(),
            "address" => value["formatted"].is_string() && value["country"].is_string(),
            _ => value.is_string(),
        };
        assert!(right, "{name}: {value}");
    }
}
