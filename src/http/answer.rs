use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};

use super::body::{RejectionBody, RespondBody};
use crate::error::Rejected;

/// The status with which a rejection is answered, unless a [`RespondLayer`](crate::http::RespondLayer) sets another.
///
/// | rejection | status |
/// |---|---|
/// | [`Rejected::CircuitOpen`], [`Rejected::BulkheadFull`], [`Rejected::NotReady`] | 503 Service Unavailable |
/// | [`Rejected::TimedOut`], [`Rejected::DeadlineExceeded`] | 504 Gateway Timeout |
/// | [`Rejected::Withdrawn`] | 503 Service Unavailable |
#[must_use]
pub fn status_of(rejected: &Rejected) -> StatusCode {
    match rejected {
        Rejected::CircuitOpen { .. }
        | Rejected::BulkheadFull { .. }
        | Rejected::NotReady { .. }
        | Rejected::Withdrawn { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Rejected::TimedOut { .. } | Rejected::DeadlineExceeded { .. } => StatusCode::GATEWAY_TIMEOUT,
    }
}

/// The response to a rejection, unless a [`RespondLayer`](super::RespondLayer) sets another: the status of
/// [`status_of`]; `Retry-After` in whole seconds, rounded up, if the time is known, and 1 s for a full bulkhead if it
/// is not; and a small JSON body such as `{"error":"circuit open"}` that names the kind of rejection and nothing else.
///
/// For a handler that calls a stack and answers that stack's rejection as its own:
///
/// ```
/// use axum::response::{IntoResponse, Response};
/// use seaworthy::{BoxError, StackError, http::response_of};
///
/// fn answer(result: Result<String, BoxError>) -> Response {
///     match result {
///         Ok(text) => text.into_response(),
///         Err(error) => match error.rejected() {
///             Some(rejected) => response_of(rejected).into_response(),
///             None => http::StatusCode::BAD_GATEWAY.into_response(),
///         },
///     }
/// }
/// ```
#[must_use]
pub fn response_of(rejected: &Rejected) -> Response<RejectionBody> {
    response(rejected, status_of(rejected))
}

fn response(rejected: &Rejected, status: StatusCode) -> Response<RejectionBody> {
    let mut response = Response::new(RejectionBody::new(text(rejected)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(wait) = wait_of(rejected) {
        headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
    }
    response
}

/// A bulkhead with no time set is full for a moment only, but retrying at once would not help.
fn wait_of(rejected: &Rejected) -> Option<Duration> {
    match rejected {
        Rejected::BulkheadFull { retry_after, .. } => retry_after.get().or(Some(Duration::from_secs(1))),
        other => other.retry_after(),
    }
}

/// Rounded up, so that a client that waits does not come back too early, and at least 1.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}

/// Without names, which are no concern of clients.
fn text(rejected: &Rejected) -> &'static str {
    match rejected {
        Rejected::CircuitOpen { .. } => r#"{"error":"circuit open"}"#,
        Rejected::BulkheadFull { .. } => r#"{"error":"bulkhead full"}"#,
        Rejected::NotReady { .. } => r#"{"error":"not ready"}"#,
        Rejected::TimedOut { .. } => r#"{"error":"timed out"}"#,
        Rejected::DeadlineExceeded { .. } => r#"{"error":"deadline exceeded"}"#,
        Rejected::Withdrawn { .. } => r#"{"error":"call withdrawn"}"#,
    }
}

/// Makes the response to a rejection. Implemented by [`ByStatus`] and [`With`], one of which a
/// [`RespondLayer`](super::RespondLayer) has.
pub trait RejectionResponse<B> {
    /// The response, with its own body or one of the inner service's type.
    fn answer(&self, rejected: &Rejected) -> Response<RespondBody<B>>;
}

/// The default response, with a configurable status.
#[derive(Clone, Copy)]
pub struct ByStatus(pub(super) fn(&Rejected) -> StatusCode);

impl ByStatus {
    pub(super) const DEFAULT: ByStatus = ByStatus(status_of);
}

impl<B> RejectionResponse<B> for ByStatus {
    fn answer(&self, rejected: &Rejected) -> Response<RespondBody<B>> {
        response(rejected, (self.0)(rejected)).map(RespondBody::rejection)
    }
}

impl fmt::Debug for ByStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByStatus")
    }
}

/// The response made by a closure.
///
/// # Clone
/// Costs a reference count.
pub struct With<F>(pub(super) Arc<F>);

impl<F> Clone for With<F> {
    fn clone(&self) -> With<F> {
        With(Arc::clone(&self.0))
    }
}

impl<F, B> RejectionResponse<B> for With<F>
where
    F: Fn(&Rejected) -> Response<B>,
{
    fn answer(&self, rejected: &Rejected) -> Response<RespondBody<B>> {
        (self.0)(rejected).map(RespondBody::inner)
    }
}

impl<F> fmt::Debug for With<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("With")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RD-04: whole seconds, rounded up, at least 1.
    #[test]
    fn retry_after_in_whole_seconds() {
        let table = [(0, 1), (1, 1), (999_999_999, 1), (1_000_000_000, 1), (1_000_000_001, 2), (30_000_000_000, 30)];
        for (nanos, seconds) in table {
            assert_eq!(whole_seconds(Duration::from_nanos(nanos)), seconds, "{nanos}");
        }
        assert_eq!(whole_seconds(Duration::MAX), u64::MAX);
    }
}
