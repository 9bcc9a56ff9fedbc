//! Who a person is: every standard claim arrives, from every form of file that has a place for it.

use serde_json::{Map, json};

use super::*;

/// Everything that OIDC Core 5.1 has a name for, but for the times and what is said of the addresses.
fn everything() -> Value {
    json!({
        "given_name": "Ada", "family_name": "Lovelace", "middle_name": "King", "nickname": "Countess",
        "profile": "https://example.com/ada", "picture": "https://example.com/ada.jpg",
        "website": "https://ada.example/", "gender": "female", "birthdate": "1815-12-10",
        "zoneinfo": "Europe/London", "locale": "en-GB",
        "address": {
            "formatted": "12 St James's Square\nLondon", "street_address": "12 St James's Square",
            "locality": "London", "region": "Greater London", "postal_code": "SW1Y 4JH",
            "country": "United Kingdom",
        },
    })
}

/// An account as Keyback's own forms write it.
fn of_claims() -> Map<String, Value> {
    let mut account = json!({
        "sub": "old-id-7", "preferred_username": "ada", "name": "Ada Lovelace", "email": "ada@example.com",
        "email_verified": true, "phone_number": "+14155550123", "phone_number_verified": false,
        "created_at": 1_700_000_000, "updated_at": 1_700_000_001,
    });
    let account = account.as_object_mut().unwrap();
    account.append(everything().as_object_mut().unwrap());
    account.clone()
}

/// The same in columns.
fn columns() -> String {
    let mut account = of_claims();
    let address = account.remove("address").unwrap();
    for (part, value) in address.as_object().unwrap() {
        account.insert(format!("address.{part}"), value.clone());
    }
    let names: Vec<_> = account.keys().map(String::as_str).collect();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fields: Vec<_> = account
        .values()
        .map(|value| format!("\"{}\"", text(value)))
        .collect();
    format!("{}\r\n{}\r\n", names.join(","), fields.join(","))
}

/// Logto's profile: the names have humps, and the picture stands beside it.
fn of_logto(member: impl Fn(&'static str, &'static str) -> &'static str) -> Value {
    let mut account = json!({
        "id": "old-id-7", "username": "ada", "name": "Ada Lovelace", "avatar": "https://example.com/ada.jpg",
        "profile": {
            "givenName": "Ada", "familyName": "Lovelace", "middleName": "King", "nickname": "Countess",
            "profile": "https://example.com/ada", "website": "https://ada.example/", "gender": "female",
            "birthdate": "1815-12-10", "zoneinfo": "Europe/London", "locale": "en-GB",
            "address": {
                "formatted": "12 St James's Square\nLondon", "streetAddress": "12 St James's Square",
                "locality": "London", "region": "Greater London", "postalCode": "SW1Y 4JH",
                "country": "United Kingdom",
            },
        },
    });
    account[member("primaryEmail", "primary_email")] = json!("ada@example.com");
    account[member("primaryPhone", "primary_phone")] = json!("14155550123");
    account[member("createdAt", "created_at")] = json!(1_700_000_000_000_i64);
    account[member("updatedAt", "updated_at")] = json!(1_700_000_001_000_i64);
    account
}

#[tokio::test]
async fn oidc_core_5_1_every_standard_claim_arrives_from_every_form_of_file() {
    let claims = Value::from(of_claims());
    for (form, file, options, phone_verified) in [
        ("a line of JSON", claims.to_string(), JSON, false),
        ("a list in JSON", json!([claims]).to_string(), JSON, false),
        ("CSV", columns(), CSV, false),
        (
            "Logto's API",
            json!([of_logto(|of_api, _| of_api)]).to_string(),
            JSON,
            true,
        ),
        (
            "Logto's table",
            of_logto(|_, of_table| of_table).to_string(),
            JSON,
            true,
        ),
    ] {
        let bench = Bench::new().await;
        let report = bench.import(&file, options).await;
        assert_eq!(report.outcome, Outcome::Written, "{form}: {report:?}");
        let ada = bench.one().await;
        let profile: Value = serde_json::from_str(&ada.profile).unwrap();
        assert_eq!(profile, everything(), "{form}");
        assert_eq!(
            (ada.id.as_str(), ada.username.as_deref(), ada.name.as_deref()),
            ("old-id-7", Some("ada"), Some("Ada Lovelace")),
            "{form}"
        );
        assert_eq!(
            (ada.email.as_deref(), ada.email_verified),
            (Some("ada@example.com"), true),
            "{form}"
        );
        assert_eq!(
            (ada.phone.as_deref(), ada.phone_verified),
            (Some("+14155550123"), phone_verified),
            "{form}"
        );
        assert_eq!(
            (ada.created_at().as_secs(), ada.updated_at().as_secs()),
            (1_700_000_000, 1_700_000_001),
            "{form}"
        );
    }
}
