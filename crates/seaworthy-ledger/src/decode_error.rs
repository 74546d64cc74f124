use std::error::Error;
use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// What is kept is not JSON of the type that was asked for. It says where, and quotes nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    category: Category,
    line: usize,
    column: usize,
}

impl DecodeError {
    /// Reads JSON that was kept.
    pub(crate) fn json<T: DeserializeOwned>(kept: &[u8]) -> Result<T, DecodeError> {
        // serde's own text quotes what it read.
        let told = |error: serde_json::Error| DecodeError {
            category: error.classify(),
            line: error.line(),
            column: error.column(),
        };
        serde_json::from_slice(kept).map_err(told)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.category {
            Category::Io => "cannot be read",
            Category::Syntax => "is not JSON",
            Category::Data => "is JSON of something else",
            Category::Eof => "ends too early",
        };
        write!(f, "what is kept {what}, line {} column {}", self.line, self.column)
    }
}

impl Error for DecodeError {}
