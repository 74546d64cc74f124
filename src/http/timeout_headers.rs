use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::wire_timeout::Notation;
use crate::error::ConfigError;
use crate::error::check::Subject;

/// In which gRPC says how much time a call has.
pub(crate) const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
/// In which everything else does, unless it was renamed.
pub(super) const REQUEST_TIMEOUT: HeaderName = HeaderName::from_static("x-request-timeout-ms");

/// The name of a header with milliseconds.
///
/// # Errors
/// It names the setting if that is no name for a header, or the one that gRPC has.
pub(super) fn millis_header(subject: Subject<'_>, field: &'static str, name: &str) -> Result<HeaderName, ConfigError> {
    let parsed = name.parse().map_err(|_| subject.refuse(field, name, "must be the name of a header"))?;
    subject.require(parsed != GRPC_TIMEOUT, field, name, "must not be gRPC's, which is not in milliseconds")?;
    Ok(parsed)
}

/// `left` as the value of a header, rounded down; none if nothing is left then.
pub(crate) fn header_value(notation: Notation, left: Duration) -> Option<HeaderValue> {
    HeaderValue::from_bytes(notation.write(left)?.as_bytes()).ok()
}

/// What the headers of one name say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct HeaderTime {
    /// The shortest of the times that are well-formed.
    pub(super) time: Option<Duration>,
    pub(super) is_malformed: bool,
}

impl HeaderTime {
    #[inline]
    pub(super) fn by(headers: &HeaderMap, name: &HeaderName, notation: Notation) -> HeaderTime {
        let mut said = HeaderTime::default();
        for value in headers.get_all(name) {
            match notation.read(value.as_bytes()) {
                Some(time) => said.time = Some(said.time.map_or(time, |other| other.min(time))),
                None => said.is_malformed = true,
            }
        }
        said
    }
}
