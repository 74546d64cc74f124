use bytes::Buf;
use http::header::CONTENT_LENGTH;
use http::response::Parts;
use http::{HeaderMap, StatusCode};
use http_body::Frame;

use super::judge::{BodyEnd, JudgeBody, MakeJudge};
use crate::machine::verdict::Verdict;

/// Makes a [`LengthJudge`]; what [`check_length`](super::BodyCircuitBreakerLayer::check_length) puts around what made
/// the judge before.
#[derive(Clone, Copy, Debug)]
pub struct CheckLength<M>(M);

impl<M> CheckLength<M> {
    pub(super) fn new(make_judge: M) -> CheckLength<M> {
        CheckLength(make_judge)
    }
}

impl<M: MakeJudge> MakeJudge for CheckLength<M> {
    type Judge = LengthJudge<M::Judge>;

    fn make_judge(&self, head: &Parts, to_head: bool) -> LengthJudge<M::Judge> {
        let has_no_body = to_head || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let expected = if has_no_body { None } else { content_length(&head.headers) };
        LengthJudge { expected, seen: 0, judge: self.0.make_judge(head, to_head) }
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(CONTENT_LENGTH)?.as_bytes();
    // `parse` would let a sign pass.
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Counts the bytes of a body: fewer or more than its `content-length` are a failure, otherwise the judge inside of it
/// decides.
#[derive(Clone, Copy, Debug)]
pub struct LengthJudge<J> {
    expected: Option<u64>,
    seen: u64,
    judge: J,
}

impl<D: Buf, J: JudgeBody<D>> JudgeBody<D> for LengthJudge<J> {
    fn frame(&mut self, frame: &Frame<D>) {
        if let Some(data) = frame.data_ref() {
            self.seen = self.seen.saturating_add(data.remaining() as u64);
        }
        self.judge.frame(frame);
    }

    fn end(self, end: BodyEnd<'_>, otherwise: Verdict) -> Verdict {
        let verdict = self.judge.end(end, otherwise);
        let is_wrong = |expected| self.seen > expected || (end.is_complete() && self.seen < expected);
        if self.expected.is_some_and(is_wrong) { Verdict::Failure } else { verdict }
    }
}
