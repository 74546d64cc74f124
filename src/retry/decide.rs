use crate::error::{Rejected, StackError};
use crate::machine::retry::attempts::Decision;

/// Decides whether to try again after a result.
///
/// Any closure that takes `&Result<Response, Error>` and returns a `bool` or a [`Decision`] will do. It is consulted
/// about every result, including this crate's own rejections; pass what you have no opinion on to [`RetryErrors`],
/// which does not retry those that never reached the backend.
///
/// ```
/// use seaworthy::{BoxError, RetryPolicy};
/// use seaworthy::retry::{Decision, RetryErrors};
/// use seaworthy::RetryIf;
/// use std::time::Duration;
///
/// struct Answer { wait: Option<Duration> }
///
/// let policy = RetryPolicy::builder("answers").build()?;
/// let layer = policy.layer().retry_if(|result: &Result<Answer, BoxError>| match result {
///     Ok(Answer { wait: Some(wait) }) => Decision::RetryAfter(*wait),
///     other => RetryErrors.retry_if(other),
/// });
/// # let _ = layer;
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
pub trait RetryIf<Response, Error> {
    /// Decides about one result.
    fn retry_if(&self, result: &Result<Response, Error>) -> Decision;
}

impl<F, D, Response, Error> RetryIf<Response, Error> for F
where
    F: Fn(&Result<Response, Error>) -> D,
    D: Into<Decision>,
{
    fn retry_if(&self, result: &Result<Response, Error>) -> Decision {
        self(result).into()
    }
}

/// Makes a decider for each request.
///
/// A [`RetryIf`] sees only results and does not need this. A decision that depends on the request takes what it needs
/// from it before the first attempt, and is passed to [`RetryLayer::retry_if_for`](super::RetryLayer::retry_if_for);
/// over HTTP, `http::RetryIfRequest` keeps the method and the URI.
///
/// ```
/// use seaworthy::retry::{RetryErrors, RetryIfFor, Decision};
/// use seaworthy::RetryIf;
/// use seaworthy::{BoxError, RetryPolicy};
///
/// struct Query { urgent: bool }
///
/// #[derive(Clone)]
/// struct IfUrgent;
///
/// /// What is kept of a request.
/// struct Urgency(bool);
///
/// impl<T> RetryIfFor<Query, T, BoxError> for IfUrgent {
///     type Decider = Urgency;
///
///     fn decider(&self, query: &Query) -> Urgency {
///         Urgency(query.urgent)
///     }
/// }
///
/// impl<T> RetryIf<T, BoxError> for Urgency {
///     fn retry_if(&self, result: &Result<T, BoxError>) -> Decision {
///         if self.0 { RetryErrors.retry_if(result) } else { Decision::Stop }
///     }
/// }
///
/// let layer = RetryPolicy::builder("queries").build()?.layer().retry_if_for(IfUrgent);
/// # let _ = layer;
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot decide about results of type `Result<{Response}, {Error}>`",
    label = "required by a retry",
    note = "write the type of a closure's argument, `|result: &Result<{Response}, {Error}>| ...`, and return a `bool` or a `Decision`; it must be `Clone`",
    note = "the default needs `{Error}: StackError`: wrap a foreign error at the bottom of the stack with `.layer(WrapErrorLayer::new())`"
)]
pub trait RetryIfFor<Request, Response, Error> {
    /// Decides about the results of one request.
    type Decider: RetryIf<Response, Error>;

    /// Makes the decider for the results of this request.
    fn decider(&self, request: &Request) -> Self::Decider;
}

/// Decides by the result alone, whatever the request: [`RetryLayer::retry_if`](super::RetryLayer::retry_if) wraps a
/// [`RetryIf`] in it. Each call holds a clone of the `RetryIf`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByResult<C>(C);

impl<C> ByResult<C> {
    pub(crate) fn new(retry_if: C) -> ByResult<C> {
        ByResult(retry_if)
    }
}

#[diagnostic::do_not_recommend]
impl<C, Request, Response, Error> RetryIfFor<Request, Response, Error> for ByResult<C>
where
    C: RetryIf<Response, Error> + Clone,
{
    type Decider = C;

    #[inline]
    fn decider(&self, _: &Request) -> C {
        self.0.clone()
    }
}

/// Retries every error except rejections that never reached the backend, and calls that were
/// [withdrawn](crate::Rejected::Withdrawn), because what allowed them is gone for the next attempt, too.
/// [`Rejected::TimedOut`](crate::Rejected::TimedOut) did reach the backend and is retried. The default.
///
/// An open circuit, a full bulkhead and a service that is not ready mean that there is too much traffic already, or
/// that retrying is pointless. A closure can choose to retry them:
///
/// ```
/// use seaworthy::{BoxError, Rejected, RetryPolicy, StackError};
/// use seaworthy::retry::{Decision, RetryErrors};
/// use seaworthy::RetryIf;
///
/// let policy = RetryPolicy::builder("patient").build()?;
/// let layer = policy.layer().retry_if(|result: &Result<String, BoxError>| {
///     match result.as_ref().err().and_then(|error| error.rejected()) {
///         Some(Rejected::BulkheadFull { .. }) => Decision::Retry,
///         _ => RetryErrors.retry_if(result),
///     }
/// });
/// # let _ = layer;
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct RetryErrors;

impl<Response, Error: StackError> RetryIf<Response, Error> for RetryErrors {
    #[inline]
    fn retry_if(&self, result: &Result<Response, Error>) -> Decision {
        match result {
            Ok(_) => Decision::Stop,
            Err(error) => may_be_repeated(error).into(),
        }
    }
}

/// Not inlined: what tells one error from another would cost every response, too.
#[inline(never)]
fn may_be_repeated<E: StackError>(error: &E) -> bool {
    !error.is_before_call() && !matches!(error.rejected(), Some(Rejected::Withdrawn { .. }))
}
