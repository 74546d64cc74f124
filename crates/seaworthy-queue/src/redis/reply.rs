//! What the server answered, as values.

use std::borrow::Cow;

use redis::Value;
use seaworthy_store::{ErrorClass, StoreError};

/// An answer in another shape than its script gives.
pub(super) fn strange(asked: &'static str) -> StoreError {
    StoreError::new(ErrorClass::Corrupt, asked, "an answer that is not understood")
}

pub(super) fn list(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(values) => Some(values),
        Value::Nil => Some(&[]),
        _ => None,
    }
}

pub(super) fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.as_bytes()),
        Value::Okay => Some(b"OK"),
        _ => None,
    }
}

pub(super) fn text(value: &Value) -> Option<Cow<'_, str>> {
    bytes(value).map(String::from_utf8_lossy)
}

pub(super) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        _ => text(value)?.parse().ok(),
    }
}

/// One number, which every step but a few answers with.
pub(super) fn whole(asked: &'static str, value: &Value) -> Result<u64, StoreError> {
    number(value).ok_or_else(|| strange(asked))
}
