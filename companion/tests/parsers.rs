//! Every parser that the outside meets first, under input that nobody thought of (SR-10, SR-7, SR-11).

#![expect(clippy::unwrap_used, reason = "tests fail where they stand")]

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use keyback_companion::config::server::ForwardedHeader;
use keyback_companion::http::client_ip::client_ip;
use keyback_companion::http::cookies::Cookies;
use keyback_companion::http::csrf;
use keyback_companion::http::encoding::accepts_gzip;
use keyback_companion::http::forms::{Fields, FieldsError, MOST_FIELDS, Pairs};
use keyback_companion::http::host::HostGuard;
use keyback_companion::oidc::claims::ClaimsRequest;
use keyback_companion::oidc::device::UserCode;
use keyback_core::identifier::Identifier;
use keyback_core::one_time_code::OneTimeCode;
use keyback_core::secret::FreezeToken;
use proptest::prelude::*;
use url::Url;

/// Bytes of forms: mostly what means something there.
fn form_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[a-c]{0,3}".prop_map(String::into_bytes),
        2 => prop::sample::select(vec![&b"&"[..], b"=", b"+", b"%", b"%4", b"%zz", b"%00", b"%41", b"%c3", b"%a9", b"%26", b"[]"]).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// What a header may hold.
fn header_value() -> impl Strategy<Value = HeaderValue> {
    let bytes = prop::collection::vec(prop_oneof![32_u8..127, 128_u8..=255], 0..60);
    bytes.prop_map(|bytes| HeaderValue::from_bytes(&bytes).unwrap())
}

fn headers(name: &HeaderName, values: Vec<HeaderValue>) -> HeaderMap {
    values.into_iter().map(|value| (name.clone(), value)).collect()
}

