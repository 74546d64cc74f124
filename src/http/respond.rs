use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::body::RespondBody;
use crate::{BoxError, Error, Rejected, StackError};

/// A stack's error that can be taken apart into a rejection, which becomes a response, and the rest.
///
/// Implement it for an error type of your own with `type Rest = Self`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be taken apart into a rejection and the rest",
    label = "this error type does not implement `SplitError`",
    note = "`seaworthy::Error<E>` and `seaworthy::BoxError` do; `.layer(LiftLayer::new())` at the bottom of the stack makes the former",
    note = "for an error type of your own, implement `seaworthy::http::SplitError` with `type Rest = Self`"
)]
pub trait SplitError: StackError {
    /// What is left when rejections have been answered.
    type Rest;

    /// The rejection, or the rest.
    ///
    /// # Errors
    /// The error, where it is no rejection.
    fn split(self) -> Result<Rejected, Self::Rest>;
}

/// The rest is the inner error: an `Error<Infallible>` leaves `Infallible`.
impl<E> SplitError for Error<E> {
    type Rest = E;

    fn split(self) -> Result<Rejected, E> {
        match self {
            Error::Rejected(rejected) => Ok(rejected),
            Error::Inner(error) => Err(error),
        }
    }
}

impl SplitError for BoxError {
    type Rest = BoxError;

    fn split(self) -> Result<Rejected, BoxError> {
        self.rejected().cloned().ok_or(self)
    }
}

/// The status that answers a rejection, unless a [`RespondLayer`] is told otherwise.
///
/// | rejection | status |
/// |---|---|
/// | [`Rejected::CircuitOpen`], [`Rejected::BulkheadFull`], [`Rejected::NotReady`] | 503 Service Unavailable |
/// | [`Rejected::TimedOut`] | 504 Gateway Timeout |
#[must_use]
pub fn status_of(rejected: &Rejected) -> StatusCode {
    match rejected {
        Rejected::CircuitOpen { .. } | Rejected::BulkheadFull { .. } | Rejected::NotReady { .. } => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Rejected::TimedOut { .. } => StatusCode::GATEWAY_TIMEOUT,
    }
}

/// Answers the rejections of the layers below with a response, and closes the error type again: what is above sees only
/// the errors of the service itself.
///
/// The response has the status of [`status_of`], `Retry-After` in whole seconds, rounded up, where a time is known, and
/// a small JSON body such as `{"error":"circuit open"}` that names the kind of rejection and nothing else.
///
/// ```
/// use seaworthy::http::{HttpClassifier, RespondLayer};
/// use seaworthy::{Circuit, LiftLayer};
/// use tower::ServiceBuilder;
///
/// # fn main() -> Result<(), seaworthy::ConfigError> {
/// let circuit = Circuit::builder("backend").build()?;
/// let app: axum::Router = axum::Router::new()
///     .route("/", axum::routing::get(async || "hello"))
///     .layer(
///         ServiceBuilder::new()
///             .layer(RespondLayer::new()) // Error<Infallible> -> Infallible
///             .layer(circuit.layer().classify(HttpClassifier)) // a handler never fails, it answers with 500
///             .layer(LiftLayer::new()), // Infallible -> Error<Infallible>
///     );
/// # let _ = app;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct RespondLayer {
    status: fn(&Rejected) -> StatusCode,
}

impl RespondLayer {
    /// Answers with the statuses of [`status_of`].
    pub const fn new() -> RespondLayer {
        RespondLayer { status: status_of }
    }

    /// Answers with other statuses. [`Rejected`] may get more variants: pass those that you do not know on to
    /// [`status_of`].
    ///
    /// ```
    /// use seaworthy::{Rejected, http::{RespondLayer, status_of}};
    /// use http::StatusCode;
    ///
    /// let layer = RespondLayer::new().status(|rejected| match rejected {
    ///     Rejected::BulkheadFull { .. } => StatusCode::TOO_MANY_REQUESTS,
    ///     other => status_of(other),
    /// });
    /// # let _ = layer;
    /// ```
    pub const fn status(self, status: fn(&Rejected) -> StatusCode) -> RespondLayer {
        RespondLayer { status }
    }
}

impl Default for RespondLayer {
    fn default() -> RespondLayer {
        RespondLayer::new()
    }
}

impl fmt::Debug for RespondLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RespondLayer")
    }
}

