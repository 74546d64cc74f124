use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::maybe_limited::{MaybeLimited, MaybeLimitedProj};
use super::{BodyTimeoutLayer, PolicyBody};

/// Sends HTTP requests through a policy, and limits the response bodies if the policy says so. Made by
/// [`HttpPolicyLayer`](super::HttpPolicyLayer).
///
/// Its inner service is the rest of the policy: a [`PolicyService`](crate::policy::PolicyService), perhaps with a
/// fallback around it.
#[derive(Clone, Debug)]
pub struct HttpPolicyService<S> {
    inner: S,
    bodies: Option<BodyTimeoutLayer>,
}

impl<S> HttpPolicyService<S> {
    pub(super) fn new(inner: S, bodies: Option<BodyTimeoutLayer>) -> HttpPolicyService<S> {
        HttpPolicyService { inner, bodies }
    }

    accessors!(self.inner, "Bodies from calls made on it directly have no limits.");
}

impl<S, Request, B> Service<Request> for HttpPolicyService<S>
where
    S: Service<Request, Response = Response<B>>,
    B: Body,
{
    type Response = Response<PolicyBody<B>>;
    type Error = S::Error;
    type Future = HttpPolicyFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        let call = self.inner.call(request);
        let kind = match &self.bodies {
            None => MaybeLimited::Unlimited { inner: call },
            Some(bodies) => MaybeLimited::limited(LimitedBodies { call, bodies: bodies.clone() }),
        };
        HttpPolicyFuture { kind }
    }
}

pin_project! {
    /// The response future of [`HttpPolicyService`].
    #[must_use = "futures do nothing unless polled"]
    pub struct HttpPolicyFuture<F> {
        #[pin]
        kind: MaybeLimited<F, LimitedBodies<F>>,
    }
}

pin_project! {
    struct LimitedBodies<F> {
        #[pin]
        call: F,
        bodies: BodyTimeoutLayer,
    }
}

impl<F, B, E> Future for HttpPolicyFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<PolicyBody<B>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            MaybeLimitedProj::Unlimited { inner } => inner.poll(cx).map_ok(|response| response.map(PolicyBody::from)),
            MaybeLimitedProj::Limited { inner } => {
                let limited = inner.as_mut().project();
                let response = ready!(limited.call.poll(cx))?;
                Poll::Ready(Ok(response.map(|body| PolicyBody::limited(body, limited.bodies))))
            }
        }
    }
}

impl<F> fmt::Debug for HttpPolicyFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpPolicyFuture").finish_non_exhaustive()
    }
}
