use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::maybe_limited::{MaybeLimited, MaybeLimitedProj};
use super::{BodyTimeoutLayer, TimeoutBody};
use crate::error::BoxError;

pin_project! {
    /// The response body of a policy around an HTTP service: unchanged, unless the policy limits bodies; then a
    /// [`TimeoutBody`].
    pub struct PolicyBody<B> {
        #[pin]
        kind: MaybeLimited<B, TimeoutBody<B>>,
    }
}

impl<B: Body> PolicyBody<B> {
    pub(super) fn limited(body: B, limits: &BodyTimeoutLayer) -> PolicyBody<B> {
        if body.is_end_stream() {
            return body.into();
        }
        PolicyBody { kind: MaybeLimited::limited(limits.wrap(body)) }
    }
}

impl<B> From<B> for PolicyBody<B> {
    fn from(body: B) -> PolicyBody<B> {
        PolicyBody { kind: MaybeLimited::Unlimited { inner: body } }
    }
}

/// The default body of the inner type, without limits.
impl<B: Default> Default for PolicyBody<B> {
    fn default() -> PolicyBody<B> {
        B::default().into()
    }
}

impl<B> Body for PolicyBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        match self.project().kind.project() {
            MaybeLimitedProj::Unlimited { inner } => inner.poll_frame(cx).map_err(Into::into),
            MaybeLimitedProj::Limited { inner } => inner.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            MaybeLimited::Unlimited { inner } => inner.is_end_stream(),
            MaybeLimited::Limited { inner } => inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            MaybeLimited::Unlimited { inner } => inner.size_hint(),
            MaybeLimited::Limited { inner } => inner.size_hint(),
        }
    }
}

impl<B> fmt::Debug for PolicyBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_limited = matches!(self.kind, MaybeLimited::Limited { .. });
        f.debug_struct("PolicyBody").field("is_limited", &is_limited).finish_non_exhaustive()
    }
}
