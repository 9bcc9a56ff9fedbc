//! How a site that signs in with Keyback is tested: the site as it is, the provider of the feature `testkit`, and no network. Copy it.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use keyback::testkit::{Browser, Misbehaviour, Person, TestProvider, in_process};
use keyback::{Client, SignedIn, Site};

/// The site that is tested: in earnest its client comes from the configuration.
fn site(client: Client) -> anyhow::Result<Router> {
    let auth = Site::builder(client, [7; 32]).build()?;
    let orders = async |person: SignedIn| match person.access_token(None, None).await {
        Ok(_token) => Ok(format!("the orders of {}", person.subject())),
        Err(_) => Err(StatusCode::SERVICE_UNAVAILABLE),
    };
    Ok(Router::new().route("/orders", get(orders)).layer(auth))
}

/// The site, and a browser of Ada's in front of it.
fn started() -> anyhow::Result<(TestProvider, Browser)> {
    let provider = TestProvider::new()?;
    let client = provider.client("shop", "https://shop.example/callback").build()?;
    let browser = provider.browser(in_process(site(client)?), "https://shop.example", &ada())?;
    Ok((provider, browser))
}

fn ada() -> Person {
    Person::new("ada").email("ada@example.com")
}

#[tokio::test]
async fn who_wants_the_orders_signs_in_and_comes_back_to_them() -> anyhow::Result<()> {
    let (_provider, mut browser) = started()?;
    assert_eq!(browser.open("/orders").await?.body, "the orders of ada");
    Ok(())
}

#[tokio::test]
async fn the_session_outlives_its_first_access_token() -> anyhow::Result<()> {
    let (provider, mut browser) = started()?;
    browser.open("/orders").await?;
    provider.clock().advance(Duration::from_secs(2 * 3600));
    assert_eq!(browser.open("/orders").await?.body, "the orders of ada");
    // The code's request, and the refresh.
    assert_eq!(provider.requests("/oidc/token"), 2);
    Ok(())
}

#[tokio::test]
async fn a_session_that_ends_at_the_provider_ends_here() -> anyhow::Result<()> {
    let provider = TestProvider::new()?;
    let client = provider.client("shop", "https://shop.example/callback").build()?;
    let app = in_process(site(client)?);
    let mut browser = provider.browser(app.clone(), "https://shop.example", &ada())?;
    browser.open("/orders").await?;
    let told = "https://shop.example/backchannel-logout";
    let answered = provider.sign_out_everywhere(&*app, told, "shop", &ada()).await?;
    assert_eq!(answered, 200);
    // The next who comes is somebody else: Ada's cookie opens nothing.
    browser.person_is(Person::new("grace"));
    assert_eq!(browser.open("/orders").await?.body, "the orders of grace");
    Ok(())
}

#[tokio::test]
async fn nobody_is_signed_in_by_a_provider_that_misbehaves() -> anyhow::Result<()> {
    use Misbehaviour as M;
    for how in [
        M::ForeignIssuerInCallback,
        M::ForeignState,
        M::AccessDenied,
        M::Unsigned,
        M::HmacWithPublicKey,
        M::ForeignNonce,
        M::Expired,
        M::Huge,
        M::Slow(Duration::from_secs(60)),
        M::Down,
    ] {
        let (provider, mut browser) = started()?;
        provider.misbehave(how.clone());
        let page = browser.open("/orders").await?;
        assert!(
            page.status.is_client_error() || page.status.is_server_error(),
            "{how:?}"
        );
        assert!(!page.body.contains("ada"), "{how:?}");
        // It was no lasting harm: the next try signs in.
        provider.behave();
        provider.clock().advance(Duration::from_secs(600));
        assert_eq!(
            browser.open("/orders").await?.body,
            "the orders of ada",
            "{how:?}"
        );
    }
    Ok(())
}
