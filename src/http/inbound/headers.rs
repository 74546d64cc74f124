use std::time::Duration;

use http::{HeaderMap, HeaderName};

use crate::http::timeout_headers::{GRPC_TIMEOUT, HeaderTime, REQUEST_TIMEOUT};
use crate::http::wire_timeout::Notation;
use crate::observe::event::DeadlineEvent;
use crate::timeout::TimeoutNotifier;

/// The headers that say how much time a request has.
#[derive(Debug)]
pub(super) struct Headers {
    known: Box<[(HeaderName, Notation)]>,
}

impl Default for Headers {
    fn default() -> Headers {
        Headers::new(vec![REQUEST_TIMEOUT])
    }
}

impl Headers {
    /// These have milliseconds; gRPC's is always read.
    pub(super) fn new(millis: Vec<HeaderName>) -> Headers {
        let millis = millis.into_iter().map(|name| (name, Notation::Millis));
        Headers { known: std::iter::once((GRPC_TIMEOUT, Notation::Grpc)).chain(millis).collect() }
    }

    /// The shortest of the times that are well-formed. The observer is notified of the first name under which one is
    /// not.
    #[inline]
    pub(super) fn shortest(&self, headers: &HeaderMap, notifier: &TimeoutNotifier) -> Option<Duration> {
        let (mut shortest, mut malformed) = (None::<Duration>, None);
        for (name, notation) in &self.known {
            let said = HeaderTime::by(headers, name, *notation);
            shortest = shortest.into_iter().chain(said.time).min();
            if said.is_malformed {
                malformed = malformed.or(Some(name));
            }
        }
        if let Some(header) = malformed {
            report(header, notifier);
        }
        shortest
    }
}

#[cold]
fn report(header: &HeaderName, notifier: &TimeoutNotifier) {
    notifier.with(|notifier, name, source| {
        notifier.notify(DeadlineEvent::HeaderMalformed { name, source, header: header.as_str() });
    });
}
