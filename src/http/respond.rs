use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Response, StatusCode};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::answer::{ByStatus, RejectionResponse, With};
use super::body::RespondBody;
use crate::error::{BoxError, Error, Rejected, StackError};
use crate::rt::panic::polled_again;

/// A stack's error that splits into a rejection, which becomes a response, and the rest.
///
/// Implement it for an error type of your own with `type Rest = Self`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be taken apart into a rejection and the rest",
    label = "this error type does not implement `SplitError`",
    note = "`seaworthy::Error<E>` and `seaworthy::BoxError` do; `.layer(WrapErrorLayer::new())` at the bottom of the stack makes the former",
    note = "for an error type of your own, implement `seaworthy::http::SplitError` with `type Rest = Self`"
)]
pub trait SplitError: StackError {
    /// What is left once rejections have been answered.
    type Rest;

    /// The rejection, or the rest.
    ///
    /// # Errors
    /// The error, if it is not a rejection.
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

/// Answers rejections of the layers below with a response, and narrows the error type again: the layers above see only
/// the service's own errors.
///
/// The response is that of [`response_of`](super::response_of): 503 or 504, `Retry-After` if the time is known, and a
/// small JSON body. [`status`](Self::status) changes its status, and [`with`](RespondLayer::with) replaces all of it.
///
/// ```
/// use seaworthy::http::{HttpClassifier, RespondLayer};
/// use seaworthy::{CircuitBreaker, WrapErrorLayer};
/// use tower::ServiceBuilder;
///
/// # fn main() -> Result<(), seaworthy::ConfigError> {
/// let circuit_breaker = CircuitBreaker::builder("backend").build()?;
/// let app: axum::Router = axum::Router::new()
///     .route("/", axum::routing::get(async || "hello"))
///     .layer(
///         ServiceBuilder::new()
///             .layer(RespondLayer::new()) // Error<Infallible> -> Infallible
///             .layer(circuit_breaker.layer().classify(HttpClassifier)) // a handler never fails, it answers with 500
///             .layer(WrapErrorLayer::new()), // Infallible -> Error<Infallible>
///     );
/// # let _ = app;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct RespondLayer<A = ByStatus> {
    answer: A,
}

impl RespondLayer {
    /// Answers with the statuses of [`status_of`](super::status_of).
    pub const fn new() -> RespondLayer {
        RespondLayer { answer: ByStatus::DEFAULT }
    }

    /// Answers with other statuses. [`Rejected`] may get more variants: pass the unknown ones on to
    /// [`status_of`](super::status_of).
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
        RespondLayer { answer: ByStatus(status) }
    }

    /// Answers with the responses that `answer` makes: any status, headers and body. It may capture state. For
    /// rejections that it does not handle, call [`response_of`](super::response_of).
    ///
    /// ```
    /// use axum::response::{IntoResponse, Response};
    /// use seaworthy::{Rejected, http::{RespondLayer, response_of}};
    /// use http::{StatusCode, header::CONTENT_TYPE};
    ///
    /// let help = String::from("https://status.example");
    /// let layer = RespondLayer::with(move |rejected| -> Response {
    ///     match rejected {
    ///         Rejected::BulkheadFull { .. } => {
    ///             let problem = format!(r#"{{"type":"{help}","title":"too many requests","status":429}}"#);
    ///             let head = [(CONTENT_TYPE, "application/problem+json")];
    ///             (StatusCode::TOO_MANY_REQUESTS, head, problem).into_response()
    ///         }
    ///         other => response_of(other).into_response(),
    ///     }
    /// });
    /// # let _ = layer;
    /// ```
    pub fn with<F, B>(answer: F) -> RespondLayer<With<F>>
    where
        F: Fn(&Rejected) -> Response<B>,
    {
        RespondLayer { answer: With(Arc::new(answer)) }
    }
}

#[cfg(feature = "grpc")]
impl<A> RespondLayer<A> {
    pub(super) fn by(answer: A) -> RespondLayer<A> {
        RespondLayer { answer }
    }

    pub(super) fn into_answer(self) -> A {
        self.answer
    }
}

impl Default for RespondLayer {
    fn default() -> RespondLayer {
        RespondLayer::new()
    }
}

impl<A> fmt::Debug for RespondLayer<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RespondLayer")
    }
}

impl<S, A: Clone> Layer<S> for RespondLayer<A> {
    type Service = RespondService<S, A>;

    fn layer(&self, inner: S) -> RespondService<S, A> {
        RespondService { inner, answer: self.answer.clone(), refused: None }
    }
}

/// The service made by [`RespondLayer`].
///
/// No layer of this crate rejects in `poll_ready`. If another layer below does, there is no call to answer yet: this
/// service then reports ready, and the next call gets the response, without touching the inner service.
pub struct RespondService<S, A = ByStatus> {
    inner: S,
    answer: A,
    refused: Option<Rejected>,
}

#[cfg(feature = "grpc")]
impl<S, A> RespondService<S, A> {
    /// What the next call is given.
    pub(super) fn answer_mut(&mut self) -> &mut A {
        &mut self.answer
    }
}

/// A clone is not ready just because the original is.
impl<S: Clone, A: Clone> Clone for RespondService<S, A> {
    fn clone(&self) -> RespondService<S, A> {
        RespondService { inner: self.inner.clone(), answer: self.answer.clone(), refused: None }
    }
}

impl<S: fmt::Debug, A> fmt::Debug for RespondService<S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RespondService").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S, A, Request, B> Service<Request> for RespondService<S, A>
where
    S: Service<Request, Response = Response<B>>,
    S::Error: SplitError,
    A: RejectionResponse<B> + Clone,
{
    type Response = Response<RespondBody<B>>;
    type Error = <S::Error as SplitError>::Rest;
    type Future = RespondFuture<S::Future, A>;

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
        let stage = match self.refused.take() {
            Some(rejected) => RespondStage::Refused { rejected: Some(rejected) },
            None => RespondStage::Inner { inner: self.inner.call(request) },
        };
        RespondFuture { stage, answer: self.answer.clone() }
    }
}

pin_project! {
    /// The response future of [`RespondService`].
    #[must_use = "futures do nothing unless polled"]
    pub struct RespondFuture<F, A = ByStatus> {
        #[pin]
        stage: RespondStage<F>,
        answer: A,
    }
}

pin_project! {
    #[project = RespondStageProj]
    enum RespondStage<F> {
        Inner { #[pin] inner: F },
        Refused { rejected: Option<Rejected> },
    }
}

impl<F, A> fmt::Debug for RespondFuture<F, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RespondFuture").finish_non_exhaustive()
    }
}

impl<F, A, B, E> Future for RespondFuture<F, A>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: SplitError,
    A: RejectionResponse<B>,
{
    type Output = Result<Response<RespondBody<B>>, E::Rest>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let rejected = match this.stage.project() {
            RespondStageProj::Inner { inner } => match ready!(inner.poll(cx)).map_err(SplitError::split) {
                Ok(response) => return Poll::Ready(Ok(response.map(RespondBody::inner))),
                Err(Err(error)) => return Poll::Ready(Err(error)),
                Err(Ok(rejected)) => rejected,
            },
            RespondStageProj::Refused { rejected } => match rejected.take() {
                Some(rejected) => rejected,
                None => polled_again("`RespondFuture`"),
            },
        };
        Poll::Ready(Ok(this.answer.answer(&rejected)))
    }
}
