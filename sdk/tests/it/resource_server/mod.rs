//! Access tokens at an API: each rule broken on its own (RFC 9068 section 4), and what is answered (RFC 6750 section 3).

mod challenge;
mod introspection;
#[cfg(feature = "tower")]
mod layer;

use std::time::Duration;

use keyback::resource_server::{AccessToken, AccessTokenError, ResourceServer};
use keyback::{Algorithm, ConfigError, Error, Provider};
use serde_json::{Value, json};

use crate::provider::{CLIENT_ID, ISSUER, NOW, SUBJECT, Signer, World, checked};

pub(super) const API: &str = "https://orders.example";

/// An API of the world's provider.
pub(super) fn api(world: &World) -> ResourceServer {
    ResourceServer::builder(ISSUER, API)
        .http(world.provider.clone())
        .clock(world.clock.clone())
        .build()
        .unwrap()
}

pub(super) fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": API, "sub": SUBJECT, "client_id": CLIENT_ID, "jti": "token-1",
        "iat": NOW, "exp": NOW + 3600, "scope": "read:orders write:orders",
    })
}

pub(super) fn signed(world: &World, claims: &Value) -> String {
    typed(&world.provider.lock().signer.clone(), "at+jwt", claims)
}

fn typed(signer: &Signer, typ: &str, claims: &Value) -> String {
    let header = json!({ "alg": signer.algorithm.as_str(), "kid": signer.key_id, "typ": typ });
    signer.sign_with_header(&header, claims)
}

