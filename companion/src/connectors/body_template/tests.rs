use serde_json::json;

use super::*;

const HOSTILE: &str = "</x>\",\"to\":\"+15005550006\"}\\\r\n&to=1 %0a+'\u{2028}\u{202e}\u{1f511}";

fn values(text: &str) -> Values<'_> {
    Values {
        to: "+14155550123",
        text,
        code: Some("004217"),
        kind: "ForgotPassword",
        id: "job-1",
        from: None,
        app_name: text,
    }
}

fn rendered(source: &str, escaping: Escaping, values: &Values<'_>) -> String {
    let template = BodyTemplate::new(source, escaping).unwrap();
    template.render(values).unwrap().to_string()
}

/// SR-70: quotes, line ends and whole pieces of JSON stay inside their value.
#[test]
fn sr70_what_enters_json_stays_one_value() {
    let source = r#"{"to":{{ to }},"n":{{ to_digits }},"body":{{ text }},"code":{{ code }},"from":{{ from }},"list":[{{ id }},{{ type }}]}"#;
    let body = rendered(source, Escaping::Json, &values(HOSTILE));
    let read: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        read,
        json!({
            "to": "+14155550123", "n": "14155550123", "body": HOSTILE, "code": "004217", "from": null,
            "list": ["job-1", "ForgotPassword"],
        })
    );
}

#[test]
fn values_can_be_joined_and_asked_for() {
    let source = r#"{"text":{{ app_name ~ ": " ~ code }}{% if from %},"from":{{ from }}{% endif %}}"#;
    let body = rendered(source, Escaping::Json, &values("\"A\""));
    assert_eq!(body, r#"{"text":"\"A\": 004217"}"#);
}

/// No door beside the one: not by `safe`, not by a block that turns escaping off.
#[test]
fn sr70_no_template_goes_around_the_escaping() {
    assert!(BodyTemplate::new(r#"{"a":{{ text|safe }}}"#, Escaping::Json).is_err());
    let source = r#"{% autoescape false %}{"a":{{ text }}}{% endautoescape %}"#;
    let body = rendered(source, Escaping::Json, &values(HOSTILE));
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&body).unwrap()["a"],
        HOSTILE
    );
}

#[test]
fn quotes_around_a_value_and_unknown_names_are_told_at_the_start() {
    let quoted = BodyTemplate::new(r#"{"a":"{{ text }}"}"#, Escaping::Json).unwrap_err();
    assert!(quoted.to_string().contains("without quotes"), "{quoted}");
    // A value that is missing in some messages alone is tried out too.
    let unknown = BodyTemplate::new("{{ phone }}", Escaping::Plain).unwrap_err();
    assert!(unknown.to_string().contains("to_digits"), "{unknown}");
    for broken in ["{{ text", "{% if code %}", r#"{"a":1,}"#, "{{ text|upper }}"] {
        assert!(BodyTemplate::new(broken, Escaping::Json).is_err(), "{broken}");
    }
}

#[test]
fn forms_and_queries_are_percent_encoded() {
    let body = rendered(
        "to={{ to }}&text={{ text }}&from={{ from }}",
        Escaping::Url,
        &values(HOSTILE),
    );
    let read: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        read,
        [
            pair("to", "+14155550123"),
            pair("text", HOSTILE),
            pair("from", "")
        ]
    );
}

#[test]
fn xml_holds_its_values_and_plain_text_is_as_it_is() {
    let body = rendered(
        "<m to=\"{{ to }}\">{{ text }}</m>",
        Escaping::Xml,
        &values("a<b>\"&'\u{0}\u{b}\n"),
    );
    assert_eq!(body, "<m to=\"+14155550123\">a&lt;b&gt;&quot;&amp;&#39;\n</m>");
    assert_eq!(rendered("{{ text }}", Escaping::Plain, &values(HOSTILE)), HOSTILE);
}

#[test]
fn a_media_type_tells_how_values_are_written() {
    for (text, escaping) in [
        ("application/json", Some(Escaping::Json)),
        ("Application/JSON; charset=utf-8", Some(Escaping::Json)),
        ("application/vnd.api+json", Some(Escaping::Json)),
        ("application/x-www-form-urlencoded", Some(Escaping::Url)),
        ("text/xml", Some(Escaping::Xml)),
        ("application/soap+xml", Some(Escaping::Xml)),
        ("text/plain; charset=utf-8", Some(Escaping::Plain)),
        ("text/html", None),
        ("multipart/form-data", None),
        ("", None),
    ] {
        assert_eq!(Escaping::of_media_type(text), escaping, "{text}");
    }
}
