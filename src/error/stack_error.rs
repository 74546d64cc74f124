use super::chain::chain;
use super::{BoxError, Rejected};

/// An error type that a whole stack can share: it can hold a [`Rejected`] and give it back.
///
/// Every layer of this crate asks for `S::Error: StackError` and leaves the type as it is. [`BoxError`] and
/// [`Error`](crate::Error) are ready to use, and so is `anyhow::Error` with feature `anyhow`. Your own error type needs
/// `#[from] Rejected` and one method. Make the rejection its `source()`, as here, rather than `#[error(transparent)]`,
/// which would hide it: then it is found when your error is boxed, too. Leave the source out of your error's own text,
/// or it would be printed twice.
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
/// # let late = Rejected::TimedOut { after: Duration::from_secs(1).into(), timeout: None };
/// # let boxed = BoxError::from(ShopError::from(late));
/// # assert!(boxed.rejected().is_some());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold the rejections of a stack",
    label = "this error type does not implement `StackError`",
    note = "wrap a foreign error once, at the bottom of the stack: `.layer(WrapErrorLayer::new())` makes it `seaworthy::Error<{Self}>`",
    note = "around a future: `run_wrapped` in place of `run`",
    note = "for an error type of your own: add a variant with `#[from] seaworthy::Rejected`, not transparent, and implement `StackError`",
    note = "a stack of `seaworthy::BoxError` needs neither"
)]
pub trait StackError: From<Rejected> {
    /// The rejection that this error is, or was caused by, if any.
    fn rejected(&self) -> Option<&Rejected>;

    /// Whether the call was turned away before it reached the inner service, so that the outcome says nothing about
    /// that service: true for every rejection of this crate but [`TimedOut`](Rejected::TimedOut),
    /// [`Withdrawn`](Rejected::Withdrawn), and a deadline that passed later. Circuit breakers ignore such an error, and
    /// retries do not repeat the call.
    fn is_before_call(&self) -> bool {
        self.rejected().is_some_and(Rejected::is_before_call)
    }
}

/// Looks for a rejection in the error and its sources, 64 errors deep.
impl StackError for BoxError {
    fn rejected(&self) -> Option<&Rejected> {
        chain(&**self).find_map(|error| error.downcast_ref())
    }

    fn is_before_call(&self) -> bool {
        is_before_call(&**self)
    }
}

/// Searches the whole chain for what turned the call away; with feature `tower`, that includes tower's load shedder.
fn is_before_call(error: &(dyn std::error::Error + 'static)) -> bool {
    let word = |error: &(dyn std::error::Error + 'static)| match error.downcast_ref::<Rejected>() {
        Some(rejected) => Some(rejected.is_before_call()),
        #[cfg(feature = "tower")]
        None if error.is::<tower::load_shed::error::Overloaded>() => Some(true),
        None => None,
    };
    chain(error).find_map(word).unwrap_or(false)
}

/// Looks for a rejection as in a [`BoxError`], and in a context.
#[cfg(feature = "anyhow")]
impl StackError for anyhow::Error {
    fn rejected(&self) -> Option<&Rejected> {
        // Neither a context nor an error that was boxed before is part of the chain of sources.
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
