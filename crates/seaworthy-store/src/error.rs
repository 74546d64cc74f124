//! What a store can answer in place of a result.

use std::error::Error;
use std::fmt;

/// The classes of a store's errors, by what can be done about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorClass {
    /// The store did not answer in time, could not be reached, or is restarting or failing over. Whether it did what it
    /// was asked is unknown. Asking again later is right.
    Unavailable,
    /// The store refuses: a right, a schema or a version is missing. Asking again does not help before somebody acts.
    Refused,
    /// A row that cannot be understood.
    Corrupt,
    /// No room: the disk, the memory, or a limit that was set.
    Full,
}

impl ErrorClass {
    /// One lower-case word, for logs and labels.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorClass::Unavailable => "unavailable",
            ErrorClass::Refused => "refused",
            ErrorClass::Corrupt => "corrupt",
            ErrorClass::Full => "full",
        }
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An answer of a store that is no result: what was asked, the class, and a sentence.
///
/// The driver's own error, if there is one, is its [`source`](Error::source). Passwords, keys, payloads and results are
/// in neither.
///
/// # Clone
/// It is not `Clone`, because drivers' errors are not.
pub struct StoreError(Box<Parts>);

struct Parts {
    class: ErrorClass,
    asked: &'static str,
    why: Box<str>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// `asked` is what was asked of the store, as one word: `claim`, `renew`. `why` is a sentence without a full stop.
    #[must_use]
    pub fn new(class: ErrorClass, asked: &'static str, why: impl Into<Box<str>>) -> StoreError {
        StoreError(Box::new(Parts { class, asked, why: why.into(), source: None }))
    }

    /// The same with the error that caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> StoreError {
        self.0.source = Some(source.into());
        self
    }

    /// No answer came within the limit.
    #[must_use]
    pub fn timed_out(asked: &'static str, limit: std::time::Duration) -> StoreError {
        StoreError::new(ErrorClass::Unavailable, asked, format!("no answer within {limit:?}"))
    }

    /// What can be done about it.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        self.0.class
    }

    /// What was asked of the store, as one word.
    #[must_use]
    pub fn asked(&self) -> &'static str {
        self.0.asked
    }

    /// Whether asking again later is right.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.class() == ErrorClass::Unavailable
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: the store is {}: {}", self.0.asked, described(self.0.class), self.0.why)
    }
}

fn described(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::Unavailable => "unavailable",
        ErrorClass::Refused => "not usable",
        ErrorClass::Corrupt => "corrupt",
        ErrorClass::Full => "full",
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreError")
            .field("class", &self.0.class)
            .field("asked", &self.0.asked)
            .field("why", &self.0.why)
            .field("source", &self.0.source)
            .finish()
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
