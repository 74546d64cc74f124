use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{BodyTimeoutLayer, TimeoutBody};
use crate::error::BoxError;

pin_project! {
    /// The response body of a policy around an HTTP service: unchanged, unless the policy limits bodies; then a
    /// [`TimeoutBody`].
    pub struct PolicyBody<B> {
        #[pin]
        kind: PolicyBodyKind<B>,
    }
}

pin_project! {
    #[project = PolicyBodyKindProj]
    enum PolicyBodyKind<B> {
        AsItCame { #[pin] body: B },
        // Boxed, so that a policy without limits pays nothing for it.
        Limited { body: Pin<Box<TimeoutBody<B>>> },
    }
}

impl<B: Body> PolicyBody<B> {
    pub(super) fn limited(body: B, limits: &BodyTimeoutLayer) -> PolicyBody<B> {
        if body.is_end_stream() {
            return body.into();
        }
        PolicyBody { kind: PolicyBodyKind::Limited { body: Box::pin(limits.wrap(body)) } }
    }
}

impl<B> From<B> for PolicyBody<B> {
    fn from(body: B) -> PolicyBody<B> {
        PolicyBody { kind: PolicyBodyKind::AsItCame { body } }
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
            PolicyBodyKindProj::AsItCame { body } => body.poll_frame(cx).map_err(Into::into),
            PolicyBodyKindProj::Limited { body } => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            PolicyBodyKind::AsItCame { body } => body.is_end_stream(),
            PolicyBodyKind::Limited { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            PolicyBodyKind::AsItCame { body } => body.size_hint(),
            PolicyBodyKind::Limited { body } => body.size_hint(),
        }
    }
}

impl<B> fmt::Debug for PolicyBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_limited = matches!(self.kind, PolicyBodyKind::Limited { .. });
        f.debug_struct("PolicyBody").field("is_limited", &is_limited).finish_non_exhaustive()
    }
}
