//! What is wrong with a key, said to who wrote it: the parser's own words speak of types, and repeat what may be a secret.

/// What to write, for what the parser says.
pub(super) fn what_to_write(error: &toml::de::Error) -> String {
    let told = error.message().lines().collect::<Vec<_>>().join(" ");
    reworded(&told).unwrap_or(told)
}

fn reworded(told: &str) -> Option<String> {
    if let Some(unknown) = told.strip_prefix("unknown field `") {
        let (_, known) = unknown.split_once("`, ")?;
        return Some(format!("no such key; there are {}", named(known, "and")));
    }
    if let Some(unknown) = told.strip_prefix("unknown variant `") {
        let (value, known) = unknown.split_once("`, ")?;
        return Some(format!("{value} is not known; write {}", named(known, "or")));
    }
    if told.starts_with("invalid type: ") || told.starts_with("invalid value: ") {
        let (_, expected) = told.rsplit_once(", expected ")?;
        return Some(format!("must be {}", form(expected)));
    }
    if told.starts_with("relative URL without a base") {
        return Some("must be a whole address, such as https://id.example.com".to_owned());
    }
    let expected = match told {
        "invalid socket address syntax" => "an address with its port, such as 127.0.0.1:3001",
        _ => told.strip_prefix("expected ")?,
    };
    Some(format!("must be {expected}"))
}

/// The words between backquotes, as a sentence has them.
fn named(known: &str, last: &str) -> String {
    let words: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    match words.as_slice() {
        [] => known.to_owned(),
        [word] => (*word).to_owned(),
        [words @ .., word] => format!("{} {last} {word}", words.join(", ")),
    }
}

/// A type, as the file has it.
fn form(expected: &str) -> &str {
    match expected {
        "a boolean" => "true or false",
        "a string representing an URL" => "a whole address, in quotes",
        "a string" => "a text in quotes",
        "a sequence" => "a list, in brackets",
        "a map" => "a table, in braces",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number, 0 or more",
        "path string" => "the path of a file, in quotes",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_parser_says_becomes_what_to_write() {
        for (told, words) in [
            (
                "unknown field `tls`, expected one of `host`, `port`, `security`",
                "no such key; there are host, port and security",
            ),
            (
                "unknown field `tls`, expected `host`",
                "no such key; there are host",
            ),
            (
                "unknown variant `mysql`, expected `embedded` or `logto`",
                "mysql is not known; write embedded or logto",
            ),
            (
                "invalid type: string \"hunter2, expected u16\", expected a boolean",
                "must be true or false",
            ),
            (
                "invalid value: integer `-1`, expected u16",
                "must be a whole number from 0 to 65535",
            ),
            (
                "relative URL without a base: \"id.example.com\"",
                "must be a whole address, such as https://id.example.com",
            ),
            (
                "expected the path of a file, or a list of paths",
                "must be the path of a file, or a list of paths",
            ),
        ] {
            assert_eq!(reworded(told).as_deref(), Some(words));
        }
        assert_eq!(
            reworded("must be #rrggbb, such as #2f5bea"),
            None,
            "our own words stay"
        );
    }
}
