//! Values and lines that cannot pretend to be something else.

/// A value for a message: line ends and other control characters become spaces, characters that turn the direction of
/// what follows are dropped. So a name can neither end a line nor paint over it.
pub(super) fn plain(value: &str) -> String {
    let kept = value.chars().filter(|letter| !turns_direction(*letter));
    kept.map(|letter| {
        if letter.is_control() || is_line_end(letter) {
            ' '
        } else {
            letter
        }
    })
    .collect()
}

/// A header's line: as [`plain`], with the spaces between words single.
pub(super) fn one_line(rendered: &str) -> String {
    plain(rendered).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Unicode's explicit direction marks, embeddings, overrides and isolates (UAX 9, section 2).
fn turns_direction(letter: char) -> bool {
    matches!(letter, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_line_end(letter: char) -> bool {
    matches!(letter, '\u{2028}' | '\u{2029}')
}
