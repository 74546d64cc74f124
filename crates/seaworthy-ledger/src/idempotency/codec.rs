use bytes::Bytes;
use seaworthy::BoxError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::decode_error::DecodeError;

/// How an answer of type `T` is kept, and read again for whoever repeats the request.
///
/// Whatever is kept must be readable for as long as the ledger keeps it, by later versions of the program, too.
/// Nothing of an answer should be in the errors: they are logged.
///
/// ```
/// use bytes::Bytes;
/// use seaworthy::BoxError;
/// use seaworthy_ledger::Codec;
///
/// struct Number;
///
/// impl Codec<u64> for Number {
///     fn encode(&self, answer: &u64) -> Result<Bytes, BoxError> {
///         Ok(Bytes::copy_from_slice(&answer.to_be_bytes()))
///     }
///
///     fn decode(&self, kept: &Bytes) -> Result<u64, BoxError> {
///         Ok(u64::from_be_bytes(kept.as_ref().try_into()?))
///     }
/// }
/// assert_eq!(Number.decode(&Number.encode(&7)?)?, 7);
/// # Ok::<(), BoxError>(())
/// ```
pub trait Codec<T> {
    /// What is kept of the answer: at most `max_result` bytes.
    ///
    /// # Errors
    /// If it cannot be kept. Then the work counts as done all the same; who repeats the request gets
    /// [`NotKept`](crate::IdempotencyError::NotKept).
    ///
    /// # Panics
    /// A panic counts as an error.
    fn encode(&self, answer: &T) -> Result<Bytes, BoxError>;

    /// The answer again.
    ///
    /// # Errors
    /// If it cannot be read. Then the request fails with [`Corrupt`](crate::IdempotencyError::Corrupt); the work is not
    /// done again.
    fn decode(&self, kept: &Bytes) -> Result<T, BoxError>;

    /// What is said of the bytes in the ledger; nothing, if a codec has no name for them.
    fn content_type(&self) -> &'static str {
        ""
    }

    /// The answer to who repeats work that was done and of which nothing was kept; most codecs have none.
    fn not_kept(&self) -> Option<T> {
        None
    }
}

/// Keeps answers as JSON, by serde. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

/// Keeps answers that are bytes as they are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Raw;

/// Keeps nothing but that the work was done, for answers that are `()`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unit;

impl<T: Serialize + DeserializeOwned> Codec<T> for Json {
    fn encode(&self, answer: &T) -> Result<Bytes, BoxError> {
        Ok(serde_json::to_vec(answer)?.into())
    }

    fn decode(&self, kept: &Bytes) -> Result<T, BoxError> {
        Ok(DecodeError::json(kept)?)
    }

    fn content_type(&self) -> &'static str {
        "application/json"
    }
}

impl Codec<Bytes> for Raw {
    fn encode(&self, answer: &Bytes) -> Result<Bytes, BoxError> {
        Ok(answer.clone())
    }

    fn decode(&self, kept: &Bytes) -> Result<Bytes, BoxError> {
        Ok(kept.clone())
    }
}

impl Codec<Vec<u8>> for Raw {
    fn encode(&self, answer: &Vec<u8>) -> Result<Bytes, BoxError> {
        Ok(Bytes::copy_from_slice(answer))
    }

    fn decode(&self, kept: &Bytes) -> Result<Vec<u8>, BoxError> {
        Ok(kept.to_vec())
    }
}

impl Codec<()> for Unit {
    fn encode(&self, (): &()) -> Result<Bytes, BoxError> {
        Ok(Bytes::new())
    }

    fn decode(&self, _: &Bytes) -> Result<(), BoxError> {
        Ok(())
    }

    fn not_kept(&self) -> Option<()> {
        Some(())
    }
}
