use http::Response;

use crate::admission::classify::{Classify, ErrorClassifier};
use crate::machine::verdict::Verdict;

/// Judges a response by its status: 5xx is a failure, 429 is [`Verdict::Throttled`], anything else is a success. An
/// error is a failure.
///
/// The verdict is given once the head of the response is there. A body that breaks off later goes unnoticed, unless the
/// circuit breaker waits for it:
/// [`until_body_end`](crate::circuit_breaker::CircuitBreakerLayer::until_body_end).
///
/// In a proxy, an error of the client below may be the fault of a caller who aborted the upload. Your own classifier
/// can make that [`Verdict::Ignored`], so that no caller can open the circuit for the others; the example `02_gateway`
/// does.
///
/// ```
/// use seaworthy::{CircuitBreaker, http::HttpClassifier};
///
/// let circuit_breaker = CircuitBreaker::builder("backend").build()?;
/// let layer = circuit_breaker.layer().classify(HttpClassifier);
/// # let _ = layer;
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpClassifier;

impl<B, E> Classify<Response<B>, E> for HttpClassifier {
    fn classify(&self, result: &Result<Response<B>, E>) -> Verdict {
        match result {
            Ok(response) if response.status().is_server_error() => Verdict::Failure,
            Ok(response) if response.status() == http::StatusCode::TOO_MANY_REQUESTS => Verdict::Throttled,
            result => ErrorClassifier.classify(result),
        }
    }
}
