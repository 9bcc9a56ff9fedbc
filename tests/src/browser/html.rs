//! As much of HTML as our pages need: tags, attributes, the text between them.

/// A tag or a piece of text.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Open {
        name: String,
        attributes: Vec<(String, String)>,
    },
    Close {
        name: String,
    },
    Text(String),
}

impl Piece {
    pub(super) fn is_open(&self, wanted: &str) -> bool {
        matches!(self, Self::Open { name, .. } if name == wanted)
    }

    pub(super) fn is_close(&self, wanted: &str) -> bool {
        matches!(self, Self::Close { name } if name == wanted)
    }

    pub(super) fn attribute(&self, wanted: &str) -> Option<&str> {
        match self {
            Self::Open { attributes, .. } => attributes
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.as_str()),
            _ => None,
        }
    }
}

/// Cuts a page into pieces. The content of `style` and `script` is left out.
pub(super) fn pieces(html: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        push_text(&mut pieces, &rest[..at]);
        rest = &rest[at + 1..];
        let end = tag_end(rest);
        let tag = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        if let Some(name) = tag.strip_prefix('/') {
            let name = name.trim().to_lowercase();
            pieces.push(Piece::Close { name });
        } else if !tag.starts_with('!') {
            let (name, attributes) = open_tag(tag);
            if matches!(name.as_str(), "style" | "script") {
                let close = format!("</{name}>");
                rest = rest.split_once(&close).map_or("", |(_, after)| after);
            } else {
                pieces.push(Piece::Open { name, attributes });
            }
        }
    }
    push_text(&mut pieces, rest);
    pieces
}

/// The text of pieces, with single spaces.
pub(super) fn text(pieces: &[Piece]) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(piece) => text.push_str(piece),
            Piece::Open { name, .. } | Piece::Close { name } if !is_inline(name) => text.push(' '),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_inline(name: &str) -> bool {
    matches!(name, "b" | "bdi" | "span" | "code" | "i" | "small")
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(unescape(text)));
    }
}

/// Where the tag ends: a `>` outside of quotes.
fn tag_end(text: &str) -> usize {
    let mut quoted = false;
    text.find(|c| {
        quoted ^= c == '"';
        c == '>' && !quoted
    })
    .unwrap_or(text.len())
}

fn open_tag(tag: &str) -> (String, Vec<(String, String)>) {
    let tag = tag.strip_suffix('/').unwrap_or(tag);
    let name_end = tag.find(char::is_whitespace).unwrap_or(tag.len());
    let name = tag[..name_end].to_lowercase();
    let mut attributes = Vec::new();
    let mut rest = tag[name_end..].trim_start();
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| c == '=' || c.is_whitespace())
            .unwrap_or(rest.len());
        let name = rest[..end].to_lowercase();
        rest = &rest[end..];
        let value = match rest.strip_prefix('=') {
            Some(value) => {
                let (value, after) = match value.strip_prefix('"') {
                    Some(quoted) => quoted.split_once('"').unwrap(),
                    None => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
                };
                rest = after;
                unescape(value)
            }
            None => String::new(),
        };
        attributes.push((name, value));
        rest = rest.trim_start();
    }
    (name, attributes)
}

fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let named = after.split_once(';').and_then(|(name, rest)| {
            let c = match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                _ => char::from_u32(name.strip_prefix('#')?.parse().ok()?)?,
            };
            Some((c, rest))
        });
        let (c, after) = named.unwrap_or(('&', after));
        plain.push(c);
        rest = after;
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_attributes_and_text_are_told_apart() {
        let html = r#"<style>a > b {}</style><p class="x" hidden>A &amp; <b>B</b>&#39;s</p><input value="1 > 0" name=n required>"#;
        let pieces = pieces(html);
        assert_eq!(text(&pieces), "A & B's");
        let input = pieces.iter().find(|piece| piece.is_open("input")).unwrap();
        assert_eq!(input.attribute("value"), Some("1 > 0"));
        assert_eq!(input.attribute("name"), Some("n"));
        assert_eq!(input.attribute("required"), Some(""));
    }
}
