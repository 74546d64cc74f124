use http::Response;

use super::status::code_of_head;
use crate::admission::classify::{Classify, ErrorClassifier};
use crate::context::Deadline;
use crate::grpc::code::{Code, CodeSet};
use crate::machine::verdict::Verdict;

/// Gives at the head what the head says, and [`Verdict::Success`] if it says nothing: the status of most gRPC calls
/// comes in the trailers, for which [`CircuitBreaker::grpc_layer`](crate::CircuitBreaker::grpc_layer) waits.
///
/// A head says something if it has a `grpc-status`, which always wins, or an HTTP status other than 200, which has a
/// code by gRPC's own table: 400 and 431 are 13, 401 is 16, 403 is 7, 404 is 12, 429, 502, 503 and 504 are 14, and any
/// other is 2. An error is a failure.
///
/// | code | verdict |
/// |---|---|
/// | 2 UNKNOWN, 4 DEADLINE_EXCEEDED, 13 INTERNAL, 14 UNAVAILABLE, 15 DATA_LOSS | [`Verdict::Failure`] |
/// | 8 RESOURCE_EXHAUSTED | [`Verdict::Throttled`] |
/// | 1 CANCELLED | [`Verdict::Ignored`] |
/// | 4 DEADLINE_EXCEEDED, if the call's own [deadline](crate::Deadline) has passed | [`Verdict::DeadlineExceeded`] |
/// | 0 OK, and all others: the backend understood, and said no | [`Verdict::Success`] |
///
/// ```
/// use seaworthy::CircuitBreaker;
/// use seaworthy::http::grpc::{Code, GrpcClassifier};
///
/// let circuit_breaker = CircuitBreaker::builder("backend").build()?;
/// let failures = [Code::Internal, Code::Unavailable, Code::DataLoss];
/// let layer = circuit_breaker.layer().classify(GrpcClassifier::new().failures(&failures));
/// # let _ = layer;
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GrpcClassifier {
    failures: CodeSet,
}

/// The codes with which a backend says that it did not do its work.
const FAILURES: CodeSet =
    CodeSet::of(&[Code::Unknown, Code::DeadlineExceeded, Code::Internal, Code::Unavailable, Code::DataLoss]);

impl GrpcClassifier {
    /// Judges as the table says.
    #[must_use]
    pub const fn new() -> GrpcClassifier {
        GrpcClassifier { failures: FAILURES }
    }

    /// Takes these codes for failures, and no others. `RESOURCE_EXHAUSTED` and `CANCELLED` stay what they are unless
    /// they are among them, and `OK` is never a failure.
    #[must_use]
    pub const fn failures(self, codes: &[Code]) -> GrpcClassifier {
        GrpcClassifier { failures: CodeSet::of(codes) }
    }

    /// The verdict on a call that ended with this code just now, for calls that are no HTTP responses. The call's own
    /// deadline is the [current](Deadline::current) one.
    ///
    /// ```
    /// use seaworthy::Verdict;
    /// use seaworthy::http::grpc::{Code, GrpcClassifier};
    ///
    /// assert_eq!(GrpcClassifier::new().verdict_on(Code::Unavailable), Verdict::Failure);
    /// assert_eq!(GrpcClassifier::new().verdict_on(Code::NotFound), Verdict::Success);
    /// ```
    #[must_use]
    pub fn verdict_on(self, code: Code) -> Verdict {
        self.verdict(code, Deadline::current)
    }

    /// `deadline` is asked for if the backend says that its deadline has passed: ours may have, too.
    #[inline]
    pub(super) fn verdict(self, code: Code, deadline: impl FnOnce() -> Option<Deadline>) -> Verdict {
        match code {
            Code::DeadlineExceeded if deadline().is_some_and(Deadline::has_passed) => Verdict::DeadlineExceeded,
            code if self.failures.contains(code) => Verdict::Failure,
            Code::ResourceExhausted => Verdict::Throttled,
            Code::Cancelled => Verdict::Ignored,
            _ => Verdict::Success,
        }
    }
}

impl Default for GrpcClassifier {
    fn default() -> GrpcClassifier {
        GrpcClassifier::new()
    }
}

impl<B, E> Classify<Response<B>, E> for GrpcClassifier {
    #[inline]
    fn classify(&self, result: &Result<Response<B>, E>) -> Verdict {
        match result {
            Ok(response) => code_of_head(response.status(), response.headers())
                .map_or(Verdict::Success, |code| self.verdict(code, Deadline::current)),
            result => ErrorClassifier.classify(result),
        }
    }
}
