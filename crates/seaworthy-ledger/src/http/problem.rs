//! Answers of the layer's own.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};

use super::key_body::KeyBody;

/// Why a request was not answered by its handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    Missing,
    Unusable,
    NoScope,
    Unreadable,
    TooLarge,
    /// Somebody is at it, for this long at most unless they go on.
    Outstanding(Duration),
    NotKept,
    Mismatch,
    Unavailable,
}

impl Problem {
    fn status(self) -> StatusCode {
        match self {
            Problem::Missing | Problem::Unusable | Problem::NoScope | Problem::Unreadable => StatusCode::BAD_REQUEST,
            Problem::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Problem::Outstanding(_) | Problem::NotKept => StatusCode::CONFLICT,
            Problem::Mismatch => StatusCode::UNPROCESSABLE_ENTITY,
            Problem::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Three are those of the draft.
    fn title(self) -> &'static str {
        match self {
            Problem::Missing => "Idempotency-Key is missing",
            Problem::Unusable => "Idempotency-Key is not usable",
            Problem::NoScope => "Idempotency-Key has no scope",
            Problem::Unreadable => "Request body could not be read",
            Problem::TooLarge => "Request body is too large",
            Problem::Outstanding(_) => "A request is outstanding for this Idempotency-Key",
            Problem::NotKept => "Already done, answer not kept",
            Problem::Mismatch => "Idempotency-Key is already used",
            Problem::Unavailable => "Idempotency-Key could not be checked",
        }
    }

    fn retry_after(self) -> Option<u64> {
        match self {
            // Rounded up, so that who waits does not come back too early.
            Problem::Outstanding(left) => {
                Some(left.as_secs().saturating_add(u64::from(left.subsec_nanos() > 0)).max(1))
            }
            Problem::Unavailable => Some(1),
            _ => None,
        }
    }

    /// `kind` is the type, as JSON.
    pub(super) fn response<B>(self, kind: &str) -> Response<KeyBody<B>> {
        let status = self.status();
        let text = format!(r#"{{"type":{kind},"title":"{}","status":{}}}"#, self.title(), status.as_u16());
        let mut response = Response::new(KeyBody::whole(Bytes::from(text), None));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
