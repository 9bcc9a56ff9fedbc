//! The public API: a listing that a change of it has to change as well, so that no change slips through.
//!
//! It is read from the source, of all features at once. What macros write (`code`, `fault`, `remedy` of the errors) and which traits
//! are implemented does not stand in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use quote::ToTokens;
use syn::{Fields, GenericParam, Generics, ImplItem, Item, Type, Visibility};

use super::source::{Module, Named, name};

/// Set it, run the test, and look at what has changed: `KEYBACK_UPDATE=1 cargo test -p keyback --test it public_api`.
const UPDATE: &str = "KEYBACK_UPDATE";

#[test]
fn the_public_api_is_the_one_that_is_listed() {
    let listed = Path::new(env!("CARGO_MANIFEST_DIR")).join("public-api.txt");
    let now = listing();
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&listed, &now).unwrap();
    }
    let before = fs::read_to_string(&listed).unwrap_or_default();
    let (before, now): (BTreeSet<&str>, BTreeSet<&str>) = (before.lines().collect(), now.lines().collect());
    let gone: Vec<_> = before.difference(&now).collect();
    let new: Vec<_> = now.difference(&before).collect();
    assert!(
        gone.is_empty() && new.is_empty(),
        "the public API has changed; if it should, set {UPDATE}=1 and tell it in CHANGELOG.md\n- {gone:#?}\n+ {new:#?}"
    );
}

/// A type with several parameters makes those who keep it spell them all.
#[test]
fn no_public_type_has_more_than_one_type_parameter() {
    let root = Module::of_crate();
    for Named { path, item } in named(&root) {
        let parameters = generics(item).map_or(0, |generics| {
            let types = generics.params.iter();
            types
                .filter(|parameter| matches!(parameter, GenericParam::Type(_)))
                .count()
        });
        assert!(parameters <= 1, "{path} has {parameters} type parameters");
    }
}

/// The listing itself sees: types of each kind, methods, fields, variants, features' own modules.
#[test]
fn the_listing_sees_what_is_public_and_nothing_else() {
    let listing = listing();
    for line in [
        "struct keyback::Client",
        "fn keyback::Client::client_id(& self) -> & str",
        "variant keyback::Algorithm::Es384",
        "trait keyback::HttpTransport",
        "field keyback::logto::User::id: String",
        "struct keyback::testkit::TestProvider",
        "const keyback::logto::webhook::LOGTO_SIGNATURE: & str",
    ] {
        assert!(
            listing.lines().any(|listed| listed == line),
            "{line:?} is not listed"
        );
    }
    for private in [
        "Inner",
        "KeySet",
        "fn keyback::Client::keys",
        "Candidate",
        "field keyback::TokenSet",
    ] {
        assert!(!listing.contains(private), "{private:?} is listed");
    }
}

fn named(root: &Module) -> Vec<Named<'_>> {
    let mut found = Vec::new();
    root.named(root, "keyback", &mut found);
    found
}

/// A line for each public item, sorted.
fn listing() -> String {
    let root = Module::of_crate();
    let modules = root.all();
    let mut lines = BTreeSet::new();
    for Named { path, item } in named(&root) {
        lines.insert(head(&path, item));
        members(&path, item, &mut lines);
        // Inherent impls may stand in any file. Two types of one name would share theirs: the listing then says too much,
        // and never too little.
        let Some(own) = name(item) else { continue };
        for item in modules.iter().flat_map(|module| &module.items) {
            if let Item::Impl(block) = item
                && block.trait_.is_none()
                && is_named(&block.self_ty, &own)
            {
                for method in &block.items {
                    match method {
                        ImplItem::Fn(method) if is_public(&method.vis) => {
                            lines.insert(format!("fn {path}::{}", signature(&method.sig)));
                        }
                        ImplItem::Const(constant) if is_public(&constant.vis) => {
                            let kind = text(&constant.ty);
                            lines.insert(format!("const {path}::{}: {kind}", constant.ident));
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

fn head(path: &str, item: &Item) -> String {
    let parameters = generics(item).map(text).unwrap_or_default();
    match item {
        Item::Struct(_) => format!("struct {path}{parameters}"),
        Item::Enum(_) => format!("enum {path}{parameters}"),
        Item::Trait(_) => format!("trait {path}{parameters}"),
        Item::Type(alias) => format!("type {path}{parameters} = {}", text(&alias.ty)),
        Item::Const(constant) => format!("const {path}: {}", text(&constant.ty)),
        Item::Fn(function) => format!("fn {path} {}", signature(&function.sig)),
        other => format!("other {path} {}", text(other)),
    }
}

fn members(path: &str, item: &Item, lines: &mut BTreeSet<String>) {
    match item {
        Item::Struct(item) => {
            for field in item.fields.iter().filter(|field| is_public(&field.vis)) {
                let name = field
                    .ident
                    .as_ref()
                    .map_or_else(|| "0".to_owned(), ToString::to_string);
                lines.insert(format!("field {path}::{name}: {}", text(&field.ty)));
            }
        }
        Item::Enum(item) => {
            for variant in &item.variants {
                let fields = match &variant.fields {
                    Fields::Unit => String::new(),
                    Fields::Named(fields) => {
                        let of = |field: &syn::Field| {
                            let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
                            format!("{name}: {}", text(&field.ty))
                        };
                        format!(
                            " {{ {} }}",
                            fields.named.iter().map(of).collect::<Vec<_>>().join(", ")
                        )
                    }
                    Fields::Unnamed(fields) => {
                        let of = |field: &syn::Field| text(&field.ty);
                        format!(
                            "({})",
                            fields.unnamed.iter().map(of).collect::<Vec<_>>().join(", ")
                        )
                    }
                };
                lines.insert(format!("variant {path}::{}{fields}", variant.ident));
            }
        }
        Item::Trait(item) => {
            for member in &item.items {
                if let syn::TraitItem::Fn(method) = member {
                    lines.insert(format!("fn {path}::{}", signature(&method.sig)));
                }
            }
        }
        _ => {}
    }
}

fn generics(item: &Item) -> Option<&Generics> {
    match item {
        Item::Struct(item) => Some(&item.generics),
        Item::Enum(item) => Some(&item.generics),
        Item::Trait(item) => Some(&item.generics),
        Item::Type(item) => Some(&item.generics),
        _ => None,
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_named(kind: &Type, name: &str) -> bool {
    matches!(kind, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == name))
}

/// `name(arguments) -> result`, without the words before the name.
fn signature(signature: &syn::Signature) -> String {
    let whole = text(signature);
    match whole.split_once("fn ") {
        Some(("", rest)) => rest.to_owned(),
        Some((before, rest)) => format!("{rest} [{}]", before.trim()),
        None => whole,
    }
}

/// The tokens in one form, whatever the line breaks of the source.
fn text(tokens: &impl ToTokens) -> String {
    const APART: [(&str, &str); 10] = [
        (" :: ", "::"),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        (" ,", ","),
        (",)", ")"),
        (" :", ":"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
    ];
    let text = tokens.to_token_stream().to_string();
    APART
        .iter()
        .fold(text, |text, (apart, together)| text.replace(apart, together))
}
