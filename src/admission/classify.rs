use crate::error::{Rejected, StackError};
use crate::machine::verdict::Verdict;

/// Decides what the result of a call says about the backend.
///
/// Any closure that takes `&Result<Response, Error>` and returns a [`Verdict`] is a classifier.
///
/// It is not consulted about rejections from the layers below that never reached the service, such as
/// [`Rejected::BulkheadFull`](crate::Rejected::BulkheadFull) or the `CircuitOpen` of a nested circuit breaker: those
/// are [`Verdict::Ignored`] whatever it would say, and so is a call that was
/// [withdrawn](crate::Rejected::Withdrawn); a deadline that passed later is [`Verdict::DeadlineExceeded`]. It is
/// consulted about [`Rejected::TimedOut`](crate::Rejected::TimedOut), which is an error like any other.
///
/// A panic in a classifier counts as a failed call and propagates to the caller.
///
/// ```
/// use seaworthy::{BoxError, CircuitBreaker, Verdict};
///
/// struct Answer { overloaded: bool }
///
/// let circuit_breaker = CircuitBreaker::builder("answers").build()?;
/// let layer = circuit_breaker.layer().classify(|result: &Result<Answer, BoxError>| match result {
///     Ok(answer) if answer.overloaded => Verdict::Throttled,
///     Ok(_) => Verdict::Success,
///     Err(_) => Verdict::Failure,
/// });
/// # let _ = layer;
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
pub trait Classify<Response, Error> {
    /// The verdict on a call that ended with `result`.
    fn classify(&self, result: &Result<Response, Error>) -> Verdict;
}

impl<F, Response, Error> Classify<Response, Error> for F
where
    F: Fn(&Result<Response, Error>) -> Verdict,
{
    fn classify(&self, result: &Result<Response, Error>) -> Verdict {
        self(result)
    }
}

/// Every `Ok` is a success, even an HTTP 500, and every `Err` is a failure, so it cannot open a circuit around a
/// service whose error is `Infallible`. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct ErrorClassifier;

impl<Response, Error> Classify<Response, Error> for ErrorClassifier {
    #[inline]
    fn classify(&self, result: &Result<Response, Error>) -> Verdict {
        match result {
            Ok(_) => Verdict::Success,
            Err(_) => Verdict::Failure,
        }
    }
}

/// A borrowed classifier.
#[derive(Debug)]
pub(crate) struct ByRef<'a, C>(pub(crate) &'a C);

impl<Response, Error, C: Classify<Response, Error>> Classify<Response, Error> for ByRef<'_, C> {
    #[inline]
    fn classify(&self, result: &Result<Response, Error>) -> Verdict {
        self.0.classify(result)
    }
}

/// The verdict on a call that was made and ended with this rejection, where it is no classifier's to give.
pub(crate) fn verdict_after_call(rejected: &Rejected) -> Option<Verdict> {
    match rejected {
        // That the lease or the term which allowed the call is over says nothing about the backend.
        Rejected::Withdrawn { .. } => Some(Verdict::Ignored),
        Rejected::DeadlineExceeded { .. } => Some(Verdict::DeadlineExceeded),
        _ => None,
    }
}

/// The classifier's verdict, unless a layer below rejected the call before it reached the service.
#[inline]
pub(crate) fn judge<T, E, C>(classifier: &C, result: &Result<T, E>) -> Verdict
where
    E: StackError,
    C: Classify<T, E>,
{
    if let Err(error) = result {
        if error.is_before_call() {
            return Verdict::Ignored;
        }
        if let Some(verdict) = error.rejected().and_then(verdict_after_call) {
            return verdict;
        }
    }
    classifier.classify(result)
}
