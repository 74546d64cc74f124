use std::sync::Arc;
use std::task::{Context, Poll};

use http::Request;
use tower_service::Service;

use super::layer::Inbound;
use crate::deadline::service::call_within;
use crate::deadline::{Arrival, ResponseFuture};
use crate::error::StackError;

/// Gives each request the deadline that its headers ask for. Made by [`InboundLayer`](super::InboundLayer).
///
/// `poll_ready` is the inner service's: a deadline begins with a request.
///
/// # Clone
/// Costs a reference count.
#[derive(Clone, Debug)]
pub struct InboundService<S> {
    inner: S,
    inbound: Arc<Inbound>,
}

impl<S> InboundService<S> {
    pub(super) fn new(inner: S, inbound: Arc<Inbound>) -> InboundService<S> {
        InboundService { inner, inbound }
    }

    accessors!(self.inner, "Calls made on it directly get no deadline.");
}

impl<S, B> Service<Request<B>> for InboundService<S>
where
    S: Service<Request<B>>,
    S::Error: StackError,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let InboundService { inner, inbound } = self;
        let arrival = Arrival::default();
        let deadline = inbound.deadline_for(&request, &arrival);
        if let (true, Some(deadline)) = (inbound.inserts_extension, deadline) {
            request.extensions_mut().insert(deadline);
        }
        call_within(inner, request, deadline, &arrival, inbound.limits.least.unwrap_or_default(), &inbound.notifier)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};
    use std::time::Duration;

    use tower::{Layer, service_fn};

    use super::*;
    use crate::error::BoxError;
    use crate::http::InboundLayer;
    use crate::rt::time::readings;

    fn readings_of(layer: &InboundLayer, headers: &[(&'static str, &'static str)]) -> u64 {
        let mut service = layer.layer(service_fn(|_| -> Ready<Result<(), BoxError>> { ready(Ok(())) }));
        let mut request = Request::new(());
        for (name, value) in headers {
            request.headers_mut().insert(*name, http::HeaderValue::from_static(value));
        }
        readings::during(|| drop(service.call(request))).1
    }

    /// DL-12, X-07: one reading of the clock for a request with a deadline, however many headers say so, and none for
    /// one without.
    #[test]
    fn clock_readings() {
        let all = InboundLayer::builder().max(Duration::from_secs(9)).least(Duration::from_millis(1)).build();
        for layer in [InboundLayer::new(), all.expect("good settings")] {
            assert_eq!(readings_of(&layer, &[]), 0);
            assert_eq!(readings_of(&layer, &[("grpc-timeout", "soon")]), 0);
            assert_eq!(readings_of(&layer, &[("grpc-timeout", "1S"), ("x-request-timeout-ms", "900")]), 1);
            assert_eq!(readings_of(&layer, &[("grpc-timeout", "0S")]), 1);
        }
        let default = InboundLayer::builder().default(Duration::from_secs(1)).build().expect("good settings");
        assert_eq!(readings_of(&default, &[]), 1);
    }
}
