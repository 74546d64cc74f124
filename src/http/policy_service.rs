use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body_scope::{BodyCall, JudgeBody, MakeJudge, NoJudge, PolicyOwner};
use super::maybe_limited::{MaybeLimited, MaybeLimitedProj};
use super::{BodyTimeoutLayer, PolicyBody};
use crate::admission::KeptCall;
use crate::policy::handle::Policy;
use crate::policy::{PolicyFuture, PolicyKept};

/// Sends HTTP requests through a policy, and limits the response bodies if the policy says so. Made by
/// [`HttpPolicyLayer`](super::HttpPolicyLayer).
///
/// Its inner service is the rest of the policy: a [`PolicyService`](crate::policy::PolicyService), perhaps with a
/// fallback around it.
#[derive(Clone, Debug)]
pub struct HttpPolicyService<S, M = NoJudge> {
    inner: S,
    bodies: Option<BodyTimeoutLayer>,
    make_judge: M,
}

impl<S, M> HttpPolicyService<S, M> {
    pub(super) fn new(inner: S, bodies: Option<BodyTimeoutLayer>, make_judge: M) -> HttpPolicyService<S, M> {
        HttpPolicyService { inner, bodies, make_judge }
    }

    accessors!(self.inner, "Bodies from calls made on it directly have no limits, and its calls end with their heads.");
}

impl<S, M, Request, B> Service<Request> for HttpPolicyService<S, M>
where
    S: Service<Request, Response = Response<B>>,
    S::Future: PolicyFuture,
    M: MakeJudge + Clone,
    M::Judge: JudgeBody<B::Data>,
    B: Body,
{
    type Response = Response<PolicyBody<B, M::Judge>>;
    type Error = S::Error;
    type Future = HttpPolicyFuture<S::Future, M>;

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
        HttpPolicyFuture { kind, make_judge: self.make_judge.clone() }
    }
}

pin_project! {
    /// The response future of [`HttpPolicyService`].
    #[must_use = "futures do nothing unless polled"]
    pub struct HttpPolicyFuture<F, M = NoJudge> {
        #[pin]
        kind: MaybeLimited<F, LimitedBodies<F>>,
        make_judge: M,
    }
}

pin_project! {
    struct LimitedBodies<F> {
        #[pin]
        call: F,
        bodies: BodyTimeoutLayer,
    }
}

impl<F, M, B, E> Future for HttpPolicyFuture<F, M>
where
    F: PolicyFuture<Output = Result<Response<B>, E>>,
    M: MakeJudge,
    M::Judge: JudgeBody<B::Data>,
    B: Body,
{
    type Output = Result<Response<PolicyBody<B, M::Judge>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut kept = PolicyKept::default();
        let (response, limits) = match this.kind.project() {
            MaybeLimitedProj::Unlimited { inner } => (ready!(inner.poll_kept(cx, &mut kept))?, None),
            MaybeLimitedProj::Limited { inner } => {
                let limited = inner.as_mut().project();
                (ready!(limited.call.poll_kept(cx, &mut kept))?, Some(&*limited.bodies))
            }
        };
        let Some(kept) = kept.0 else {
            return Poll::Ready(Ok(response.map(|body| PolicyBody::new(body, limits, None))));
        };
        Poll::Ready(Ok(with_call(response, limits, kept, this.make_judge)))
    }
}

/// The response of a call that goes on in its body.
fn with_call<B, M>(
    response: Response<B>,
    limits: Option<&BodyTimeoutLayer>,
    kept: KeptCall<Policy>,
    make_judge: &M,
) -> Response<PolicyBody<B, M::Judge>>
where
    B: Body,
    M: MakeJudge,
    M::Judge: JudgeBody<B::Data>,
{
    let KeptCall { admission: policy, ticket, head: said } = kept;
    let goes_on = said.is_some() || ticket.has_permit();
    let owner = PolicyOwner { policy, ticket };
    let (head, body) = response.into_parts();
    let call = match goes_on {
        true => BodyCall::begin(owner, said, &body, || make_judge.make_judge(&head, false)),
        false => None,
    };
    let body = PolicyBody::new(body, limits, call);
    Response::from_parts(head, body)
}

impl<F, M> fmt::Debug for HttpPolicyFuture<F, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpPolicyFuture").finish_non_exhaustive()
    }
}
