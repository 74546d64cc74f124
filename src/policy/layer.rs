use tower_layer::Layer;

use super::again::{WithRetry, WithoutRetry};
use super::class::Class;
use super::handle::Policy;
use super::service::PolicyService;
use crate::admission::classify::ErrorClassifier;
use crate::retry::ByResult;

/// Puts a [`Policy`] around a service. All services made by this layer and its clones share the policy.
///
/// Made by [`Policy::layer`]. If the policy retries, requests must be `Clone`, or [`replay`](Self::replay) must say how
/// to copy them. If it does not, the same holds unless [`without_retry`](Self::without_retry) rules retries out,
/// because a policy read from a file may retry tomorrow.
///
/// ```
/// use seaworthy::policy::Class;
/// use seaworthy::{BoxError, Policy};
/// use std::time::Duration;
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// #[derive(Clone)]
/// enum Request { Ping, Report }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let policy = Policy::builder("compute")
///     .circuit_breaker(|circuit_breaker| circuit_breaker.consecutive_failures(5))
///     .bulkhead(|bulkhead| bulkhead.limit(20))
///     .timeout(Duration::from_secs(120))
///     .class("long", Class::new().timeout(Duration::from_secs(600)))
///     .class("ping", Class::new().timeout(Duration::from_secs(5)).without_bulkhead())
///     .build()?;
/// let (ping, long) = (policy.class("ping")?, policy.class("long")?);
///
/// let service = ServiceBuilder::new()
///     .layer(policy.layer().class_for(move |request: &Request| match request {
///         Request::Ping => ping,
///         Request::Report => long,
///     }))
///     .service(service_fn(async |_: Request| Ok::<_, BoxError>("here")));
/// assert_eq!(service.clone().oneshot(Request::Ping).await?, "here");
/// assert_eq!(service.oneshot(Request::Report).await?, "here");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct PolicyLayer<C = ErrorClassifier, L = Class, A = WithRetry> {
    policy: Policy,
    class_for: L,
    classifier: C,
    again: A,
}

impl PolicyLayer {
    pub(super) fn new(policy: Policy) -> PolicyLayer {
        PolicyLayer { policy, class_for: Class::new(), classifier: ErrorClassifier, again: WithRetry::default() }
    }
}

impl<C, L, A> PolicyLayer<C, L, A> {
    /// For calls that go on in their response bodies.
    pub(crate) fn until_body_end(self) -> PolicyLayer<C, L, A> {
        PolicyLayer { policy: self.policy.until_body_end(), ..self }
    }

    /// Sends every request through the policy as this class says.
    pub fn class(self, class: Class) -> PolicyLayer<C, Class, A> {
        self.class_for(class)
    }

    /// Lets `class_for` decide the class of a request; it is called once per request, before the first attempt.
    pub fn class_for<K>(self, class_for: K) -> PolicyLayer<C, K, A> {
        PolicyLayer { policy: self.policy, class_for, classifier: self.classifier, again: self.again }
    }

    /// Lets `classifier` decide what a result says about the backend: see [`Classify`](crate::Classify).
    ///
    /// Each call holds a clone of it, so it should be cheap to clone: a function, a closure that captures nothing, or
    /// an `Arc`.
    pub fn classify<K>(self, classifier: K) -> PolicyLayer<K, L, A> {
        PolicyLayer { policy: self.policy, class_for: self.class_for, classifier, again: self.again }
    }

    /// Sends each request once, whatever the policy says. Requests need not be `Clone`, nor errors `Debug` or
    /// `Display`.
    pub fn without_retry(self) -> PolicyLayer<C, L, WithoutRetry> {
        PolicyLayer { policy: self.policy, class_for: self.class_for, classifier: self.classifier, again: WithoutRetry }
    }
}

impl<C, L, D, R> PolicyLayer<C, L, WithRetry<D, R>> {
    /// Lets `retry_if` decide which results are retried, if the policy retries: see [`RetryIf`](crate::RetryIf).
    ///
    /// Each call holds a clone of it, as with [`classify`](Self::classify).
    pub fn retry_if<K>(self, retry_if: K) -> PolicyLayer<C, L, WithRetry<ByResult<K>, R>> {
        self.retry_if_for(ByResult::new(retry_if))
    }

    /// Like [`retry_if`](Self::retry_if), for a decision that depends on the request: see
    /// [`RetryIfFor`](crate::retry::RetryIfFor), and `http::RetryIfRequest` for a closure that gets the method and the
    /// URI.
    pub fn retry_if_for<K>(self, retry_if: K) -> PolicyLayer<C, L, WithRetry<K, R>> {
        let again = WithRetry { retry_if, replay: self.again.replay };
        PolicyLayer { policy: self.policy, class_for: self.class_for, classifier: self.classifier, again }
    }

    /// Lets `replay` copy the requests, if the policy retries: see [`Replay`](crate::retry::Replay).
    ///
    /// Each call holds a clone of it, as with [`classify`](Self::classify).
    pub fn replay<K>(self, replay: K) -> PolicyLayer<C, L, WithRetry<D, K>> {
        let again = WithRetry { retry_if: self.again.retry_if, replay };
        PolicyLayer { policy: self.policy, class_for: self.class_for, classifier: self.classifier, again }
    }
}

impl<S, C: Clone, L: Clone, A: Clone> Layer<S> for PolicyLayer<C, L, A> {
    type Service = PolicyService<S, C, L, A>;

    fn layer(&self, inner: S) -> PolicyService<S, C, L, A> {
        let PolicyLayer { policy, class_for, classifier, again } = self;
        PolicyService::new(inner, policy.clone(), class_for.clone(), classifier.clone(), again.clone())
    }
}
