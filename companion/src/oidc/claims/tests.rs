//! Scopes × claims parameter × account, as a table.

use std::collections::BTreeSet;

use super::*;

const FULL: &str = r#"{"given_name":"Ada","family_name":"Lovelace","middle_name":"King","nickname":"Countess",
    "profile":"https://example.com/ada","picture":"https://example.com/ada.jpg","website":"https://ada.example/",
    "gender":"female","birthdate":"1815-12-10","zoneinfo":"Europe/London","locale":"en-GB",
    "address":{"formatted":"12 St James's Square","country":"United Kingdom"}}"#;

const OF_PROFILE: &str = "name family_name given_name middle_name nickname preferred_username username profile picture \
     website gender birthdate zoneinfo locale updated_at";

fn full() -> User {
    let mut user = bare();
    user.username = Some("ada".to_owned());
    user.email = Some("ada@example.com".to_owned());
    user.email_verified = true;
    user.phone = Some("+14155550123".to_owned());
    user.name = Some("Ada Lovelace".to_owned());
    FULL.clone_into(&mut user.profile);
    user
}

fn bare() -> User {
    User::for_test("ada123456789", Timestamp::from_millis(1_700_000_000_999))
}

fn given(place: Place, scope: &str, asked: &str, user: &User) -> Map<String, Value> {
    let person = Person {
        user,
        session_id: "the-sid",
        auth_time: Timestamp::from_millis(1_700_000_001_500),
        amr: "pwd",
    };
    let asked = ClaimsRequest::parse(asked).unwrap();
    released(place, &Scopes::from(scope.to_owned()), &asked, &person)
}

#[test]
fn oidc_core_5_4_and_5_5_what_is_released_as_a_table() {
    use Place::{IdToken, Userinfo};
    let both = r#"{"userinfo":{"email":null},"id_token":{"nickname":{"essential":true}}}"#;
    let ada = r#"{"userinfo":{"name":{"value":"Ada Lovelace"}}}"#;
    let eve = r#"{"userinfo":{"name":{"values":["Eve","Mallory"]}}}"#;
    let sign_in = r#"{"userinfo":{"auth_time":{"essential":true},"acr":null,"amr":null,"sid":null}}"#;
    let all = format!("{OF_PROFILE} email email_verified phone_number phone_number_verified address");
    for (place, scope, asked, user, expected) in [
        (Userinfo, "openid", "{}", full(), ""),
        (Userinfo, "openid profile", "{}", full(), OF_PROFILE),
        (Userinfo, "openid profile", "{}", bare(), "updated_at"),
        (Userinfo, "openid email", "{}", full(), "email email_verified"),
        (Userinfo, "openid email phone address", "{}", bare(), ""),
        (
            Userinfo,
            "openid phone",
            "{}",
            full(),
            "phone_number phone_number_verified",
        ),
        (Userinfo, "openid address", "{}", full(), "address"),
        (
            Userinfo,
            "openid profile email phone address offline_access",
            "{}",
            full(),
            all.as_str(),
        ),
        (
            IdToken,
            "openid profile email phone address",
            "{}",
            full(),
            all.as_str(),
        ),
        // By name, each at its own place.
        (Userinfo, "openid", both, full(), "email"),
        (IdToken, "openid", both, full(), "nickname"),
        (
            IdToken,
            "openid email",
            both,
            full(),
            "email email_verified nickname",
        ),
        (IdToken, "openid", both, bare(), ""),
        // With a value.
        (Userinfo, "openid", ada, full(), "name"),
        (Userinfo, "openid", eve, full(), ""),
        (Userinfo, "openid profile", eve, full(), OF_PROFILE),
        (Userinfo, "openid", sign_in, bare(), "auth_time acr amr sid"),
    ] {
        let given = given(place, scope, asked, &user);
        let given: BTreeSet<&str> = given.keys().map(String::as_str).collect();
        let expected: BTreeSet<&str> = expected.split_ascii_whitespace().chain(["sub"]).collect();
        assert_eq!(given, expected, "{place:?} {scope} {asked}");
    }
}

#[test]
fn oidc_core_5_1_the_values_have_their_types() {
    let asked = r#"{"userinfo":{"auth_time":null,"amr":null,"acr":null}}"#;
    let given = given(
        Place::Userinfo,
        "openid profile email phone address",
        asked,
        &full(),
    );
    let value = |name: &str| given[name].clone();
    assert_eq!(value("sub"), "ada123456789");
    assert_eq!(value("updated_at"), 1_700_000_000, "5.1: seconds");
    assert_eq!(value("auth_time"), 1_700_000_001);
    assert_eq!(
        (value("email_verified"), value("phone_number_verified")),
        (true.into(), false.into())
    );
    assert_eq!(value("address")["country"], "United Kingdom");
    assert_eq!((value("amr"), value("acr")), (vec!["pwd"].into(), "0".into()));
}

#[test]
fn oidc_discovery_3_all_claims_that_can_be_given_are_named_and_no_others() {
    let names = supported();
    let everything = {
        let asked: Map<String, Value> = KNOWN
            .iter()
            .map(|(name, _)| ((*name).to_owned(), Value::Null))
            .collect();
        serde_json::json!({ "userinfo": asked }).to_string()
    };
    let given = given(Place::Userinfo, "openid", &everything, &full());
    assert_eq!(
        given.len(),
        KNOWN.len(),
        "each known claim has a value for a full account"
    );
    for name in given.keys() {
        assert!(names.contains(&name.as_str()), "{name}");
    }
    let unique: BTreeSet<_> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
}