/// Addresses as proxies write them, and what a client may invent.
fn hop() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<IpAddr>().prop_map(|address| address.to_string()),
        any::<(IpAddr, u16)>().prop_map(|(address, port)| SocketAddr::new(address, port).to_string()),
        "[ -~&&[^,]]{0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// As the URL standard reads it, or not at all.
    #[test]
    fn sr10_a_form_is_read_as_others_read_it_or_refused(bytes in form_bytes()) {
        let standard: Vec<_> = url::form_urlencoded::parse(&bytes).into_owned().collect();
        match Pairs::parse(&bytes, |_, _| true) {
            Ok(pairs) => {
                let ours: Vec<_> = pairs.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                prop_assert_eq!(&ours, &standard);
                for (name, _) in &standard {
                    let by_name: Vec<_> = standard.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect();
                    prop_assert_eq!(pairs.all(name).collect::<Vec<_>>(), by_name);
                }
            }
            // The standard puts the replacement character where bytes are no text.
            Err(_) => {
                let is_replaced = |text: &String| text.contains('\u{fffd}');
                let replaced = standard.iter().any(|(name, value)| is_replaced(name) || is_replaced(value));
                prop_assert!(replaced || standard.len() > MOST_FIELDS);
            }
        }
    }

    #[test]
    fn sr10_of_a_query_every_field_is_one_text(bytes in form_bytes()) {
        let Ok(query) = String::from_utf8(bytes) else { return Ok(()) };
        let standard: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let names: HashSet<_> = standard.iter().map(|(name, _)| name).collect();
        match Fields::from_query(Some(&query)) {
            Ok(fields) => {
                prop_assert_eq!(names.len(), standard.len(), "a field that comes twice");
                for (name, value) in &standard {
                    prop_assert_eq!(fields.one(name), Some(value.as_str()).filter(|value| !value.is_empty()));
                    prop_assert!(!name.contains('\0') && !value.contains('\0'));
                }
            }
            Err(FieldsError::Repeated) => prop_assert!(names.len() < standard.len()),
            Err(FieldsError::Nul) => prop_assert!(standard.iter().any(|(name, value)| name.contains('\0') || value.contains('\0'))),
            Err(FieldsError::ContentType) => prop_assert!(false, "a query has no content type"),
            Err(FieldsError::NotAForm(_)) => {}
        }
    }

    /// What was sent comes back, whatever else the browser has; one that somebody else set beside it is not believed.
    #[test]
    fn sr65_a_cookie_is_read_back_or_nobody_is_believed(
        value in "[A-Za-z0-9_.-]{1,80}",
        junk in prop::collection::vec(header_value(), 0..5),
        https in any::<bool>(),
        twice in any::<bool>(),
    ) {
        let url = if https { "https://id.example" } else { "http://localhost:3001" };
        let cookies = Cookies::for_url(&Url::parse(url).unwrap());
        let set = cookies.set("kb_session", &value, Some(Duration::from_secs(60)));
        let pair = HeaderValue::from_str(set.to_str().unwrap().split(';').next().unwrap()).unwrap();
        let others = junk.iter().filter(|junk| !junk.as_bytes().windows(10).any(|part| part == b"kb_session"));
        let mut all: Vec<_> = others.cloned().chain([pair.clone()]).collect();
        let sent = headers(&header::COOKIE, all.clone());
        prop_assert_eq!(cookies.read(&sent, "kb_session"), Some(value.as_str()));
        if twice {
            all.insert(0, pair);
            let sent = headers(&header::COOKIE, all);
            prop_assert_eq!(cookies.read(&sent, "kb_session"), None);
        }
    }

    #[test]
    fn cookies_of_nobody_are_none(junk in prop::collection::vec(header_value(), 0..5)) {
        let cookies = Cookies::for_url(&Url::parse("http://localhost:3001").unwrap());
        let headers = headers(&header::COOKIE, junk);
        if let Some(value) = cookies.read(&headers, "a") {
            prop_assert!(!value.contains(';'));
        }
        prop_assert!(cookies.names(&headers, "kb_").iter().all(|name| name.starts_with("kb_")));
    }

    /// Whoever is no proxy of ours counts for itself, whatever it says.
    #[test]
    fn sr07_no_header_makes_somebody_else_of_a_stranger(
        peer in any::<(IpAddr, u16)>(),
        values in prop::collection::vec(header_value(), 0..4),
        hops in prop::collection::vec(hop(), 0..6),
    ) {
        let peer = SocketAddr::from(peer);
        let mut values = values;
        values.extend(HeaderValue::from_str(&hops.join(",")));
        for (name, kind) in [
            ("x-forwarded-for", ForwardedHeader::XForwardedFor),
            ("forwarded", ForwardedHeader::Forwarded),
        ] {
            let headers = headers(&HeaderName::from_static(name), values.clone());
            prop_assert_eq!(client_ip(peer, &headers, &[], kind), peer.ip().to_canonical());
        }
    }

    /// Behind one proxy of ours the address is the one that it wrote, whatever the client invented before.
    #[test]
    fn sr07_behind_a_proxy_what_the_client_invents_is_not_believed(
        client in any::<IpAddr>().prop_filter("one that is no proxy", |address| match address.to_canonical() {
            IpAddr::V4(address) => address.octets()[0] != 10,
            IpAddr::V6(_) => true,
        }),
        invented in prop::collection::vec(hop(), 0..6),
        junk in prop::collection::vec(header_value(), 0..3),
    ) {
        let proxy = SocketAddr::from(([10, 0, 0, 1], 4_711));
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let written = |entry: String| {
            let list: Vec<_> = invented.iter().cloned().chain([entry]).collect();
            let last = HeaderValue::from_str(&list.join(", ")).unwrap();
            junk.iter().cloned().chain([last]).collect::<Vec<_>>()
        };
        let x_forwarded_for = headers(&HeaderName::from_static("x-forwarded-for"), written(client.to_string()));
        prop_assert_eq!(client_ip(proxy, &x_forwarded_for, &trusted, ForwardedHeader::XForwardedFor), client.to_canonical());
        let node = match client {
            IpAddr::V4(address) => format!("for={address}"),
            IpAddr::V6(address) => format!("for=\"[{address}]\""),
        };
        let forwarded = headers(&HeaderName::from_static("forwarded"), written(node));
        prop_assert_eq!(client_ip(proxy, &forwarded, &trusted, ForwardedHeader::Forwarded), client.to_canonical());
    }

    #[test]
    fn sr07_no_other_host_is_answered(values in prop::collection::vec(header_value(), 0..3), port in any::<u16>()) {
        let guard = HostGuard::new(&Url::parse("https://id.example").unwrap());
        let own = |value: &HeaderValue| ["id.example", "id.example:443"].iter().any(|own| value.as_bytes().eq_ignore_ascii_case(own.as_bytes()));
        let admitted = guard.admits(&Uri::from_static("/"), &headers(&header::HOST, values.clone()));
        prop_assert_eq!(admitted, values.len() == 1 && own(&values[0]));
        let with_port = HeaderValue::from_str(&format!("id.example:{port}")).unwrap();
        prop_assert_eq!(guard.admits(&Uri::from_static("/"), &headers(&header::HOST, vec![with_port])), port == 443);
    }

    /// An address or a number of any script and length is one normal form, or none.
    #[test]
    fn sr11_any_text_is_one_identifier_or_none(text in prop_oneof!["\\PC{0,40}", "(?s).{0,400}", "[+0-9 ()@.x-]{0,30}"]) {
        if let Ok(identifier) = Identifier::parse(&text) {
            prop_assert_eq!(&Identifier::parse(identifier.as_str()).unwrap(), &identifier);
            prop_assert!(identifier.as_str().chars().all(|c| !c.is_control() && !c.is_whitespace()));
        }
    }

    #[test]
    fn sr16_a_code_is_six_digits_or_none(text in prop_oneof!["(?s).{0,40}", "[0-9 -]{0,12}"]) {
        if OneTimeCode::parse(&text).is_ok() {
            prop_assert_eq!(text.chars().filter(|c| c.is_numeric()).count(), 6);
        }
    }

    /// Only what a browser says of our own pages passes.
    #[test]
    fn sr66_no_other_site_passes_for_our_own(
        site in prop::option::of(header_value()),
        origins in prop::collection::vec(prop_oneof![3 => header_value(), 1 => Just(HeaderValue::from_static("https://id.example"))], 0..3),
    ) {
        let mut sent = headers(&header::ORIGIN, origins.clone());
        sent.extend(site.clone().map(|site| (HeaderName::from_static("sec-fetch-site"), site)));
        let ours = match site {
            Some(site) => site == "same-origin",
            None => origins.len() == 1 && origins[0] == "https://id.example",
        };
        let verdict = csrf::check(&Method::POST, "/sign-in", &sent, &Url::parse("https://id.example").unwrap());
        prop_assert_eq!(verdict == csrf::Origin::Ours, ours);
    }

    /// Gzip goes to whoever names it, and to nobody who refuses it by name, whatever else a header holds.
    #[test]
    fn rfc9110_12_5_3_gzip_goes_to_who_takes_it(junk in header_value(), weight in 0..=1_000_u16) {
        let names_none = !junk.as_bytes().to_ascii_lowercase().windows(4).any(|part| part == b"gzip") && !junk.as_bytes().contains(&b'*');
        prop_assume!(names_none);
        let own = HeaderValue::from_str(&format!("gzip;q={}", f32::from(weight) / 1_000.0)).unwrap();
        prop_assert!(!accepts_gzip(&headers(&header::ACCEPT_ENCODING, vec![junk.clone()])));
        for both in [vec![junk.clone(), own.clone()], vec![own, junk]] {
            prop_assert_eq!(accepts_gzip(&headers(&header::ACCEPT_ENCODING, both)), weight > 0);
        }
    }

    /// As a device shows it, in whatever case and groups it is typed; and of other text what is read is what is shown.
    #[test]
    fn rfc8628_6_1_a_user_code_is_read_as_it_is_shown(text in prop_oneof!["(?s).{0,20}", "[A-Za-z -]{0,12}", "[bcdfghjklmnpqrstvwxz]{8}"]) {
        if let Some(code) = UserCode::parse(&text) {
            let shown = code.to_string();
            prop_assert!(UserCode::parse(&shown) == Some(code));
            let letters = |text: &str| text.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_ascii_uppercase();
            prop_assert_eq!(letters(&text), letters(&shown));
            prop_assert_eq!(shown.len(), 9);
        }
    }

    /// JSON in a parameter: claims by name, or refused.
    #[test]
    fn oidc_core_5_5_a_request_for_claims_is_read_or_refused(text in prop_oneof!["(?s).{0,60}", "[{}\\[\\]\",:a-z0-9 ]{0,60}"]) {
        let is_object = serde_json::from_str::<serde_json::Value>(&text).is_ok_and(|json| json.is_object());
        if ClaimsRequest::parse(&text).is_ok() {
            prop_assert!(is_object, "{}", text);
        }
    }

    /// The secret of a notice's link has one spelling.
    #[test]
    fn sr59_what_is_read_of_a_link_is_what_stands_there(text in prop_oneof!["(?s).{0,60}", "[A-Za-z0-9_-]{22}", "[A-Za-z0-9_-]{43}"]) {
        if let Ok(token) = FreezeToken::parse(&text) {
            prop_assert!(token.reveal().as_str() == text);
            prop_assert!(matches!(text.len(), 22 | 43));
        }
    }
}
