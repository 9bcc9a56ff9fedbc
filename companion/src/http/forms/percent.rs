//! `application/x-www-form-urlencoded`, decoded (URL standard, section 5.1).

use zeroize::Zeroize as _;

use super::NotAForm;

/// Percent-decoding of the URL standard, but with bytes that are no UTF-8 refused instead of replaced.
pub fn decode(bytes: &[u8]) -> Result<String, NotAForm> {
    let mut decoded = bytes.to_vec();
    let length = decode_in_place(&mut decoded);
    decoded[length..].zeroize();
    decoded.truncate(length);
    String::from_utf8(decoded).map_err(|error| {
        // It may have been a secret.
        error.into_bytes().zeroize();
        NotAForm
    })
}

/// Decodes bytes where they stand. Answers how many are left of them; those behind are of no meaning.
pub(super) fn decode_in_place(bytes: &mut [u8]) -> usize {
    let (mut from, mut to) = (0, 0);
    while let Some(&byte) = bytes.get(from) {
        let (decoded, taken) = match byte {
            b'+' => (b' ', 1),
            b'%' => escape(&bytes[from + 1..]),
            _ => (byte, 1),
        };
        bytes[to] = decoded;
        to += 1;
        from += taken;
    }
    to
}

/// The byte of an escape whose `%` has `behind` behind it, and how many bytes it takes.
fn escape(behind: &[u8]) -> (u8, usize) {
    let digits = match behind {
        [high, low, ..] => hex_digit(*high).zip(hex_digit(*low)),
        _ => None,
    };
    // What is no escape stands for itself.
    digits.map_or((b'%', 1), |(high, low)| (high << 4 | low, 3))
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}
