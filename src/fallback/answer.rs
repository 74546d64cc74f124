use std::fmt;
use std::future::{Future, Ready, ready};
use std::sync::Arc;

use tower_service::Service;

use super::oneshot::Oneshot;
use crate::retry::{CloneReplay, Replay};

/// What another answer needs from a request, besides the error.
pub trait Keep<Request> {
    /// What the inner service is called with.
    type Sent;
    /// What is kept of a request while the inner service has it.
    type Kept;
    /// The copy of the request that is answered.
    type Copy;

    /// Prepares the call, and keeps what the answer needs; `None` if there can be no answer but the inner service's.
    fn keep(&self, request: Request) -> (Self::Sent, Option<Self::Kept>);

    /// Makes the copy of the request, if that is still possible. If it returns one, that is answered.
    fn prepare(&self, kept: Self::Kept) -> Option<Self::Copy>;
}

/// Another way to answer a request: [`Value`], [`Function`], [`RequestFunction`] or [`Other`].
pub trait Answer<Request, Response, Error>: Keep<Request> {
    /// The answer, started once it is needed.
    type Future: Future<Output = Result<Response, Error>>;

    /// Starts to answer a call that failed.
    fn answer(self, request: Self::Copy, error: Error) -> Self::Future;
}

/// Answers with a clone of a value. Made by [`Fallback::value`](crate::Fallback::value).
pub struct Value<T>(Arc<T>);

impl<T> Value<T> {
    pub(super) fn new(value: T) -> Value<T> {
        Value(Arc::new(value))
    }
}

/// Costs a reference count, not a clone of the value.
impl<T> Clone for Value<T> {
    fn clone(&self) -> Value<T> {
        Value(Arc::clone(&self.0))
    }
}

impl<T: fmt::Debug> fmt::Debug for Value<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Value").field(&self.0).finish()
    }
}

impl<Request, T> Keep<Request> for Value<T> {
    type Sent = Request;
    type Kept = ();
    type Copy = ();

    #[inline]
    fn keep(&self, request: Request) -> (Request, Option<()>) {
        (request, Some(()))
    }

    fn prepare(&self, (): ()) -> Option<()> {
        Some(())
    }
}

impl<Request, T: Clone, E> Answer<Request, T, E> for Value<T> {
    type Future = Ready<Result<T, E>>;

    fn answer(self, (): (), _: E) -> Self::Future {
        ready(Ok(T::clone(&self.0)))
    }
}

/// Answers with what a function makes of the error. Made by [`Fallback::function`](crate::Fallback::function).
#[derive(Clone)]
pub struct Function<F>(pub(super) F);

impl<F> fmt::Debug for Function<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").finish_non_exhaustive()
    }
}

impl<Request, F> Keep<Request> for Function<F> {
    type Sent = Request;
    type Kept = ();
    type Copy = ();

    #[inline]
    fn keep(&self, request: Request) -> (Request, Option<()>) {
        (request, Some(()))
    }

    fn prepare(&self, (): ()) -> Option<()> {
        Some(())
    }
}

impl<Request, T, E, F> Answer<Request, T, E> for Function<F>
where
    F: FnOnce(E) -> Result<T, E>,
{
    type Future = Ready<Result<T, E>>;

    fn answer(self, (): (), error: E) -> Self::Future {
        ready((self.0)(error))
    }
}

/// Answers with what a function makes of the error and a copy of the request. Made by
/// [`Fallback::request_function`](crate::Fallback::request_function).
#[derive(Clone)]
pub struct RequestFunction<F, R = CloneReplay> {
    pub(super) function: F,
    pub(super) replay: R,
}

impl<F, R> fmt::Debug for RequestFunction<F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestFunction").finish_non_exhaustive()
    }
}

impl<Request, F, R: Replay<Request>> Keep<Request> for RequestFunction<F, R> {
    type Sent = R::Sent;
    type Kept = R::Kept;
    type Copy = R::Sent;

    #[inline]
    fn keep(&self, request: Request) -> (R::Sent, Option<R::Kept>) {
        self.replay.keep(request)
    }

    fn prepare(&self, kept: R::Kept) -> Option<R::Sent> {
        self.replay.again(&kept)
    }
}

impl<Request, T, E, F, R> Answer<Request, T, E> for RequestFunction<F, R>
where
    F: FnOnce(E, R::Sent) -> Result<T, E>,
    R: Replay<Request>,
{
    type Future = Ready<Result<T, E>>;

    fn answer(self, request: R::Sent, error: E) -> Self::Future {
        ready((self.function)(error, request))
    }
}

/// Answers from another service. Made by [`Fallback::service`](crate::Fallback::service).
#[derive(Clone)]
pub struct Other<S, R = CloneReplay> {
    pub(super) service: S,
    pub(super) replay: R,
}

impl<S: fmt::Debug, R> fmt::Debug for Other<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Other").field("service", &self.service).finish_non_exhaustive()
    }
}

impl<Request, S, R: Replay<Request>> Keep<Request> for Other<S, R> {
    type Sent = R::Sent;
    type Kept = R::Kept;
    type Copy = R::Sent;

    #[inline]
    fn keep(&self, request: Request) -> (R::Sent, Option<R::Kept>) {
        self.replay.keep(request)
    }

    fn prepare(&self, kept: R::Kept) -> Option<R::Sent> {
        self.replay.again(&kept)
    }
}

impl<Request, T, E, S, R> Answer<Request, T, E> for Other<S, R>
where
    S: Service<R::Sent, Response = T, Error = E>,
    R: Replay<Request>,
{
    type Future = Oneshot<S, R::Sent>;

    fn answer(self, request: R::Sent, _: E) -> Self::Future {
        Oneshot::new(self.service, request)
    }
}
