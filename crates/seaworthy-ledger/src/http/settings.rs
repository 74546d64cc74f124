use std::sync::Arc;
use std::time::Duration;

use http::header::{
    CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE, ETAG, HeaderName, LINK,
    LOCATION,
};
use http::response::Parts;
use http::{Method, Response, StatusCode};

use super::fingerprint::FingerprintOf;
use super::key_body::KeyBody;
use super::problem::Problem;

type KeepIf = dyn Fn(&Parts) -> bool + Send + Sync;

/// What a layer was built with, but for the scope.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) is_required: bool,
    pub(super) is_strict: bool,
    pub(super) methods: Vec<Method>,
    pub(super) header: HeaderName,
    pub(super) max_request: usize,
    pub(super) max_response: usize,
    pub(super) keep_if: Arc<KeepIf>,
    pub(super) kept_headers: Vec<HeaderName>,
    pub(super) fingerprint: FingerprintOf,
    /// The type of problems, as JSON.
    pub(super) kind: Arc<str>,
    pub(super) runs_to_end: bool,
    pub(super) keep: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            is_required: false,
            is_strict: false,
            methods: vec![Method::POST, Method::PATCH],
            header: HeaderName::from_static("idempotency-key"),
            max_request: 1 << 20,
            max_response: 1 << 20,
            keep_if: Arc::new(|head| is_final(head.status)),
            // What the body is, too: without its encoding it would be another one.
            kept_headers: vec![
                CONTENT_TYPE,
                CONTENT_ENCODING,
                CONTENT_LANGUAGE,
                CONTENT_DISPOSITION,
                CONTENT_LOCATION,
                LOCATION,
                ETAG,
                LINK,
            ],
            fingerprint: FingerprintOf::Request,
            kind: r#""about:blank""#.into(),
            runs_to_end: true,
            keep: Duration::from_secs(24 * 60 * 60),
        }
    }
}

impl Settings {
    pub(super) fn problem<B>(&self, problem: Problem) -> Response<KeyBody<B>> {
        problem.response(&self.kind)
    }
}

/// Whether the same request would get the same answer again, whoever sends it and whenever.
fn is_final(status: StatusCode) -> bool {
    match status.as_u16() {
        401 | 403 | 408 | 409 | 421 | 425 | 429 => false,
        status => (200..500).contains(&status),
    }
}