impl<S> Layer<S> for RespondLayer {
    type Service = Respond<S>;

    fn layer(&self, inner: S) -> Respond<S> {
        Respond { inner, status: self.status, refused: None }
    }
}

/// The service that [`RespondLayer`] makes.
///
/// No layer of this crate rejects in `poll_ready`. Where another below it does, there is nobody to answer yet: this
/// service is ready then, and the call that follows gets the response, the inner service untouched.
pub struct Respond<S> {
    inner: S,
    status: fn(&Rejected) -> StatusCode,
    refused: Option<Rejected>,
}

/// A clone is not ready because the original is.
impl<S: Clone> Clone for Respond<S> {
    fn clone(&self) -> Respond<S> {
        Respond { inner: self.inner.clone(), status: self.status, refused: None }
    }
}

impl<S: fmt::Debug> fmt::Debug for Respond<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Respond").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S, Request, B> Service<Request> for Respond<S>
where
    S: Service<Request, Response = Response<B>>,
    S::Error: SplitError,
{
    type Response = Response<RespondBody<B>>;
    type Error = <S::Error as SplitError>::Rest;
    type Future = RespondFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.refused = None;
        match ready!(self.inner.poll_ready(cx)).map_err(SplitError::split) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(Ok(rejected)) => {
                self.refused = Some(rejected);
                Poll::Ready(Ok(()))
            }
            Err(Err(error)) => Poll::Ready(Err(error)),
        }
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let answer = match self.refused.take() {
            Some(rejected) => Answer::Refused { rejected: Some(rejected) },
            None => Answer::Inner { inner: self.inner.call(request) },
        };
        RespondFuture { answer, status: self.status }
    }
}

pin_project! {
    /// The response future of [`Respond`].
    #[must_use = "futures do nothing unless polled"]
    pub struct RespondFuture<F> {
        #[pin]
        answer: Answer<F>,
        status: fn(&Rejected) -> StatusCode,
    }
}

pin_project! {
    #[project = AnswerProj]
    enum Answer<F> {
        Inner { #[pin] inner: F },
        Refused { rejected: Option<Rejected> },
    }
}

impl<F> fmt::Debug for RespondFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RespondFuture").finish_non_exhaustive()
    }
}

impl<F, B, E> Future for RespondFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: SplitError,
{
    type Output = Result<Response<RespondBody<B>>, E::Rest>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let rejected = match this.answer.project() {
            AnswerProj::Inner { inner } => match ready!(inner.poll(cx)).map_err(SplitError::split) {
                Ok(response) => return Poll::Ready(Ok(response.map(RespondBody::inner))),
                Err(Err(error)) => return Poll::Ready(Err(error)),
                Err(Ok(rejected)) => rejected,
            },
            AnswerProj::Refused { rejected } => match rejected.take() {
                Some(rejected) => rejected,
                None => panic!("`RespondFuture` was polled after it was ready"),
            },
        };
        Poll::Ready(Ok(response(&rejected, (this.status)(&rejected))))
    }
}

fn response<B>(rejected: &Rejected, status: StatusCode) -> Response<RespondBody<B>> {
    let mut response = Response::new(RespondBody::rejection(text(rejected)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(wait) = rejected.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
    }
    response
}

/// Rounded up, so that who waits for it does not come too early, and at least 1.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}

/// Names are left out: they are nobody's business outside.
fn text(rejected: &Rejected) -> &'static str {
    match rejected {
        Rejected::CircuitOpen { .. } => r#"{"error":"circuit open"}"#,
        Rejected::BulkheadFull { .. } => r#"{"error":"bulkhead full"}"#,
        Rejected::NotReady { .. } => r#"{"error":"not ready"}"#,
        Rejected::TimedOut { .. } => r#"{"error":"timed out"}"#,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RD-04: whole seconds, rounded up, at least 1.
    #[test]
    fn retry_after_in_whole_seconds() {
        let table = [(0, 1), (1, 1), (999_999_999, 1), (1_000_000_000, 1), (1_000_000_001, 2), (30_000_000_000, 30)];
        for (nanos, seconds) in table {
            assert_eq!(whole_seconds(Duration::from_nanos(nanos)), seconds, "{nanos}");
        }
        assert_eq!(whole_seconds(Duration::MAX), u64::MAX);
    }
}
