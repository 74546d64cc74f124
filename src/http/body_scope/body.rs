use std::any::Any;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::call::{BodyCall, poll_frame};
use super::judge::{JudgeBody, NoJudge};
use super::owner::CircuitOwner;
use crate::error::chain::chain;
use crate::error::{BoxError, Rejected, StackError};
use crate::machine::verdict::Verdict;

pin_project! {
    /// A response body at whose end a circuit breaker learns how the call went: the response body of
    /// [`BodyCircuitBreakerService`](super::BodyCircuitBreakerService). Frames, trailers, errors, the size hint and the
    /// end are the inner body's.
    ///
    /// The call is settled before the frame, the error or the end that decides it is returned; dropping it settles the
    /// call before the inner body is dropped.
    pub struct JudgedBody<B, J = NoJudge>
    where
        B: Body,
        J: JudgeBody<B::Data>,
    {
        // None once the call is settled and nothing more can be said of it.
        call: Option<BodyCall<CircuitOwner, J>>,
        #[pin]
        body: B,
    }

    impl<B, J> PinnedDrop for JudgedBody<B, J>
    where
        B: Body,
        J: JudgeBody<B::Data>,
    {
        fn drop(this: Pin<&mut Self>) {
            if let Some(call) = this.project().call.take() {
                drop(call.end_dropped());
            }
        }
    }
}

impl<B, J> JudgedBody<B, J>
where
    B: Body,
    J: JudgeBody<B::Data>,
{
    /// For a call that is settled.
    pub(super) fn settled(body: B) -> JudgedBody<B, J> {
        JudgedBody { call: None, body }
    }

    #[inline]
    pub(super) fn new(
        body: B,
        owner: CircuitOwner,
        head: Option<Verdict>,
        make_judge: impl FnOnce() -> J,
    ) -> JudgedBody<B, J> {
        JudgedBody { call: BodyCall::begin(owner, head, &body, make_judge), body }
    }
}

/// The default body of the inner type, of which nobody learns anything.
impl<B, J> Default for JudgedBody<B, J>
where
    B: Body + Default,
    J: JudgeBody<B::Data>,
{
    fn default() -> JudgedBody<B, J> {
        JudgedBody::settled(B::default())
    }
}

impl<B, J> Body for JudgedBody<B, J>
where
    B: Body,
    B::Error: 'static,
    J: JudgeBody<B::Data>,
{
    type Data = B::Data;
    type Error = B::Error;

    #[inline]
    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        poll_frame(this.body, this.call, cx, rejection)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The rejection that the error of a body is or holds. The type of the error says how it can be searched: a body of any
/// type may be judged, and not all of their errors are `std::error::Error`s.
#[cold]
fn rejection<E: 'static>(error: &E) -> Option<&Rejected> {
    let error: &dyn Any = error;
    match error.downcast_ref::<BoxError>() {
        Some(error) => error.rejected(),
        None => match error.downcast_ref::<io::Error>() {
            Some(error) => chain(error).find_map(|error| error.downcast_ref()),
            None => error.downcast_ref::<Rejected>(),
        },
    }
}

impl<B, J> fmt::Debug for JudgedBody<B, J>
where
    B: Body + fmt::Debug,
    J: JudgeBody<B::Data>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_settled = self.call.is_none();
        f.debug_struct("JudgedBody").field("body", &self.body).field("is_settled", &is_settled).finish()
    }
}
