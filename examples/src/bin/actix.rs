//! A site on actix-web, which has `http` types of its own: `Site` works on those of the `http` crate, and two small functions
//! translate.
//!
//! ```text
//! cargo run --release --bin keyback -- demo
//! KEYBACK_CLIENT_SECRET=… cargo run -p keyback-examples --bin actix
//! ```

use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use anyhow::Context as _;
use keyback::bytes::Bytes;
use keyback::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use keyback::http::{Request, Response};
use keyback::{Client, Random as _, Site, SystemRandom};

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    let setting = |name, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let site = setting("SITE_URL", "http://localhost:8080");
    let secret = std::env::var("KEYBACK_CLIENT_SECRET")
        .context("set KEYBACK_CLIENT_SECRET to the secret that the demo prints for demo-web")?;
    let client = Client::builder(
        setting("KEYBACK_ISSUER", "http://localhost:3001/oidc"),
        "demo-web",
    )
    .client_secret(secret)
    .redirect_uri(format!("{site}/callback"))
    .build()?;
    let mut key = [0; 32];
    SystemRandom.fill(&mut key)?;
    let auth = Site::builder(client, key).signed_out("/").build()?;
    let app = move || {
        App::new()
            .app_data(web::Data::new(auth.clone()))
            .route("/", web::get().to(home))
            .default_service(web::to(routes))
    };
    let server = HttpServer::new(app)
        .workers(1)
        .bind(site.trim_start_matches("http://"))?;
    println!("Open {site}");
    Ok(server.run().await?)
}

/// Sign-in, "Forgot password?", callback, sign-out and back-channel logout.
async fn routes(site: web::Data<Site>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let Ok(request) = translate(&request, body) else {
        return HttpResponse::BadRequest().finish();
    };
    match site.answer(&request).await {
        Some(answer) => translate_back(answer),
        None => HttpResponse::NotFound().finish(),
    }
}

async fn home(site: web::Data<Site>, request: HttpRequest) -> HttpResponse {
    let visit = site.visit(&headers(&request));
    let html = match visit.signed_in().await {
        Ok(Some(person)) => format!(
            "Hello, {}. <form method=post action=/sign-out><button>Sign out</button></form>",
            person.subject()
        ),
        Ok(None) => "<a href=/sign-in>Sign in</a> <a href=/forgot-password>Forgot password?</a>".to_owned(),
        Err(error) => {
            eprintln!("{}: {error}", error.code());
            return HttpResponse::ServiceUnavailable().finish();
        }
    };
    let mut answer = Response::new(Bytes::from(html));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    visit.finish(headers);
    translate_back(answer)
}

fn translate(request: &HttpRequest, body: Bytes) -> keyback::http::Result<Request<Bytes>> {
    let mut translated = Request::builder()
        .method(request.method().as_str())
        .uri(request.uri().to_string())
        .body(body)?;
    *translated.headers_mut() = headers(request);
    Ok(translated)
}

fn headers(request: &HttpRequest) -> HeaderMap {
    let pairs = request.headers().iter().filter_map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
        Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))
    });
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(name, value);
    }
    headers
}

fn translate_back(answer: Response<Bytes>) -> HttpResponse {
    let (head, body) = answer.into_parts();
    let status = StatusCode::from_u16(head.status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut translated = HttpResponse::build(status);
    for (name, value) in &head.headers {
        translated.append_header((name.as_str(), value.as_bytes()));
    }
    translated.body(body)
}
