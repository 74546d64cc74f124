use http::HeaderMap;
use http::response::Parts;
use http_body::Frame;

use crate::machine::verdict::Verdict;

/// Sees the frames of a response body as they pass, and has the last word on the call: one for each response whose head
/// was no failure. Made by the closure that is given to
/// [`judge_body`](super::BodyCircuitBreakerLayer::judge_body).
///
/// It can make a failure of a stream of events that had no content, or of a 200 that reports an error in its last
/// event. It never changes what the reader gets. If it panics, the call is a failure, and the body goes on.
///
/// ```
/// use bytes::Bytes;
/// use http_body::Frame;
/// use seaworthy::http::{BodyEnd, HttpClassifier, JudgeBody};
/// use seaworthy::{CircuitBreaker, Verdict};
///
/// /// A stream without a single event is a failure.
/// struct HasContent(bool);
///
/// impl JudgeBody<Bytes> for HasContent {
///     fn frame(&mut self, frame: &Frame<Bytes>) {
///         self.0 |= frame.data_ref().is_some_and(|data| !data.is_empty());
///     }
///
///     fn end(self, end: BodyEnd<'_>, otherwise: Verdict) -> Verdict {
///         match end {
///             BodyEnd::Complete | BodyEnd::Trailers(_) if !self.0 => Verdict::Failure,
///             _ => otherwise,
///         }
///     }
/// }
///
/// let circuit_breaker = CircuitBreaker::builder("completions").build()?;
/// let layer = circuit_breaker.layer().classify(HttpClassifier).until_body_end().judge_body(|_| HasContent(false));
/// # let _ = layer;
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
pub trait JudgeBody<D> {
    /// A frame is about to be passed to the reader. Trailers are seen here, too.
    fn frame(&mut self, frame: &Frame<D>);

    /// The verdict on the call. `otherwise` is what it counts as without a judge: what the head said if the body is
    /// complete, a failure if it ended in an error, or [`Verdict::DeadlineExceeded`] if that was the deadline's, and
    /// what [`on_body_drop`](super::BodyCircuitBreakerLayer::on_body_drop) says if it was dropped.
    fn end(self, end: BodyEnd<'_>, otherwise: Verdict) -> Verdict;
}

/// How a response body ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum BodyEnd<'a> {
    /// After its last frame.
    Complete,
    /// With these trailers.
    Trailers(&'a HeaderMap),
    /// With an error.
    Error,
    /// It was dropped before its end.
    Dropped,
}

impl BodyEnd<'_> {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        matches!(self, BodyEnd::Complete | BodyEnd::Trailers(_))
    }
}

/// Adds nothing: the head and the way in which the body ends decide. The default, both as a judge and as what makes
/// one.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoJudge;

impl<D> JudgeBody<D> for NoJudge {
    #[inline]
    fn frame(&mut self, _: &Frame<D>) {}

    #[inline]
    fn end(self, _: BodyEnd<'_>, otherwise: Verdict) -> Verdict {
        otherwise
    }
}

/// Without a judge, for a response whose head said everything.
impl<D, J: JudgeBody<D>> JudgeBody<D> for Option<J> {
    #[inline]
    fn frame(&mut self, frame: &Frame<D>) {
        if let Some(judge) = self {
            judge.frame(frame);
        }
    }

    #[inline]
    fn end(self, end: BodyEnd<'_>, otherwise: Verdict) -> Verdict {
        match self {
            Some(judge) => judge.end(end, otherwise),
            None => otherwise,
        }
    }
}

/// Makes the judge of a response body from the response head. Any closure that takes `&http::response::Parts` does.
pub trait MakeJudge {
    /// A [`JudgeBody`].
    type Judge;

    /// The judge of the response with this head, which answers a `HEAD` request if `to_head`.
    fn make_judge(&self, head: &Parts, to_head: bool) -> Self::Judge;
}

impl<F, J> MakeJudge for F
where
    F: Fn(&Parts) -> J,
{
    type Judge = J;

    #[inline]
    fn make_judge(&self, head: &Parts, _: bool) -> J {
        self(head)
    }
}

impl MakeJudge for NoJudge {
    type Judge = NoJudge;

    #[inline]
    fn make_judge(&self, _: &Parts, _: bool) -> NoJudge {
        NoJudge
    }
}
