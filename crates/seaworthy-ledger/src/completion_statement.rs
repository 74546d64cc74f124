use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use seaworthy_store::micros;

use crate::store::Holder;

/// One statement that completes a claim in a transaction of another driver's, with its seven parameters.
///
/// It must change exactly one row. If it changes none, the claim was lost, and the transaction has to be rolled back.
/// The row is locked until the transaction ends.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompletionStatement {
    /// The statement, whose parameters are `$1` to `$7` for Postgres, where each is cast to its type, and `?1` to `?7`
    /// for SQLite.
    pub text: Box<str>,
    /// The first: text.
    pub scope: String,
    /// The second: text.
    pub key: String,
    /// The third: bigint.
    pub fence: i64,
    /// The fourth: 16 bytes.
    pub owner: [u8; 16],
    /// The fifth: bytes.
    pub result: Bytes,
    /// The sixth: text.
    pub content_type: String,
    /// The seventh: bigint, how many microseconds it is kept; NULL for ever.
    pub keep_us: Option<i64>,
}

impl CompletionStatement {
    pub(crate) fn new(
        text: &str,
        holder: &Holder,
        result: Bytes,
        content_type: &str,
        keep: Option<Duration>,
    ) -> CompletionStatement {
        CompletionStatement {
            text: text.into(),
            scope: holder.key.scope().to_owned(),
            key: holder.key.value().to_owned(),
            // One that does not fit was never given out, and no row has the one below zero.
            fence: i64::try_from(holder.fence).unwrap_or(-1),
            owner: holder.owner.to_be_bytes(),
            result,
            content_type: content_type.to_owned(),
            keep_us: keep.map(micros::of),
        }
    }
}

/// Without the key, the owner and the result.
impl fmt::Debug for CompletionStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompletionStatement")
            .field("text", &self.text)
            .field("scope", &self.scope)
            .field("fence", &self.fence)
            .field("result", &format_args!("{} bytes of {:?}", self.result.len(), self.content_type))
            .field("keep_us", &self.keep_us)
            .finish_non_exhaustive()
    }
}
