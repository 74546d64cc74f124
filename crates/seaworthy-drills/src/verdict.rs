//! What became of a drill.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What is to be thought of a drill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All that must hold did.
    Held,
    /// Something did not.
    Failed(String),
    /// It cannot be run on this store, for this reason. That is no success.
    NotHere(&'static str),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Held => f.write_str("ok"),
            Verdict::Failed(why) => write!(f, "FAILED: {why}"),
            Verdict::NotHere(why) => write!(f, "not run: {why}"),
        }
    }
}

/// What it returns, or the text of its panic.
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| text(&*panic))
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied());
    text.unwrap_or("a panic without a text").to_owned()
}
