use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf;
use http_body::{Body, Frame};

use super::judge::{BodyEnd, JudgeBody};
use super::owner::BodyOwner;
use crate::admission::HeldFlag;
use crate::admission::classify::verdict_after_call;
use crate::error::Rejected;
use crate::error::one_line::OneLine;
use crate::machine::circuit_breaker::body_scope::Early;
use crate::machine::timestamp::Timestamp;
use crate::machine::verdict::Verdict;
use crate::rt::panic::{caught, log_guarded};
use crate::rt::time;

/// A call that goes on in its response body.
///
/// What the call waits for is remembered in the flag of the owner's ticket, where there is room for it.
pub(in crate::http) struct BodyCall<O, J> {
    owner: O,
    /// When the head was there; never, if that matters to no one.
    head: Timestamp,
    /// How many bytes of data have passed.
    bytes: u64,
    judge: J,
}

/// What is left to be said of a call.
#[derive(Clone, Copy, PartialEq)]
enum Awaits {
    /// Its verdict; what the head said.
    Verdict(Verdict),
    /// Whether the body breaks off after all.
    LateBreak,
    /// Nothing.
    Nothing,
}

impl Awaits {
    fn flag(self) -> HeldFlag {
        HeldFlag::noting(match self {
            Awaits::Verdict(Verdict::Ignored) => 1,
            Awaits::Verdict(_) => 2,
            Awaits::LateBreak => 3,
            Awaits::Nothing => 4,
        })
    }

    fn of(flag: HeldFlag) -> Awaits {
        match flag.note() {
            1 => Awaits::Verdict(Verdict::Ignored),
            2 => Awaits::Verdict(Verdict::Success),
            3 => Awaits::LateBreak,
            _ => Awaits::Nothing,
        }
    }
}

/// Settles the call as a failure if the code that runs meanwhile panics: an executor may drop the body much later.
struct FailOnPanic<'a, O: BodyOwner, J>(&'a mut Option<BodyCall<O, J>>);

impl<O: BodyOwner, J> Drop for FailOnPanic<'_, O, J> {
    #[cold]
    fn drop(&mut self) {
        if let Some(mut call) = self.0.take() {
            call.conclude(Verdict::Failure, true);
        }
    }
}

/// What a poll for a frame gives.
type PolledFrame<B> = Poll<Option<Result<Frame<<B as Body>::Data>, <B as Body>::Error>>>;

/// Polls the body once, and tells its call what came. `rejection` finds one of ours in an error of the body.
#[inline]
pub(in crate::http) fn poll_frame<B, O, J>(
    mut body: Pin<&mut B>,
    call: &mut Option<BodyCall<O, J>>,
    cx: &mut Context<'_>,
    rejection: impl Fn(&B::Error) -> Option<&Rejected>,
) -> PolledFrame<B>
where
    B: Body,
    O: BodyOwner,
    J: JudgeBody<B::Data>,
{
    if call.is_none() {
        return body.poll_frame(cx);
    }
    let guard = FailOnPanic(&mut *call);
    let poll = body.as_mut().poll_frame(cx);
    let end = match &poll {
        Poll::Pending => None,
        Poll::Ready(None) => Some((BodyEnd::Complete, None)),
        Poll::Ready(Some(Err(error))) => {
            let verdict = rejection(error).and_then(verdict_after_call);
            Some((BodyEnd::Error, Some(verdict.unwrap_or(Verdict::Failure))))
        }
        Poll::Ready(Some(Ok(frame))) => match frame.trailers_ref() {
            Some(trailers) => Some((BodyEnd::Trailers(trailers), None)),
            None => body.is_end_stream().then_some((BodyEnd::Complete, None)),
        },
    };
    std::mem::forget(guard);
    let passed = match (&poll, &mut *call) {
        (Poll::Ready(Some(Ok(frame))), Some(call)) => call.pass(frame, end.is_some()),
        _ => true,
    };
    match end {
        // The judge is in pieces; the body goes on without it.
        _ if !passed => *call = None,
        Some((end, verdict)) => {
            if let Some(call) = call.take() {
                drop(call.end(end, verdict));
            }
        }
        None => {}
    }
    poll
}

impl<O: BodyOwner, J> BodyCall<O, J> {
    /// A call whose head is there and said `head`, or was settled if that is none; nothing if the body has ended, too.
    /// If `make_judge` panics, the call is a failure.
    #[inline]
    pub(in crate::http) fn begin<B: Body>(
        mut owner: O,
        head: Option<Verdict>,
        body: &B,
        make_judge: impl FnOnce() -> J,
    ) -> Option<BodyCall<O, J>>
    where
        J: JudgeBody<B::Data>,
    {
        *owner.flag() = head.map_or(Awaits::Nothing, Awaits::Verdict).flag();
        let head = if is_timed(&owner) { time::now() } else { Timestamp::NEVER };
        let mut unjudged = Some(BodyCall { owner, head, bytes: 0, judge: () });
        let guard = FailOnPanic(&mut unjudged);
        let judge = make_judge();
        // A body that has ended need not be polled, and its reader may keep it for a while.
        let has_ended = body.is_end_stream();
        std::mem::forget(guard);
        let BodyCall { owner, head, bytes, judge: () } = unjudged?;
        let call = BodyCall { owner, head, bytes, judge };
        if has_ended {
            drop(call.end(BodyEnd::Complete, None));
            return None;
        }
        Some(call)
    }

