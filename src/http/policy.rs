use std::time::Duration;

use tower_layer::Layer;

use super::{BodyTimeoutLayer, HttpClassifier, HttpPolicyService, HttpReplay, HttpRetry};
use crate::fallback::Fallback;
use crate::policy::{Class, Policy, PolicyBuilder, PolicyFallbackLayer, PolicyLayer, WithRetry, WithoutRetry};
use crate::retry::ByResult;

/// Puts a [`Policy`] around an HTTP service: a [`PolicyLayer`] that judges by statuses and retries what HTTP allows to be
/// repeated, and the limits of the bodies, which come after everything else.
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
    /// As [`PolicyLayer::class`].
    pub fn class(self, class: Class) -> HttpPolicyLayer<PolicyLayer<C, Class, A>> {
        self.map(|policy| policy.class(class))
    }

    /// As [`PolicyLayer::class_for`].
    pub fn class_for<K>(self, class_for: K) -> HttpPolicyLayer<PolicyLayer<C, K, A>> {
        self.map(|policy| policy.class_for(class_for))
    }

    /// As [`PolicyLayer::classify`].
    pub fn classify<K>(self, classifier: K) -> HttpPolicyLayer<PolicyLayer<K, L, A>> {
        self.map(|policy| policy.classify(classifier))
    }

    /// As [`PolicyLayer::without_retry`].
    pub fn without_retry(self) -> HttpPolicyLayer<PolicyLayer<C, L, WithoutRetry>> {
        self.map(PolicyLayer::without_retry)
    }

    /// As [`PolicyLayer::fallback`]. Its answers have the inner service's type of body.
    pub fn fallback<F, W>(
        self,
        fallback: Fallback<F, W>,
    ) -> HttpPolicyLayer<PolicyFallbackLayer<PolicyLayer<C, L, A>, F, W>> {
        self.map(|policy| policy.fallback(fallback))
    }
}

impl<C, L, D, R> HttpPolicyLayer<PolicyLayer<C, L, WithRetry<D, R>>> {
    /// As [`PolicyLayer::retry_if`].
    pub fn retry_if<K>(self, retry_if: K) -> HttpPolicyLayer<PolicyLayer<C, L, WithRetry<ByResult<K>, R>>> {
        self.map(|policy| policy.retry_if(retry_if))
    }

    /// As [`PolicyLayer::retry_if_for`].
    pub fn retry_if_for<K>(self, retry_if: K) -> HttpPolicyLayer<PolicyLayer<C, L, WithRetry<K, R>>> {
        self.map(|policy| policy.retry_if_for(retry_if))
    }

    /// As [`PolicyLayer::replay`].
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
    /// Gives up the body of a response whose next frame has not come within this time, while somebody waits for it: see
    /// [`BodyTimeoutLayer`](crate::http::BodyTimeoutLayer). More than zero; no limit if not set.
    ///
    /// The timeouts end at the head of a response; this and [`body_timeout`](Self::body_timeout) bound what comes after.
    /// They are for [`Policy::http_layer`]; where there are no responses there are no bodies.
    pub fn body_idle_timeout(mut self, time: Duration) -> PolicyBuilder {
        self.bodies.idle = Some(time);
        self
    }

    /// Gives up the body of a response that has not ended so long after its head, whether somebody waits for it or not. More
    /// than zero; no limit if not set. It is for [`Policy::http_layer`], as
    /// [`body_idle_timeout`](Self::body_idle_timeout).
    pub fn body_timeout(mut self, time: Duration) -> PolicyBuilder {
        self.bodies.total = Some(time);
        self
    }
}

impl Policy {
    /// A layer that puts this policy around an HTTP service: the circuit learns from statuses, as [`HttpClassifier`]
    /// says, and if the policy retries, it retries requests which may be repeated, after responses and errors that may
    /// pass; see [`HttpReplay`] and [`HttpRetry`]. The inner service gets requests with a
    /// [`ReplayBody`](super::ReplayBody), and the responses have a [`PolicyBody`](super::PolicyBody), which is limited as
    /// the policy's `body_idle_timeout` and `body_timeout` say.
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
    /// let policy = Policy::builder("backend").circuit_breaker(|circuit_breaker| circuit_breaker.consecutive_failures(1)).build()?;
    /// // In place of it: an HTTP client.
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