async fn verify(world: &World, token: &str) -> Result<AccessToken, AccessTokenError> {
    match checked(api(world).verify(token).await) {
        Ok(token) => Ok(token),
        Err(Error::AccessToken(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_token_tells_who_what_and_until_when() {
    let world = World::new();
    let token = verify(&world, &signed(&world, &claims())).await.unwrap();
    assert_eq!((token.subject(), token.client_id()), (SUBJECT, CLIENT_ID));
    assert_eq!(
        token.scopes().collect::<Vec<_>>(),
        ["read:orders", "write:orders"]
    );
    assert!(token.has_scope("read:orders") && !token.has_scope("read") && !token.is_apps_own());
    assert_eq!(token.token_id(), Some("token-1"));
    let life = token
        .expires_at()
        .unwrap()
        .duration_since(token.issued_at().unwrap());
    assert_eq!(life.unwrap(), Duration::from_secs(3600));
    assert_eq!(
        (token.organization_id(), token.get("scope").is_some()),
        (None, true)
    );
    assert!(!format!("{token:?}").contains(SUBJECT));

    let mut machine = claims();
    machine["sub"] = json!(CLIENT_ID);
    machine["scope"] = json!("");
    let token = verify(&world, &signed(&world, &machine)).await.unwrap();
    assert!(token.is_apps_own() && token.scopes().next().is_none());
}

#[tokio::test]
async fn rfc9068_4_every_rule_that_is_broken_is_named() {
    use AccessTokenError::{BoundToKey, Expired, FromTheFuture, Malformed, WrongAudience, WrongIssuer};
    let world = World::new();
    let seconds = Duration::from_secs;
    let null = Value::Null;
    let cases = [
        ("iss", json!("https://evil.example/oidc"), WrongIssuer),
        ("iss", json!(format!("{ISSUER}/")), WrongIssuer),
        ("iss", null.clone(), Malformed),
        ("aud", json!("https://orders.example/"), WrongAudience),
        ("aud", json!("https://orders.example.evil"), WrongAudience),
        ("aud", json!(CLIENT_ID), WrongAudience),
        ("aud", json!(["https://mail.example"]), WrongAudience),
        ("aud", json!([]), WrongAudience),
        ("aud", json!("urn:logto:organization:o1"), WrongAudience),
        ("aud", null.clone(), Malformed),
        ("sub", null.clone(), Malformed),
        ("sub", json!(""), Malformed),
        ("sub", json!("a".repeat(256)), Malformed),
        ("client_id", null.clone(), Malformed),
        ("client_id", json!(["my-app"]), Malformed),
        ("exp", json!(NOW - 61), Expired { ago: seconds(61) }),
        ("exp", null.clone(), Malformed),
        ("exp", json!("tomorrow"), Malformed),
        ("exp", json!(1e300), Malformed),
        ("iat", json!(NOW + 61), FromTheFuture { ahead: seconds(61) }),
        ("iat", null.clone(), Malformed),
        ("nbf", json!(NOW + 61), FromTheFuture { ahead: seconds(61) }),
        ("cnf", json!({ "jkt": "a" }), BoundToKey),
    ];
    for (claim, value, expected) in cases {
        let mut forged = claims();
        forged[claim] = value.clone();
        let error = verify(&world, &signed(&world, &forged)).await.unwrap_err();
        assert_eq!(error, expected, "{claim}: {value}");
    }
    // Within the drift that is tolerated, and among others.
    for (claim, value) in [
        ("exp", json!(NOW - 59)),
        ("iat", json!(NOW + 59)),
        ("nbf", json!(NOW + 59)),
        ("aud", json!(["https://mail.example", API])),
        ("cnf", null),
    ] {
        let mut good = claims();
        good[claim] = value;
        verify(&world, &signed(&world, &good)).await.unwrap();
    }
}

#[tokio::test]
async fn a_token_of_another_kind_opens_nothing() {
    let world = World::new();
    let signer = world.provider.lock().signer.clone();
    for (typ, is_one) in [
        ("at+jwt", true),
        ("AT+JWT", true),
        ("application/at+jwt", true),
        ("JWT", false),
        ("logout+jwt", false),
        ("application/json", false),
        ("", false),
    ] {
        let outcome = verify(&world, &typed(&signer, typ, &claims())).await;
        assert_eq!(outcome.is_ok(), is_one, "{typ}");
        assert!(is_one || outcome.unwrap_err() == AccessTokenError::WrongType);
    }
    let without = signer.sign(&claims());
    assert_eq!(
        verify(&world, &without).await.unwrap_err(),
        AccessTokenError::WrongType
    );
    for header in [json!({ "crit": ["b64"] }), json!({ "cty": "JWT" })] {
        let mut whole = json!({ "alg": "ES384", "kid": "key-1", "typ": "at+jwt" });
        whole
            .as_object_mut()
            .unwrap()
            .extend(header.as_object().unwrap().clone());
        let error = verify(&world, &signer.sign_with_header(&whole, &claims())).await;
        assert_eq!(error.unwrap_err(), AccessTokenError::UnsupportedHeader);
    }
    // An ID token, and the opaque token of the same sign-in.
    let session = world.sign_in().await.unwrap();
    for token in [session.id_token(), session.access_token()] {
        assert!(verify(&world, token).await.is_err());
    }
}

/// Logto's profile takes the plain type too. What an ID token lacks tells it apart: the client, and the API in `aud`.
#[tokio::test]
async fn logtos_plain_type_lets_no_id_token_in() {
    let world = World::new();
    let signer = world.provider.lock().signer.clone();
    let logto = ResourceServer::builder(ISSUER, API)
        .provider(Provider::Logto)
        .http(world.provider.clone())
        .clock(world.clock.clone())
        .build()
        .unwrap();
    logto.verify(&typed(&signer, "JWT", &claims())).await.unwrap();
    let id_token = json!({
        "iss": ISSUER, "aud": API, "sub": SUBJECT, "nonce": "n", "iat": NOW, "exp": NOW + 3600,
    });
    let error = checked(logto.verify(&typed(&signer, "JWT", &id_token)).await).unwrap_err();
    assert!(matches!(error, Error::AccessToken(AccessTokenError::Malformed)));
}

#[tokio::test]
async fn an_organizations_token_is_taken_where_it_is_asked_for() {
    let world = World::new();
    let organizations = ResourceServer::builder(ISSUER, API)
        .organization_tokens()
        .http(world.provider.clone())
        .clock(world.clock.clone())
        .build()
        .unwrap();
    let with = |aud: Value| {
        let mut of = claims();
        of["aud"] = aud;
        signed(&world, &of)
    };
    let token = organizations
        .verify(&with(json!("urn:logto:organization:o1")))
        .await
        .unwrap();
    assert_eq!(token.organization_id(), Some("o1"));
    for refused in [
        json!("urn:logto:organization:"),
        json!("urn:logto:organizations:o1"),
        json!(["urn:logto:organization:o1", "urn:logto:organization:o2"]),
    ] {
        let error = checked(organizations.verify(&with(refused)).await).unwrap_err();
        assert!(matches!(
            error,
            Error::AccessToken(AccessTokenError::WrongAudience)
        ));
    }
    // An API's own token names its organization in a claim.
    let mut of = claims();
    of["organization_id"] = json!("o3");
    let token = organizations.verify(&signed(&world, &of)).await.unwrap();
    assert_eq!(token.organization_id(), Some("o3"));
}

#[tokio::test]
async fn every_algorithm_is_checked_and_others_are_refused() {
    for algorithm in Algorithm::ALL {
        let world = World::new();
        let signer = Signer::new(algorithm, "other");
        world.provider.lock().keys = vec![signer.jwk()];
        let api = ResourceServer::builder(ISSUER, API)
            .algorithms([algorithm])
            .http(world.provider.clone())
            .clock(world.clock.clone())
            .build()
            .unwrap();
        let token = typed(&signer, "at+jwt", &claims());
        api.verify(&token).await.unwrap();
        let mut forged = token.clone();
        let last = forged.pop().unwrap();
        forged.push(if last == 'A' { 'Q' } else { 'A' });
        let error = checked(api.verify(&forged).await).unwrap_err();
        let Error::AccessToken(error) = error else {
            panic!("{error}")
        };
        assert!(matches!(
            error,
            AccessTokenError::BadSignature | AccessTokenError::Malformed
        ));
    }
    let world = World::new();
    let signer = world.provider.lock().signer.clone();
    for (alg, expected) in [
        ("none", AccessTokenError::Unsigned),
        ("nOnE", AccessTokenError::Unsigned),
        (
            "HS256",
            AccessTokenError::AlgorithmRefused {
                algorithm: "HS256".to_owned(),
            },
        ),
        (
            "ES512",
            AccessTokenError::AlgorithmRefused {
                algorithm: "ES512".to_owned(),
            },
        ),
        ("ES256", AccessTokenError::UnknownKey),
    ] {
        let header = json!({ "alg": alg, "kid": "key-1", "typ": "at+jwt" });
        let token = signer.sign_with_header(&header, &claims());
        assert_eq!(verify(&world, &token).await.unwrap_err(), expected, "{alg}");
    }
    let empty = format!("{}.", signed(&world, &claims()).rsplit_once('.').unwrap().0);
    assert_eq!(
        verify(&world, &empty).await.unwrap_err(),
        AccessTokenError::BadSignature
    );
}

#[tokio::test]
async fn a_new_key_is_found_and_the_keys_are_the_clients() {
    let world = World::new();
    world.sign_in().await.unwrap();
    let api = world.client.resource_server(API).build().unwrap();
    let next = Signer::new(Algorithm::Es256, "key-2");
    api.verify(&signed(&world, &claims())).await.unwrap();
    assert_eq!(
        world.provider.requests("/oidc/jwks"),
        1,
        "the client had them already"
    );
    world.provider.lock().keys.push(next.jwk());
    api.verify(&typed(&next, "at+jwt", &claims())).await.unwrap();
    assert_eq!(world.provider.requests("/oidc/jwks"), 2);
    // Made-up key ids cost no further request.
    for number in 0..20 {
        let unknown = next.renamed(&format!("made up {number}"));
        let error = checked(api.verify(&typed(&unknown, "at+jwt", &claims())).await).unwrap_err();
        assert!(matches!(error, Error::AccessToken(AccessTokenError::UnknownKey)));
    }
    assert_eq!(world.provider.requests("/oidc/jwks"), 2);
}

/// What is for somebody else costs neither a signature nor a fetch of keys.
#[tokio::test]
async fn a_strangers_token_costs_no_request() {
    let world = World::new();
    let api = api(&world);
    let mut foreign = claims();
    foreign["iss"] = json!("https://evil.example");
    for token in [
        signed(&world, &foreign),
        "a.b.c".to_owned(),
        String::new(),
        "x".repeat(17 * 1024),
        format!("{}.more", signed(&world, &claims())),
    ] {
        assert!(checked(api.verify(&token).await).is_err());
    }
    assert_eq!(world.provider.requests("/oidc/jwks"), 0);
}

#[tokio::test]
async fn a_verified_token_is_remembered_for_as_long_as_it_is_good() {
    let world = World::new();
    let api = api(&world);
    let mut short = claims();
    short["exp"] = json!(NOW + 60);
    let token = signed(&world, &short);
    api.verify(&token).await.unwrap();
    world.clock.advance(Duration::from_secs(119));
    api.verify(&token).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    let error = checked(api.verify(&token).await).unwrap_err();
    assert!(
        matches!(error, Error::AccessToken(AccessTokenError::Expired { .. })),
        "{error}"
    );
}

/// A key that was withdrawn, as after a theft, opens nothing for long.
#[tokio::test]
async fn a_remembered_token_does_not_outlive_its_key_for_long() {
    let world = World::new();
    let api = api(&world);
    let token = signed(&world, &claims());
    world.provider.lock().cache_control = Some("max-age=300");
    api.verify(&token).await.unwrap();
    world.provider.lock().keys = vec![Signer::new(Algorithm::Es384, "other").jwk()];
    world.clock.advance(Duration::from_secs(299));
    api.verify(&token).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    let error = checked(api.verify(&token).await).unwrap_err();
    assert!(
        matches!(error, Error::AccessToken(AccessTokenError::UnknownKey)),
        "{error}"
    );
}

#[test]
fn settings_that_can_not_work_are_refused() {
    for audience in ["orders", "", "https://orders.example/#top"] {
        let error = ResourceServer::builder(ISSUER, audience).build().unwrap_err();
        assert!(
            matches!(error, Error::Config(ConfigError::AudienceNotUri)),
            "{audience}"
        );
    }
    let insecure = ResourceServer::builder("http://id.example", API)
        .build()
        .unwrap_err();
    assert!(matches!(insecure, Error::Config(ConfigError::IssuerInsecure)));
    let shared = World::new()
        .client
        .resource_server(API)
        .leeway(Duration::ZERO)
        .build();
    assert!(matches!(
        shared.unwrap_err(),
        Error::Config(ConfigError::SharedClient)
    ));
}
