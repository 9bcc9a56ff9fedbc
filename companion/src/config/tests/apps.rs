//! `[[app]]` and `[[resource]]`.

use super::*;

#[test]
fn the_companions_own_app_is_nobody_elses() {
    let found = problems(&format!(
        "{LEAST}[[app]]\nclient_id = \"keyback-reset\"\ntype = \"spa\"\nredirect_uris = [\"https://a.example/\"]\n"
    ));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("the companion's own"), "{found:?}");
}

#[test]
fn sr73_the_management_api_is_the_companions_own_and_for_machine_apps_alone() {
    let app = |kind: &str, more: &str| {
        problems(&format!(
            "{LEAST}[[app]]\nclient_id = \"shop\"\ntype = \"{kind}\"\nclient_secret = \"{}\"\n\
             resources = [\"https://default.logto.app/api\"]\n{more}",
            "s".repeat(32)
        ))
    };
    let web = app("web", "redirect_uris = [\"https://shop.example/\"]\n");
    assert_eq!(web.len(), 1, "{web:?}");
    assert!(web[0].contains("is for machine apps"), "{web:?}");
    let declared = app(
        "machine",
        "[[resource]]\nindicator = \"https://default.logto.app/api\"\n",
    );
    assert_eq!(declared.len(), 1, "{declared:?}");
    assert!(
        declared[0].contains("the companion's own Management API"),
        "{declared:?}"
    );
}

#[test]
fn all_that_is_wrong_with_an_app_is_told_at_once() {
    let found = problems(&format!(
        "{LEAST}[[app]]\nclient_id = \"shop\"\ntype = \"web\"\nclient_secret = \"short\"\nredirect_urls = []\n\
         name = \"Shop\\nBcc: all@example.com\"\nredirect_uris = [\"/callback\"]\nsign_in_url = 5\nfirst_party = \"yes\"\n\
         id_token_signed_response_alg = \"HS256\"\nbackchannel_logout_uri = \"http://shop.example/out\"\n"
    ));
    for (place, why) in [
        ("client_secret", "at least 32"),
        ("name holds", "control character"),
        ("redirect_urls: ", "no such key"),
        ("redirect_uris: ", "must be a whole address"),
        ("sign_in_url: ", "must be a whole address"),
        ("first_party: ", "must be true or false"),
        ("id_token_signed_response_alg: ", "HS256"),
        ("backchannel_logout_uri", "must be https"),
    ] {
        let place = format!("[[app]] shop: {place}");
        let told = |problem: &&String| problem.starts_with(&place) && problem.contains(why);
        assert_eq!(found.iter().filter(told).count(), 1, "{place}: {found:#?}");
    }
    // Not that redirect_uris is empty, or another thing that isn't so.
    assert_eq!(found.len(), 8, "{found:#?}");
}

/// Whatever the type will be, the rest of what is wrong is told with it; and what would be wrong with some types alone
/// is not.
#[test]
fn an_app_without_a_type_or_a_name_is_looked_at_all_the_same() {
    let found = |app: &str| problems(&format!("{LEAST}[[app]]\n{app}"));
    let told = found(
        "client_id = \"shop\"\ntype = \"wep\"\nredirect_uris = [\"http://shop.example/cb\", \"com.shop:/cb\"]\n\
         sign_in_url = \"http://shop.example/\"\n",
    );
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(
        told[0].starts_with("[[app]] shop: type: ") && told[0].contains("wep"),
        "{told:#?}"
    );
    assert!(
        told[1].contains("http://shop.example/cb must be https"),
        "{told:#?}"
    );
    assert!(told[2].contains("sign_in_url must be https"), "{told:#?}");
    let told = found("redirect_uris = [\"http://shop.example/cb\"]\n");
    assert_eq!(told.len(), 3, "{told:#?}");
    for (problem, why) in told
        .iter()
        .zip(["client_id is missing", "type is missing", "must be https"])
    {
        assert!(
            problem.starts_with("[[app]] number 1: ") && problem.contains(why),
            "{told:#?}"
        );
    }
}

/// A resource that has a mistake of its own is there all the same for the apps that name it.
#[test]
fn a_mistake_in_a_resource_is_told_once() {
    let found = problems(&format!(
        "{LEAST}[[resource]]\nindicator = \"https://api.example\"\nscopes = \"read\"\n\
         [[app]]\nclient_id = \"shop\"\ntype = \"spa\"\nredirect_uris = [\"https://shop.example/\"]\n\
         resources = [\"https://api.example\", \"https://other.example\"]\n"
    ));
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found[0].starts_with("[[resource]] https://api.example: scopes: "),
        "{found:#?}"
    );
    assert!(found[1].contains("\"https://other.example\""), "{found:#?}");
}

#[test]
fn sr71_redirect_uris_that_nobody_may_be_sent_to_are_refused() {
    let app = |kind: &str, uri: &str| {
        problems(&format!(
            "{LEAST}[[app]]\nclient_id = \"a\"\ntype = \"{kind}\"\nredirect_uris = [\"{uri}\"]\n"
        ))
    };
    assert!(app("spa", "https://shop.example/callback").is_empty());
    assert!(app("native", "com.example.app:/callback").is_empty());
    assert!(app("native", "http://127.0.0.1/callback").is_empty());
    for (kind, uri) in [
        ("spa", "http://shop.example/callback"),
        ("spa", "https://shop.example/callback#x"),
        ("spa", "com.example.app:/callback"),
        ("native", "javascript:alert(1)"),
        ("spa", "/callback"),
    ] {
        assert_eq!(app(kind, uri).len(), 1, "{kind} {uri}");
    }
}

#[test]
fn bcl_2_2_logout_uris_that_a_token_may_not_travel_to_are_refused() {
    let of_app = |kind: &str, uri: &str| {
        problems(&format!(
            "{LEAST}[[app]]\nclient_id = \"a\"\ntype = \"{kind}\"\nredirect_uris = [\"https://a.example/\"]\n\
             client_secret = \"{}\"\nbackchannel_logout_uri = \"{uri}\"\n",
            "s".repeat(32)
        ))
    };
    for good in [
        "https://a.example/out?x=1",
        "http://localhost:9000/out",
        "http://127.0.0.1/out",
    ] {
        assert!(of_app("web", good).is_empty(), "{good}");
    }
    for (kind, bad, why) in [
        ("web", "http://a.example/out", "must be https"),
        ("web", "ftp://a.example/out", "must be https"),
        ("web", "https://a.example/out#f", "no fragment"),
        ("web", "https://me@a.example/out", "no user name"),
        ("machine", "https://a.example/out", "machine"),
    ] {
        let told = of_app(kind, bad);
        assert!(told.len() == 1 && told[0].contains(why), "{bad}: {told:?}");
    }
    let alone = problems(&format!(
        "{LEAST}[[app]]\nclient_id = \"a\"\ntype = \"spa\"\nredirect_uris = [\"https://a.example/\"]\n\
         backchannel_logout_session_required = true\n"
    ));
    assert!(
        alone.len() == 1 && alone[0].contains("which is missing"),
        "{alone:?}"
    );
}
