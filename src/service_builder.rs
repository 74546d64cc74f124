use std::time::Duration;

use tower::ServiceBuilder;
use tower::layer::util::Stack;

use crate::bulkhead::BulkheadLayer;
use crate::bulkhead::handle::Bulkhead;
use crate::circuit_breaker::CircuitBreakerLayer;
use crate::circuit_breaker::handle::CircuitBreaker;
use crate::deadline::layer::DeadlineLayer;
use crate::error::wrap::WrapErrorLayer;
use crate::fallback::FallbackLayer;
use crate::fallback::handle::Fallback;
use crate::health::ReadinessLayer;
use crate::health::handle::Health;
use crate::policy::PolicyLayer;
use crate::policy::handle::Policy;
use crate::retry::RetryLayer;
use crate::retry::policy::RetryPolicy;
use crate::shared::service::SharedLayer;
use crate::timeout::handle::Timeout;
use crate::timeout::layer::TimeoutLayer;

/// Puts the layers of this crate on a [`ServiceBuilder`] by name, in the order in which requests meet them. Feature
/// `tower`.
///
/// Each is the handle's own `layer()`, unchanged. To configure a layer, configure it first and pass it to `.layer(..)`,
/// which takes any. The methods that start with `http_` judge and repeat as HTTP requires; they also need feature
/// `http`.
///
/// tower's own `retry` and `timeout`, which the builder has if anything in the build enables these features of tower,
/// take precedence over those of this trait. They take other arguments, so the compiler reports it; then write
/// `.layer(policy.layer())` and `.layer(timeout.layer())`.
///
/// ```
/// use seaworthy::{BoxError, CircuitBreaker, RetryPolicy, ServiceBuilderExt, Bulkhead};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let circuit_breaker = CircuitBreaker::builder("parser").build()?;
/// let bulkhead = Bulkhead::builder("parser").build()?;
/// let service = ServiceBuilder::new()
///     .circuit_breaker(&circuit_breaker)
///     .bulkhead(&bulkhead)
///     .service(service_fn(async |text: &'static str| Ok::<u8, BoxError>(text.parse()?)));
/// assert_eq!(service.oneshot("7").await?, 7);
/// # Ok(())
/// # }
/// ```
pub trait ServiceBuilderExt<L>: sealed::Sealed + Sized {
    /// Rejects while the circuit is open; every error is a failure. For an HTTP service, whose failures are responses,
    /// use `http_circuit_breaker`.
    fn circuit_breaker(self, circuit_breaker: &CircuitBreaker) -> ServiceBuilder<Stack<CircuitBreakerLayer, L>>;

    /// Rejects while the circuit is open, and judges by status: see [`HttpClassifier`](crate::http::HttpClassifier).
    #[cfg(feature = "http")]
    fn http_circuit_breaker(
        self,
        circuit_breaker: &CircuitBreaker,
    ) -> ServiceBuilder<Stack<CircuitBreakerLayer<crate::http::HttpClassifier>, L>>;

    /// Lets as many calls run at once as the bulkhead has permits.
    fn bulkhead(self, bulkhead: &Bulkhead) -> ServiceBuilder<Stack<BulkheadLayer, L>>;

    /// Retries requests that are `Clone`, after errors.
    fn retry(self, policy: &RetryPolicy) -> ServiceBuilder<Stack<RetryLayer, L>>;

    /// Retries HTTP requests that may be repeated, after responses and errors that may be temporary: see
    /// [`RetryPolicy::http_layer`].
    #[cfg(feature = "http")]
    fn http_retry(self, policy: &RetryPolicy) -> ServiceBuilder<Stack<HttpRetryLayer, L>>;

    /// Gives up on requests that are not answered in time.
    fn timeout<D: Clone>(self, timeout: &Timeout<D>) -> ServiceBuilder<Stack<TimeoutLayer<D>, L>>;

    /// Gives each request this much time from its arrival: see [`DeadlineLayer`].
    fn deadline(self, time: Duration) -> ServiceBuilder<Stack<DeadlineLayer, L>>;

    /// Rejects requests while the service is not ready, and counts those it lets in.
    fn readiness(self, health: &Health) -> ServiceBuilder<Stack<ReadinessLayer, L>>;

    /// Like [`readiness`](Self::readiness), but lets requests for health endpoints pass: see
    /// [`Health::http_readiness_layer`].
    #[cfg(feature = "http")]
    fn http_readiness(self, health: &Health) -> ServiceBuilder<Stack<ReadinessLayer<crate::http::HealthPaths>, L>>;

    /// Gives another answer to calls that failed with what the fallback covers.
    fn fallback<A: Clone, W: Clone>(self, fallback: &Fallback<A, W>) -> ServiceBuilder<Stack<FallbackLayer<A, W>, L>>;

    /// Sends requests through all parts of a policy.
    fn policy(self, policy: &Policy) -> ServiceBuilder<Stack<PolicyLayer, L>>;

    /// Sends HTTP requests through all parts of a policy, which judges by status and repeats what may be repeated: see
    /// [`Policy::http_layer`].
    #[cfg(feature = "http")]
    fn http_policy(self, policy: &Policy) -> ServiceBuilder<Stack<crate::http::HttpPolicyLayer, L>>;

    /// Answers the rejections of the layers below with HTTP responses.
    #[cfg(feature = "http")]
    fn respond(self) -> ServiceBuilder<Stack<crate::http::RespondLayer, L>>;

    /// Gives each HTTP request the deadline that its headers ask for: see [`InboundLayer`](crate::http::InboundLayer).
    #[cfg(feature = "http")]
    fn inbound(self) -> ServiceBuilder<Stack<crate::http::InboundLayer, L>>;