    /// A frame passes. False if the judge panicked: the call is a failure then.
    #[inline]
    fn pass<D: Buf>(&mut self, frame: &Frame<D>, is_last: bool) -> bool
    where
        J: JudgeBody<D>,
    {
        if let Some(data) = frame.data_ref() {
            self.bytes = self.bytes.saturating_add(data.remaining() as u64);
        }
        if let Err(panic) = caught(|| self.judge.frame(frame)) {
            log_panic(&panic);
            self.conclude(Verdict::Failure, true);
            return false;
        }
        if !is_last {
            self.settle_if_due();
        }
        true
    }

    /// The body has ended. `verdict` is what that says, unless it is for the head to say. Returns what the call holds.
    #[inline]
    pub(super) fn end<D>(mut self, end: BodyEnd<'_>, verdict: Option<Verdict>) -> O
    where
        J: JudgeBody<D>,
    {
        let otherwise = verdict.unwrap_or_else(|| match self.awaits() {
            Awaits::Verdict(head) => head,
            Awaits::LateBreak | Awaits::Nothing => Verdict::Success,
        });
        let BodyCall { owner, head, bytes, judge } = self;
        let mut call = BodyCall { owner, head, bytes, judge: () };
        let verdict = match caught(|| judge.end(end, otherwise)) {
            Ok(verdict) => verdict,
            Err(panic) => {
                log_panic(&panic);
                Verdict::Failure
            }
        };
        // Who hangs up breaks nothing off.
        call.conclude(verdict, !matches!(end, BodyEnd::Dropped));
        call.owner
    }

    /// The body is dropped before its end. Returns what the call holds, for after that.
    #[cold]
    pub(in crate::http) fn end_dropped<D>(self) -> O
    where
        J: JudgeBody<D>,
    {
        let verdict = match self.owner.circuit() {
            Some((breaker, ticket)) => {
                breaker.shared().verdict_on_body_drop(self.owner.scope().on_drop, ticket, self.head)
            }
            None => Verdict::Ignored,
        };
        self.end::<D>(BodyEnd::Dropped, Some(verdict))
    }

    fn awaits(&mut self) -> Awaits {
        Awaits::of(*self.owner.flag())
    }

    fn early(&self) -> Early {
        let is_probe = self.owner.circuit().is_some_and(|(_, ticket)| ticket.is_probe());
        self.owner.scope().early_for(is_probe)
    }

    #[inline]
    fn settle_if_due(&mut self) {
        let Awaits::Verdict(head) = self.awaits() else { return };
        let is_due = match self.early() {
            Early::Never => false,
            Early::FirstFrame => self.bytes > 0,
            Early::Bytes(count) => self.bytes >= count,
            Early::After(time) => time::now().since(self.head) >= time,
        };
        if is_due {
            self.settle(head);
            *self.owner.flag() = Awaits::LateBreak.flag();
        }
    }

    /// The call has ended like this, if it was not settled before. If it was, a failure is a late break, provided that
    /// something `breaks`.
    fn conclude(&mut self, verdict: Verdict, breaks: bool) {
        // It may have been due some time ago, when nothing had failed.
        if matches!(self.early(), Early::After(_)) {
            self.settle_if_due();
        }
        match self.awaits() {
            Awaits::Verdict(_) => self.settle(verdict),
            Awaits::LateBreak if breaks && verdict == Verdict::Failure => self.break_late(),
            Awaits::LateBreak | Awaits::Nothing => {}
        }
        *self.owner.flag() = Awaits::Nothing.flag();
    }

    fn settle(&mut self, verdict: Verdict) {
        if let Some((breaker, ticket)) = self.owner.circuit() {
            breaker.shared().settle_body(ticket, verdict, self.head, self.owner.scope().slow_to_end);
        }
    }

    #[cold]
    fn break_late(&mut self) {
        if let Some((breaker, ticket)) = self.owner.circuit() {
            if self.owner.scope().counts_late_breaks {
                breaker.shared().count_late_break(ticket);
            }
            breaker.shared().notify_broke(time::now().since(self.head), self.bytes);
        }
    }
}

/// Whether it matters when the head was there.
fn is_timed<O: BodyOwner>(owner: &O) -> bool {
    let scope = owner.scope();
    owner.circuit().is_some_and(|(_, ticket)| {
        ticket.is_timed() || scope.times_drops() || scope.early_for(ticket.is_probe()) != Early::Never
    })
}

#[cold]
fn log_panic(panic: &str) {
    let panic = OneLine(panic);
    log_guarded(
        || tracing::error!(target: "seaworthy::circuit_breaker", %panic, "the judge of a response body panicked"),
    );
}
