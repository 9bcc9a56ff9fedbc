//! `keyback doctor`: what an OpenID provider can do for a relying party of the SDK, and what is to be mended.

mod documents;
mod report;
mod requests;

use std::sync::Arc;

use anyhow::{Result, bail};
use keyback::{Client, HttpTransport, Provider, ReqwestTransport};

use self::documents::Metadata;
use self::report::Report;

/// The app that asks is nobody's: metadata and keys are told to anybody.
const NOBODY: (&str, &str) = ("keyback-doctor", "http://localhost/callback");

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// The provider's issuer, such as https://tenant.logto.app/oidc
    #[arg(long)]
    issuer: String,
    /// The id of an app of yours, to try its redirect URI and the reset page
    #[arg(long, requires = "redirect_uri")]
    client_id: Option<String>,
    /// A redirect URI that the app has registered
    #[arg(long, requires = "client_id")]
    redirect_uri: Option<String>,
}

/// Asks the provider what a sign-in would ask, without signing anybody in. It fails where something is to be mended.
pub(super) async fn run(args: DoctorArgs) -> Result<()> {
    let http: Arc<dyn HttpTransport> = Arc::new(ReqwestTransport::new()?);
    let mut report = Report::default();
    examine(&args, http, &mut report).await;
    report.print();
    match report.to_mend() {
        0 => Ok(()),
        1 => bail!("one thing is to be mended"),
        several => bail!("{several} things are to be mended"),
    }
}

async fn examine(args: &DoctorArgs, http: Arc<dyn HttpTransport>, report: &mut Report) {
    let Some(metadata) = documents::examine(&args.issuer, &*http, report).await else {
        return;
    };
    let app = args.client_id.as_deref().zip(args.redirect_uri.as_deref());
    let (client_id, redirect_uri) = app.unwrap_or(NOBODY);
    let client = Client::builder(&args.issuer, client_id)
        .redirect_uri(redirect_uri)
        .provider(profile(&args.issuer, &metadata))
        .http(Arc::clone(&http))
        // A client that may not have them is not ill.
        .without_reserved_scopes()
        .build();
    let client = match client {
        Ok(client) => client,
        Err(error) => return report.mend("settings", error.to_string()),
    };
    documents::examine_keys(&client, &metadata, report).await;
    documents::examine_offers(&metadata, report);
    match app {
        Some(_) => requests::examine(&client, &*http, report).await,
        None => report.note(
            "redirect URI, reset page",
            "not tried: give --client-id and --redirect-uri of an app".to_owned(),
        ),
    }
}

/// Which spelling of the reset screen is tried.
fn profile(issuer: &str, metadata: &Metadata) -> Provider {
    if metadata.lists_screens() {
        Provider::Keyback
    } else if issuer.ends_with("/oidc") {
        Provider::Logto
    } else {
        Provider::Generic
    }
}
