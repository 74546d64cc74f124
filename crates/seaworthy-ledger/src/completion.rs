use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::store::Settlement;

/// Of a reason, in bytes.
const LONGEST_REASON: usize = 1_024;

/// What is recorded of work that is done. Bytes and texts are one, too.
#[derive(Clone, Debug)]
pub struct Completion(Outcome);

#[derive(Clone)]
enum Outcome {
    Kept { result: Bytes, content_type: Cow<'static, str> },
    NotKept,
    Failed(Box<str>),
}

impl Completion {
    /// With this result, which everybody gets who claims the key from now on.
    pub fn new(result: impl Into<Bytes>) -> Completion {
        Completion(Outcome::Kept { result: result.into(), content_type: Cow::Borrowed("") })
    }

    /// Says what the result is: a media type, for instance. Nothing, if none is kept.
    #[must_use]
    pub fn content_type(mut self, value: impl Into<Cow<'static, str>>) -> Completion {
        if let Outcome::Kept { content_type, .. } = &mut self.0 {
            *content_type = without_nul(value.into());
        }
        self
    }

    /// That it was done, and nothing else.
    #[must_use]
    pub fn not_kept() -> Completion {
        Completion(Outcome::NotKept)
    }

    /// That it failed and is not to be tried again; the reason is cut after 1,024 bytes.
    pub fn failed_for_good(reason: impl Into<String>) -> Completion {
        Completion(Outcome::Failed(shortened(reason.into())))
    }

    /// The length of the result, in bytes.
    pub(crate) fn size(&self) -> usize {
        if let Outcome::Kept { result, .. } = &self.0 { result.len() } else { 0 }
    }

    pub(crate) fn into_settlement(self, keep: Option<Duration>) -> Settlement {
        match self.0 {
            Outcome::Kept { result, content_type } => Settlement::Done { result, content_type, keep },
            Outcome::NotKept => Settlement::DoneNotKept { keep },
            Outcome::Failed(reason) => Settlement::FailedForGood { reason, keep },
        }
    }
}

/// Cut at a character's boundary, so that it fits into a row.
pub(crate) fn shortened(reason: String) -> Box<str> {
    // Before it is cut, because it may become longer.
    let mut reason = without_nul(reason.into()).into_owned();
    reason.truncate(reason.floor_char_boundary(LONGEST_REASON));
    reason.into()
}

/// The length in place of the bytes.
impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Kept { result, content_type } => write!(f, "{} bytes of {content_type:?}", result.len()),
            Outcome::NotKept => f.write_str("not kept"),
            Outcome::Failed(reason) => f.debug_tuple("Failed").field(reason).finish(),
        }
    }
}

/// Postgres keeps none in a text.
fn without_nul(text: Cow<'static, str>) -> Cow<'static, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text }
}

impl From<Bytes> for Completion {
    fn from(result: Bytes) -> Completion {
        Completion::new(result)
    }
}

impl From<Vec<u8>> for Completion {
    fn from(result: Vec<u8>) -> Completion {
        Completion::new(result)
    }
}

impl From<String> for Completion {
    fn from(result: String) -> Completion {
        Completion::new(result)
    }
}

impl From<&'static str> for Completion {
    fn from(result: &'static str) -> Completion {
        Completion::new(result)
    }
}

impl From<&'static [u8]> for Completion {
    fn from(result: &'static [u8]) -> Completion {
        Completion::new(result)
    }
}
