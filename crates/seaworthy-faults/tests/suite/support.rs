//! What several modules of the suite need.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What the panic says that this is to end in.
pub(crate) fn why<T>(this: impl FnOnce() -> T) -> String {
    let Err(failure) = catch_unwind(AssertUnwindSafe(this)) else { panic!("it is to fail") };
    let text = failure.downcast_ref::<String>().cloned();
    text.or_else(|| failure.downcast_ref::<&str>().map(ToString::to_string)).expect("it says why")
}
