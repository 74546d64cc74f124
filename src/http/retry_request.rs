use std::fmt;

use http::{Method, Request, Uri};

use crate::retry::decide::RetryIf;
use crate::retry::{Decision, RetryIfFor};

/// Decides by the request's method and URI as well as by the result. Each call keeps a copy of both, which costs a
/// reference count or two and no allocation.
///
/// Whether a request can be sent again at all is up to [`HttpReplay`](super::HttpReplay).
///
/// ```
/// use http::{Method, Response, Uri};
/// use seaworthy::http::{HttpRetry, RetryIfRequest};
/// use seaworthy::retry::Decision;
/// use seaworthy::RetryIf;
/// use seaworthy::{BoxError, RetryPolicy};
///
/// let policy = RetryPolicy::builder("backend").build()?;
/// let layer = policy.http_layer().retry_if_for(RetryIfRequest::new(
///     |method: &Method, uri: &Uri, result: &Result<Response<String>, BoxError>| match result {
///         // A report that failed halfway is not started over.
///         Err(_) if method == Method::PUT && uri.path().starts_with("/reports/") => Decision::Stop,
///         other => HttpRetry.retry_if(other),
///     },
/// ));
/// # let _ = layer;
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
#[derive(Clone, Copy)]
pub struct RetryIfRequest<F> {
    decide: F,
}

impl<F> RetryIfRequest<F> {
    /// Asks `decide`, which returns a `bool` or a [`Decision`]. Each call holds a clone of it.
    pub fn new<T, E, D>(decide: F) -> RetryIfRequest<F>
    where
        F: Fn(&Method, &Uri, &Result<T, E>) -> D,
        D: Into<Decision>,
    {
        RetryIfRequest { decide }
    }
}

impl<F> fmt::Debug for RetryIfRequest<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryIfRequest").finish_non_exhaustive()
    }
}

impl<F, B, T, E, D> RetryIfFor<Request<B>, T, E> for RetryIfRequest<F>
where
    F: Fn(&Method, &Uri, &Result<T, E>) -> D + Clone,
    D: Into<Decision>,
{
    type Decider = RequestDecider<F>;

    fn decider(&self, request: &Request<B>) -> RequestDecider<F> {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        RequestDecider { decide: self.decide.clone(), method, uri }
    }
}

/// Decides about the results of one request: see [`RetryIfRequest`].
#[derive(Clone)]
pub struct RequestDecider<F> {
    decide: F,
    method: Method,
    uri: Uri,
}

impl<F> fmt::Debug for RequestDecider<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestDecider").field("method", &self.method).field("uri", &self.uri).finish_non_exhaustive()
    }
}

impl<F, T, E, D> RetryIf<T, E> for RequestDecider<F>
where
    F: Fn(&Method, &Uri, &Result<T, E>) -> D,
    D: Into<Decision>,
{
    fn retry_if(&self, result: &Result<T, E>) -> Decision {
        (self.decide)(&self.method, &self.uri, result).into()
    }
}
