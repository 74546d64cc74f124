use crate::error::StackError;
use crate::machine::retry::attempts::Decision;

/// Says whether to try again after a result.
///
/// Any closure that takes `&Result<Response, Error>` and gives a `bool` or a [`Decision`] will do. It is asked about
/// everything, this crate's rejections included; pass what you have no opinion on to [`RetryErrors`], which leaves those
/// alone that never reached the backend.
///
/// ```
/// use seaworthy::{BoxError, RetryPolicy};
/// use seaworthy::retry::{Decision, RetryErrors, RetryIf};
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

/// Makes, of each request, what decides about its results.
///
/// A [`RetryIf`] sees results alone, and does not need this. What has to know what was asked for takes what it needs from
/// the request, before the first attempt, and is given to [`RetryLayer::retry_if_for`](super::RetryLayer::retry_if_for);
/// over HTTP, `http::RetryIfRequest` keeps method and URI.
///
/// ```
/// use seaworthy::retry::{RetryErrors, RetryIf, RetryIfFor, Decision};
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
    label = "asked for by a retry",
    note = "write the type of a closure's argument, `|result: &Result<{Response}, {Error}>| ...`, and give a `bool` or a `Decision`; it has to be `Clone`",
    note = "the default asks for `{Error}: StackError`: wrap a foreign error at the bottom of the stack with `.layer(WrapErrorLayer::new())`"
)]
pub trait RetryIfFor<Request, Response, Error> {
    /// Decides about the results of one request.
    type Decider: RetryIf<Response, Error>;

    /// What decides about the results of this request.
    fn decider(&self, request: &Request) -> Self::Decider;
}

/// Decides by results alone, whatever the request: what [`RetryLayer::retry_if`](super::RetryLayer::retry_if) makes of
/// a [`RetryIf`]. Each call holds a clone of that.
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

/// Retries every error but the rejections that never reached the backend; a
/// [`Rejected::TimedOut`](crate::Rejected::TimedOut) did and is retried. The default.
///
/// A circuit that is open, a bulkhead that is full and a service that is not ready say that there is too much traffic
/// already, or that it is pointless. A closure that wants to retry them says so:
///
/// ```
/// use seaworthy::{BoxError, Rejected, RetryPolicy, StackError};
/// use seaworthy::retry::{Decision, RetryErrors, RetryIf};
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
            Err(error) => (!error.is_before_call()).into(),
        }
    }
}
