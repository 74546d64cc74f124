use std::time::Duration;

use tower_layer::Layer;

use super::{BodyTimeoutLayer, HttpClassifier, HttpPolicyService, HttpReplay, HttpRetry};
use crate::fallback::handle::Fallback;
use crate::policy::handle::Policy;
use crate::policy::{Class, PolicyBuilder, PolicyFallbackLayer, PolicyLayer, WithRetry, WithoutRetry};
use crate::retry::ByResult;

/// Puts a [`Policy`] around an HTTP service: a [`PolicyLayer`] that judges by status and retries requests that HTTP
/// allows to be repeated, and around it the time limits of the bodies.
///
/// Made by [`Policy::http_layer`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct HttpPolicyLayer<P = PolicyLayer<HttpClassifier, Class, WithRetry<ByResult<HttpRetry>, HttpReplay>>> {
    policy: P,
    bodies: Option<BodyTimeoutLayer>,
}

impl<P> HttpPolicyLayer<P> {
    fn map<Q>(self, change: impl FnOnce(P) -> Q) -> HttpPolicyLayer<Q> {
        HttpPolicyLayer { policy: change(self.policy), bodies: self.bodies }
    }
}

impl<C, L, A> HttpPolicyLayer<PolicyLayer<C, L, A>> {
    /// Like [`PolicyLayer::class`].
    pub fn class(self, class: Class) -> HttpPolicyLayer<PolicyLayer<C, Class, A>> {
        self.map(|policy| policy.class(class))
    }

    /// Like [`PolicyLayer::class_for`].
    pub fn class_for<K>(self, class_for: K) -> HttpPolicyLayer<PolicyLayer<C, K, A>> {
        self.map(|policy| policy.class_for(class_for))
    }

    /// Like [`PolicyLayer::classify`].
    pub fn classify<K>(self, classifier: K) -> HttpPolicyLayer<PolicyLayer<K, L, A>> {
        self.map(|policy| policy.classify(classifier))
    }

    /// Like [`PolicyLayer::without_retry`].
    pub fn without_retry(self) -> HttpPolicyLayer<PolicyLayer<C, L, WithoutRetry>> {
        self.map(PolicyLayer::without_retry)
    }

    /// Like [`PolicyLayer::fallback`]. Its responses have the inner service's body type.
    pub fn fallback<F, W>(
        self,
        fallback: Fallback<F, W>,
    ) -> HttpPolicyLayer<PolicyFallbackLayer<PolicyLayer<C, L, A>, F, W>> {
        self.map(|policy| policy.fallback(fallback))
    }
}

impl<C, L, D, R> HttpPolicyLayer<PolicyLayer<C, L, WithRetry<D, R>>> {
    /// Like [`PolicyLayer::retry_if`].
    pub fn retry_if<K>(self, retry_if: K) -> HttpPolicyLayer<PolicyLayer<C, L, WithRetry<ByResult<K>, R>>> {
        self.map(|policy| policy.retry_if(retry_if))
    }

    /// Like [`PolicyLayer::retry_if_for`].
    pub fn retry_if_for<K>(self, retry_if: K) -> HttpPolicyLayer<PolicyLayer<C, L, WithRetry<K, R>>> {
        self.map(|policy| policy.retry_if_for(retry_if))
    }

    /// Like [`PolicyLayer::replay`].
    pub fn replay<K>(self, replay: K) -> HttpPolicyLayer<PolicyLayer<C, L, WithRetry<D, K>>> {
        self.map(|policy| policy.replay(replay))
    }
}

impl<S, P: Layer<S>> Layer<S> for HttpPolicyLayer<P> {
    type Service = HttpPolicyService<P::Service>;

    fn layer(&self, inner: S) -> Self::Service {
        HttpPolicyService::new(self.policy.layer(inner), self.bodies.clone())
    }
}

impl PolicyBuilder {
    /// Ends a response body whose next frame takes longer, while a reader waits for it: see
    /// [`BodyTimeoutLayer`](crate::http::BodyTimeoutLayer). More than zero; no limit if not set.
    ///
    /// Timeouts end with the response head; this and [`body_timeout`](Self::body_timeout) limit what follows. They
    /// apply to [`Policy::http_layer`] only: without responses there are no bodies.
    pub fn body_idle_timeout(mut self, time: Duration) -> PolicyBuilder {
        self.bodies.idle = Some(time);
        self
    }

    /// Ends a response body that takes longer as a whole, counted from the head, whether or not a reader waits. More
    /// than zero; no limit if not set. Like [`body_idle_timeout`](Self::body_idle_timeout), it applies to
    /// [`Policy::http_layer`] only.
    pub fn body_timeout(mut self, time: Duration) -> PolicyBuilder {
        self.bodies.total = Some(time);
        self
    }
}

impl Policy {
    /// A layer that puts this policy around an HTTP service. The circuit breaker judges by status, as
    /// [`HttpClassifier`] does. If the policy retries, it repeats requests that may be repeated, after responses and
    /// errors that may be transient; see [`HttpReplay`] and [`HttpRetry`]. The inner service gets requests with a
    /// [`ReplayBody`](super::ReplayBody), and responses have a [`PolicyBody`](super::PolicyBody), limited by the
    /// policy's `body_idle_timeout` and `body_timeout`.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::{Request, Response, StatusCode};
    /// use http_body_util::Empty;
    /// use seaworthy::http::ReplayBody;
    /// use seaworthy::{BoxError, Policy, State};
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// let policy = Policy::builder("backend")
    ///     .circuit_breaker(|circuit_breaker| circuit_breaker.consecutive_failures(1))
    ///     .build()?;
    /// // A stand-in for an HTTP client.
    /// let broken = service_fn(async |_: Request<ReplayBody<Empty<Bytes>>>| {
    ///     let mut response = Response::new(Empty::<Bytes>::new());
    ///     *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    ///     Ok::<_, BoxError>(response)
    /// });
    /// let client = ServiceBuilder::new().layer(policy.http_layer()).service(broken);
    ///
    /// let request = Request::get("http://backend/orders").body(Empty::new())?;
    /// assert_eq!(client.oneshot(request).await?.status(), StatusCode::INTERNAL_SERVER_ERROR);
    /// assert_eq!(policy.circuit_breaker().map(|circuit_breaker| circuit_breaker.state()), Some(State::Open));
    /// # Ok(())
    /// # }
    /// ```
    pub fn http_layer(&self) -> HttpPolicyLayer {
        let policy = self.layer().classify(HttpClassifier).retry_if(HttpRetry).replay(HttpReplay::new());
        let (limits, notifier) = self.bodies();
        HttpPolicyLayer { policy, bodies: BodyTimeoutLayer::of_policy(limits, notifier) }
    }
}
