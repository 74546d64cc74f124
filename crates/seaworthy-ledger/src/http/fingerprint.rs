//! What a key stands for, so that it cannot stand for something else.

use std::sync::Arc;

use bytes::Bytes;
use hmac_sha256::Hash;
use http::header::CONTENT_TYPE;
use http::request::Parts;

type OfHead = dyn Fn(&Parts) -> [u8; 32] + Send + Sync;
type OfBody = dyn Fn(&Parts, &Bytes) -> [u8; 32] + Send + Sync;

#[derive(Clone)]
pub(super) enum FingerprintOf {
    /// Method, path with query, content type and body.
    Request,
    Body(Arc<OfBody>),
    Head(Arc<OfHead>),
}

impl FingerprintOf {
    pub(super) fn needs_body(&self) -> bool {
        !matches!(self, FingerprintOf::Head(_))
    }

    pub(super) fn of(&self, head: &Parts, body: &Bytes) -> Bytes {
        let digest = match self {
            FingerprintOf::Request => of_request(head, body),
            FingerprintOf::Body(by) => by(head, body),
            FingerprintOf::Head(by) => by(head),
        };
        Bytes::copy_from_slice(&digest)
    }
}

/// No part but the last can have a NUL, so it keeps them apart.
fn of_request(head: &Parts, body: &Bytes) -> [u8; 32] {
    let mut hash = Hash::new();
    hash.update(head.method.as_str());
    hash.update([0]);
    hash.update(head.uri.path());
    if let Some(query) = head.uri.query() {
        hash.update([b'?']);
        hash.update(query);
    }
    hash.update([0]);
    for line in head.headers.get_all(CONTENT_TYPE) {
        hash.update(line.as_bytes());
        hash.update([b'\n']);
    }
    hash.update([0]);
    hash.update(body);
    hash.finalize()
}
