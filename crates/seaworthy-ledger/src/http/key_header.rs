//! What a client names its request: the header's value.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

const MOST: usize = 255;

/// The header does not say which key is meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unusable;

/// The key, if there is one. A structured field's string and, unless that is `strict`, the same without quotes.
pub(super) fn key_of(headers: &HeaderMap, name: &HeaderName, is_strict: bool) -> Result<Option<String>, Unusable> {
    let mut lines = headers.get_all(name).iter();
    let Some(value) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        return Err(Unusable);
    }
    let key = text(value, is_strict).ok_or(Unusable)?;
    if (1..=MOST).contains(&key.len()) { Ok(Some(key)) } else { Err(Unusable) }
}

fn text(value: &HeaderValue, is_strict: bool) -> Option<String> {
    let text = std::str::from_utf8(value.as_bytes()).ok()?.trim_matches(' ');
    match text.strip_prefix('"') {
        Some(quoted) => unquoted(quoted),
        None if is_strict => None,
        // What would be a list, parameters or half a string means something else than it says.
        None => text.bytes().all(|byte| is_visible(byte) && !b",;\"".contains(&byte)).then(|| text.to_owned()),
    }
}

/// What stands behind the opening quote, up to the closing one, which must be the last.
fn unquoted(text: &str) -> Option<String> {
    let mut key = String::with_capacity(text.len());
    let mut rest = text.chars();
    loop {
        match rest.next()? {
            '"' => return rest.as_str().is_empty().then_some(key),
            '\\' => key.push(rest.next().filter(|escaped| matches!(escaped, '"' | '\\'))?),
            plain => key.push(u8::try_from(plain).ok().filter(|byte| is_visible(*byte))?.into()),
        }
    }
}

fn is_visible(byte: u8) -> bool {
    (b'!'..=b'~').contains(&byte)
}
