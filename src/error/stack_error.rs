use super::chain::chain;
use super::{BoxError, Rejected};

/// An error type that a whole stack can share: it can hold a [`Rejected`] and give it back.
///
/// Every layer of this crate asks for `S::Error: StackError` and leaves the type as it is. [`BoxError`] and [`Error`](crate::Error)
/// are ready to use, and so is `anyhow::Error` with feature `anyhow`. Your own error type needs `#[from] Rejected` and one
/// method. Let the rejection be its `source()`, as here, and not `#[error(transparent)]`, which would hide it: then it is
/// found when your error is boxed, too. What is a source is not told in the text as well, or it would be printed twice.
///
/// ```
/// use seaworthy::{BoxError, Rejected, StackError};
///
/// #[derive(Debug, thiserror::Error)]
/// enum ShopError {
///     #[error("sold out")]
///     SoldOut,
///     #[error("call rejected")]
///     Rejected(#[from] Rejected),
/// }
///
/// impl StackError for ShopError {
///     fn rejected(&self) -> Option<&Rejected> {
///         match self {
///             ShopError::Rejected(rejected) => Some(rejected),
///             _ => None,
///         }
///     }
/// }
/// # assert!(ShopError::SoldOut.rejected().is_none());
/// # use std::time::Duration;
/// # let boxed = BoxError::from(ShopError::from(Rejected::TimedOut { after: Duration::from_secs(1), timeout: None }));
/// # assert!(boxed.rejected().is_some());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold the rejections of a stack",
    label = "this error type does not implement `StackError`",
    note = "lift a foreign error once, at the bottom of the stack: `.layer(LiftLayer::new())` makes it `seaworthy::Error<{Self}>`",
    note = "around a future: `run_wrapped` in place of `run`",
    note = "for an error type of your own: add a variant with `#[from] seaworthy::Rejected`, not transparent, and implement `StackError`",
    note = "a stack of `seaworthy::BoxError` needs neither"
)]
pub trait StackError: From<Rejected> {
    /// The rejection that this error is or stems from, if it is one.
    fn rejected(&self) -> Option<&Rejected>;

    /// Whether the call was turned away before it reached the inner service, so that its end says nothing about that: by
    /// this crate, for another reason than a timeout. Circuits ignore such an error, and retries leave it alone.
    fn is_before_call(&self) -> bool {
        self.rejected().is_some_and(Rejected::is_before_call)
    }
}

/// Finds a rejection among the error and what it stems from, 64 errors deep.
impl StackError for BoxError {
    fn rejected(&self) -> Option<&Rejected> {
        chain(&**self).find_map(|error| error.downcast_ref())
    }

    fn is_before_call(&self) -> bool {
        is_before_call(&**self)
    }
}

/// What turned a call away is found in the whole chain: with feature `tower`, tower's load shedder, too.
fn is_before_call(error: &(dyn std::error::Error + 'static)) -> bool {
    let word = |error: &(dyn std::error::Error + 'static)| match error.downcast_ref::<Rejected>() {
        Some(rejected) => Some(rejected.is_before_call()),
        #[cfg(feature = "tower")]
        None if error.is::<tower::load_shed::error::Overloaded>() => Some(true),
        None => None,
    };
    chain(error).find_map(word).unwrap_or(false)
}

/// Finds a rejection as in a [`BoxError`], and in a context.
#[cfg(feature = "anyhow")]
impl StackError for anyhow::Error {
    fn rejected(&self) -> Option<&Rejected> {
        // A context, and an error that was boxed before, are no part of the chain of sources.
        let aside = || self.downcast_ref().or_else(|| self.downcast_ref::<BoxError>()?.rejected());
        chain(self.as_ref()).find_map(|error| error.downcast_ref()).or_else(aside)
    }

    fn is_before_call(&self) -> bool {
        let aside = || self.downcast_ref::<BoxError>().is_some_and(StackError::is_before_call);
        match self.rejected() {
            Some(rejected) => rejected.is_before_call(),
            None => is_before_call(self.as_ref()) || aside(),
        }
    }
}
