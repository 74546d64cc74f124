use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::body_scope::{BodyCall, JudgeBody, NoJudge, PolicyOwner, poll_judged};
use super::maybe_limited::{MaybeLimited, MaybeLimitedProj};
use super::{BodyTimeoutLayer, TimeoutBody};
use crate::error::{BoxError, Rejected, StackError};

pin_project! {
    /// The response body of a policy around an HTTP service: unchanged, unless the policy limits bodies, as a
    /// [`TimeoutBody`] does, or its calls go on until their bodies have ended. Then the circuit breaker learns how the
    /// call went, and the permit is released, before the frame, the error or the end is returned that decides it;
    /// dropping it settles the call, drops the inner body, and releases the permit, in this order.
    pub struct PolicyBody<B, J = NoJudge>
    where
        B: Body,
        J: JudgeBody<B::Data>,
    {
        #[pin]
        kind: MaybeLimited<B, WatchedBody<B, J>>,
    }
}

pin_project! {
    struct WatchedBody<B, J>
    where
        B: Body,
        J: JudgeBody<B::Data>,
    {
        call: Option<BodyCall<PolicyOwner, J>>,
        #[pin]
        body: MaybeTimed<B>,
    }

    impl<B, J> PinnedDrop for WatchedBody<B, J>
    where
        B: Body,
        J: JudgeBody<B::Data>,
    {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(call) = this.call.take() {
                let _released_after = call.end_dropped();
                this.body.set(MaybeTimed::Dropped);
            }
        }
    }
}

pin_project! {
    #[project = MaybeTimedProj]
    enum MaybeTimed<B> {
        Untimed { #[pin] inner: B },
        Timed { #[pin] inner: TimeoutBody<B> },
        Dropped,
    }
}

impl<B, J> PolicyBody<B, J>
where
    B: Body,
    J: JudgeBody<B::Data>,
{
    #[inline]
    pub(super) fn new(
        body: B,
        limits: Option<&BodyTimeoutLayer>,
        call: Option<BodyCall<PolicyOwner, J>>,
    ) -> PolicyBody<B, J> {
        let limits = limits.filter(|_| !body.is_end_stream());
        if call.is_none() && limits.is_none() {
            return body.into();
        }
        let body = match limits {
            Some(limits) => MaybeTimed::Timed { inner: limits.wrap(body) },
            None => MaybeTimed::Untimed { inner: body },
        };
        PolicyBody { kind: MaybeLimited::limited(WatchedBody { call, body }) }
    }
}

impl<B, J> From<B> for PolicyBody<B, J>
where
    B: Body,
    J: JudgeBody<B::Data>,
{
    fn from(body: B) -> PolicyBody<B, J> {
        PolicyBody { kind: MaybeLimited::Unlimited { inner: body } }
    }
}

/// The default body of the inner type, without limits.
impl<B, J> Default for PolicyBody<B, J>
where
    B: Body + Default,
    J: JudgeBody<B::Data>,
{
    fn default() -> PolicyBody<B, J> {
        B::default().into()
    }
}

impl<B> Body for MaybeTimed<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = BoxError;

    #[inline]
    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        match self.project() {
            MaybeTimedProj::Untimed { inner } => inner.poll_frame(cx).map_err(Into::into),
            MaybeTimedProj::Timed { inner } => inner.poll_frame(cx),
            MaybeTimedProj::Dropped => Poll::Ready(None),
        }
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        match self {
            MaybeTimed::Untimed { inner } => inner.is_end_stream(),
            MaybeTimed::Timed { inner } => inner.is_end_stream(),
            MaybeTimed::Dropped => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            MaybeTimed::Untimed { inner } => inner.size_hint(),
            MaybeTimed::Timed { inner } => inner.size_hint(),
            MaybeTimed::Dropped => SizeHint::with_exact(0),
        }
    }
}

impl<B, J> Body for PolicyBody<B, J>
where
    B: Body,
    B::Error: Into<BoxError>,
    J: JudgeBody<B::Data>,
{
    type Data = B::Data;
    type Error = BoxError;

    #[inline]
    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        match self.project().kind.project() {
            MaybeLimitedProj::Unlimited { inner } => inner.poll_frame(cx).map_err(Into::into),
            MaybeLimitedProj::Limited { inner } => {
                let watched = inner.as_mut().project();
                poll_judged(watched.body, watched.call, cx, rejection)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            MaybeLimited::Unlimited { inner } => inner.is_end_stream(),
            MaybeLimited::Limited { inner } => inner.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            MaybeLimited::Unlimited { inner } => inner.size_hint(),
            MaybeLimited::Limited { inner } => inner.body.size_hint(),
        }
    }
}

#[cold]
fn rejection(error: &BoxError) -> Option<&Rejected> {
    error.rejected()
}

impl<B, J> fmt::Debug for PolicyBody<B, J>
where
    B: Body,
    J: JudgeBody<B::Data>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_limited = match &self.kind {
            MaybeLimited::Unlimited { .. } => false,
            MaybeLimited::Limited { inner } => matches!(inner.body, MaybeTimed::Timed { .. }),
        };
        f.debug_struct("PolicyBody").field("is_limited", &is_limited).finish_non_exhaustive()
    }
}
