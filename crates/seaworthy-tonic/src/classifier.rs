use seaworthy::http::grpc::{Code, GrpcClassifier};
use seaworthy::{Classify, Error, Rejected, Verdict};
use tonic::Status;

use crate::error::{TonicError, code_of};
use crate::status::rejected_of;

/// Judges calls of a tonic client, or of a handler, by the code of their [`Status`], as [`GrpcClassifier`] judges
/// responses: around the typed side of tonic, where a call ends with a message or a status.
///
/// | result | verdict |
/// |---|---|
/// | `Ok` | [`Verdict::Success`] |
/// | `Unknown`, `DeadlineExceeded`, `Internal`, `Unavailable`, `DataLoss` | [`Verdict::Failure`] |
/// | `ResourceExhausted` | [`Verdict::Throttled`] |
/// | `Cancelled` | [`Verdict::Ignored`] |
/// | `DeadlineExceeded`, if the call's own [deadline](seaworthy::Deadline) has passed | [`Verdict::DeadlineExceeded`] |
/// | any other code: the backend understood, and said no | [`Verdict::Success`] |
/// | a rejection from below that was made before the call, or withdrew it | [`Verdict::Ignored`] |
///
/// It sees the beginning of a stream only. Put [`grpc_layer`](seaworthy::CircuitBreaker::grpc_layer) under a client
/// where there are streams.
///
/// The error of the calls is [`TonicError`], [`Error<Status>`](Error), or the [`Status`] itself for who asks it
/// directly.
///
/// ```
/// use seaworthy::{CircuitBreaker, State};
/// use seaworthy_tonic::{TonicClassifier, TonicError};
/// use tonic::{Response, Status};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # struct Client;
/// # impl Client {
/// #     async fn get(&self, _: u64) -> Result<Response<u64>, Status> { Err(Status::not_found("no such cart")) }
/// # }
/// # let client = Client;
/// let circuit_breaker = CircuitBreaker::builder("cart").consecutive_failures(1).build()?;
/// let calls = circuit_breaker.classify(TonicClassifier::new());
/// let answer = calls.run(async { client.get(7).await.map_err(TonicError::from) }).await;
/// assert!(answer.is_err());
/// assert_eq!(circuit_breaker.state(), State::Closed);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TonicClassifier {
    by_code: GrpcClassifier,
}

impl TonicClassifier {
    /// Judges as the table says.
    #[must_use]
    pub const fn new() -> TonicClassifier {
        TonicClassifier { by_code: GrpcClassifier::new() }
    }

    /// Takes these codes for failures, and no others, as [`GrpcClassifier::failures`] does.
    #[must_use]
    pub const fn failures(self, codes: &[Code]) -> TonicClassifier {
        TonicClassifier { by_code: self.by_code.failures(codes) }
    }

    fn judge(self, status: &Status) -> Verdict {
        match rejected_of(status) {
            Some(rejected) => judge_rejection(rejected),
            None => self.by_code.verdict_on(code_of(status)),
        }
    }
}

/// Layers ask a classifier only about a timeout; who calls it directly may ask about any.
fn judge_rejection(rejected: &Rejected) -> Verdict {
    match rejected {
        rejected if rejected.is_before_call() => Verdict::Ignored,
        Rejected::Withdrawn { .. } => Verdict::Ignored,
        Rejected::DeadlineExceeded { .. } => Verdict::DeadlineExceeded,
        _ => Verdict::Failure,
    }
}

impl<T> Classify<T, TonicError> for TonicClassifier {
    fn classify(&self, result: &Result<T, TonicError>) -> Verdict {
        result.as_ref().err().map_or(Verdict::Success, |error| self.judge(error.status()))
    }
}

impl<T> Classify<T, Status> for TonicClassifier {
    fn classify(&self, result: &Result<T, Status>) -> Verdict {
        result.as_ref().err().map_or(Verdict::Success, |status| self.judge(status))
    }
}

impl<T> Classify<T, Error<Status>> for TonicClassifier {
    fn classify(&self, result: &Result<T, Error<Status>>) -> Verdict {
        match result {
            Ok(_) => Verdict::Success,
            Err(Error::Inner(status)) => self.judge(status),
            Err(Error::Rejected(rejected)) => judge_rejection(rejected),
        }
    }
}
