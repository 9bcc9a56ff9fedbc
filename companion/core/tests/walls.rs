//! The domain's walls: what it must never depend on.

/// It knows no server, no database, no mail and no run time; who adds one of these has put something in the wrong place.
#[test]
fn the_domain_knows_no_adapter() {
    let manifest = include_str!("../Cargo.toml");
    for outside in [
        "axum", "hyper", "lettre", "reqwest", "sqlx", "tokio", "tower", "askama", "keyback.",
    ] {
        assert!(
            !manifest.lines().any(|line| line.starts_with(outside)),
            "{outside}"
        );
    }
}
