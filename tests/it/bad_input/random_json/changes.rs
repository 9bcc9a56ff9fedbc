//! What is done to sound bodies.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use crate::bad_input::random::json as any_json;

/// What is done to a sound body.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// It is left as it is.
    None,
    /// A value takes the place of another, anywhere.
    Replace(Index, Value),
    Remove(Index),
    /// A member comes in again, or one that nobody asks for.
    Add(Index, Value),
    /// Bytes are cut off, or one is another.
    Cut(Index),
    Flip(Index, u8),
    /// Something else altogether.
    Other(Vec<u8>),
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "(?s).{0,12}".prop_map(Value::from),
        select(vec![
            "\0",
            "a@b@c",
            "'; DROP TABLE users; --",
            "+1",
            "ada@example.com",
            "\u{202e}"
        ])
        .prop_map(Value::from),
        Just(Value::from("x".repeat(5_000))),
        Just(json!([])),
        Just(json!({ "a": [{}] })),
    ]
}

pub(super) fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        1 => Just(Change::None),
        6 => (at(), value()).prop_map(|(at, value)| Change::Replace(at, value)),
        2 => at().prop_map(Change::Remove),
        2 => (at(), value()).prop_map(|(at, value)| Change::Add(at, value)),
        1 => at().prop_map(Change::Cut),
        2 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Flip(at, byte)),
        2 => any_json().prop_map(Change::Other),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(Change::Other),
        // Nested deeper than anything may be read.
        1 => (1_usize..5_000).prop_map(|depth| Change::Other(format!("{{\"profile\":{}", "[".repeat(depth)).into_bytes())),
    ]
}

impl Change {
    /// What comes of it, as bytes.
    pub(super) fn of(self, sound: &str) -> Vec<u8> {
        let mut value: Value = serde_json::from_str(sound).unwrap();
        let mut bytes = value.to_string().into_bytes();
        match self {
            Self::None => {}
            Self::Replace(at, with) => {
                let mut places = places(&value);
                let place = places.swap_remove(at.index(places.len()));
                *value.pointer_mut(&place).unwrap() = with;
                bytes = value.to_string().into_bytes();
            }
            Self::Remove(at) => {
                let members = value.as_object_mut().unwrap();
                let name = members.keys().nth(at.index(members.len())).cloned();
                members.remove(&name.unwrap());
                bytes = value.to_string().into_bytes();
            }
            Self::Add(at, with) => {
                let members = value.as_object().unwrap();
                let names = members.keys().map(String::as_str).chain(["x", "id", "__proto__"]);
                let names: Vec<&str> = names.collect();
                let again = format!(",{}:{with}}}", Value::from(names[at.index(names.len())]));
                bytes.pop();
                bytes.extend_from_slice(again.as_bytes());
            }
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Flip(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            Self::Other(other) => bytes = other,
        }
        bytes
    }
}

/// Pointers (RFC 6901) to all members of an object, the members of members too.
fn places(value: &Value) -> Vec<String> {
    let Value::Object(members) = value else {
        return Vec::new();
    };
    let deep = |(name, member): (&String, &Value)| {
        let inner = places(member).into_iter();
        let mut all: Vec<String> = inner.map(|place| format!("/{name}{place}")).collect();
        all.push(format!("/{name}"));
        all
    };
    members.iter().flat_map(deep).collect()
}
