use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// An error, as text. `Display` and `Debug` are the error's own: some errors print nothing with the one and everything
/// with the other.
#[derive(Clone, Copy)]
pub struct ErrorRef<'a> {
    display: &'a dyn fmt::Display,
    debug: &'a dyn fmt::Debug,
}

/// It only displays the error, which belongs to the caller.
impl UnwindSafe for ErrorRef<'_> {}
impl RefUnwindSafe for ErrorRef<'_> {}

impl<'a> ErrorRef<'a> {
    pub(crate) fn new<E: fmt::Display + fmt::Debug>(error: &'a E) -> ErrorRef<'a> {
        ErrorRef { display: error, debug: error }
    }
}

impl fmt::Display for ErrorRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.display.fmt(f)
    }
}

impl fmt::Debug for ErrorRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.debug.fmt(f)
    }
}