    /// Tells the service that is called how much of a call's time is left: see
    /// [`OutboundLayer`](crate::http::OutboundLayer).
    #[cfg(feature = "http")]
    fn outbound(self) -> ServiceBuilder<Stack<crate::http::OutboundLayer, L>>;

    /// Rejects while the circuit is open, and judges gRPC calls by their status, to the last byte: see
    /// [`CircuitBreaker::grpc_layer`].
    #[cfg(feature = "grpc")]
    fn grpc_circuit_breaker(
        self,
        circuit_breaker: &CircuitBreaker,
    ) -> ServiceBuilder<Stack<GrpcCircuitBreakerLayer, L>>;

    /// Answers the rejections of the layers below: gRPC requests with a status, others as [`respond`](Self::respond)
    /// does.
    #[cfg(feature = "grpc")]
    fn grpc_respond(self) -> ServiceBuilder<Stack<crate::http::grpc::GrpcRespondLayer, L>>;

    /// Wraps the error type of the service below in one that can hold rejections.
    fn wrap_error(self) -> ServiceBuilder<Stack<WrapErrorLayer, L>>;

    /// Shares a service below that is not `Clone`: see [`SharedLayer`].
    fn shared(self) -> ServiceBuilder<Stack<SharedLayer, L>>;
}

#[cfg(feature = "http")]
type HttpRetryLayer = RetryLayer<crate::retry::ByResult<crate::http::HttpRetry>, crate::http::HttpReplay>;

#[cfg(feature = "grpc")]
type GrpcCircuitBreakerLayer =
    crate::http::BodyCircuitBreakerLayer<crate::http::grpc::GrpcClassifier, crate::http::grpc::GrpcClassifier>;

mod sealed {
    pub trait Sealed {}

    impl<L> Sealed for tower::ServiceBuilder<L> {}
}

impl<L> ServiceBuilderExt<L> for ServiceBuilder<L> {
    fn circuit_breaker(self, circuit_breaker: &CircuitBreaker) -> ServiceBuilder<Stack<CircuitBreakerLayer, L>> {
        self.layer(circuit_breaker.layer())
    }

    #[cfg(feature = "http")]
    fn http_circuit_breaker(
        self,
        circuit_breaker: &CircuitBreaker,
    ) -> ServiceBuilder<Stack<CircuitBreakerLayer<crate::http::HttpClassifier>, L>> {
        self.layer(circuit_breaker.layer().classify(crate::http::HttpClassifier))
    }

    fn bulkhead(self, bulkhead: &Bulkhead) -> ServiceBuilder<Stack<BulkheadLayer, L>> {
        self.layer(bulkhead.layer())
    }

    fn retry(self, policy: &RetryPolicy) -> ServiceBuilder<Stack<RetryLayer, L>> {
        self.layer(policy.layer())
    }

    #[cfg(feature = "http")]
    fn http_retry(self, policy: &RetryPolicy) -> ServiceBuilder<Stack<HttpRetryLayer, L>> {
        self.layer(policy.http_layer())
    }

    fn timeout<D: Clone>(self, timeout: &Timeout<D>) -> ServiceBuilder<Stack<TimeoutLayer<D>, L>> {
        self.layer(timeout.layer())
    }

    fn readiness(self, health: &Health) -> ServiceBuilder<Stack<ReadinessLayer, L>> {
        self.layer(health.readiness_layer())
    }

    #[cfg(feature = "http")]
    fn http_readiness(self, health: &Health) -> ServiceBuilder<Stack<ReadinessLayer<crate::http::HealthPaths>, L>> {
        self.layer(health.http_readiness_layer())
    }

    fn fallback<A: Clone, W: Clone>(self, fallback: &Fallback<A, W>) -> ServiceBuilder<Stack<FallbackLayer<A, W>, L>> {
        self.layer(fallback.layer())
    }

    fn policy(self, policy: &Policy) -> ServiceBuilder<Stack<PolicyLayer, L>> {
        self.layer(policy.layer())
    }

    #[cfg(feature = "http")]
    fn http_policy(self, policy: &Policy) -> ServiceBuilder<Stack<crate::http::HttpPolicyLayer, L>> {
        self.layer(policy.http_layer())
    }

    #[cfg(feature = "http")]
    fn respond(self) -> ServiceBuilder<Stack<crate::http::RespondLayer, L>> {
        self.layer(crate::http::RespondLayer::new())
    }

    #[cfg(feature = "http")]
    fn inbound(self) -> ServiceBuilder<Stack<crate::http::InboundLayer, L>> {
        self.layer(crate::http::InboundLayer::new())
    }

    #[cfg(feature = "http")]
    fn outbound(self) -> ServiceBuilder<Stack<crate::http::OutboundLayer, L>> {
        self.layer(crate::http::OutboundLayer::new())
    }

    #[cfg(feature = "grpc")]
    fn grpc_circuit_breaker(
        self,
        circuit_breaker: &CircuitBreaker,
    ) -> ServiceBuilder<Stack<GrpcCircuitBreakerLayer, L>> {
        self.layer(circuit_breaker.grpc_layer())
    }

    #[cfg(feature = "grpc")]
    fn grpc_respond(self) -> ServiceBuilder<Stack<crate::http::grpc::GrpcRespondLayer, L>> {
        self.layer(crate::http::grpc::GrpcRespondLayer::new())
    }

    fn deadline(self, time: Duration) -> ServiceBuilder<Stack<DeadlineLayer, L>> {
        self.layer(DeadlineLayer::within(time))
    }

    fn wrap_error(self) -> ServiceBuilder<Stack<WrapErrorLayer, L>> {
        self.layer(WrapErrorLayer::new())
    }

    fn shared(self) -> ServiceBuilder<Stack<SharedLayer, L>> {
        self.layer(SharedLayer::new())
    }
}
