use std::convert::Infallible;

use tower_layer::Layer;

use super::class::Class;
use super::future::Judges;
use super::handle::Policy;
use super::service::PolicyService;
use crate::ErrorClassifier;
use crate::retry::{CloneReplay, Replay, RetryErrors};

/// Puts a [`Policy`] around a service. All services made by it, and by its clones, share the policy.
///
/// Made by [`Policy::layer`]. Where the policy retries, requests have to be `Clone`, or [`replay`](Self::replay) says
/// how they are copied; where it does not, they still have to be unless [`without_retry`](Self::without_retry) says so,
/// because a policy that was read from a file may retry tomorrow.
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
///     .circuit(|circuit| circuit.consecutive_failures(5))
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
pub struct PolicyLayer<C = ErrorClassifier, L = Class, D = RetryErrors, R = CloneReplay> {
    policy: Policy,
    retries: bool,
    class_for: L,
    classifier: C,
    retry_if: D,
    replay: R,
}

impl PolicyLayer {
    pub(super) fn new(policy: Policy) -> PolicyLayer {
        PolicyLayer {
            policy,
            retries: true,
            class_for: Class::new(),
            classifier: ErrorClassifier,
            retry_if: RetryErrors,
            replay: CloneReplay,
        }
    }
}

impl<C, L, D, R> PolicyLayer<C, L, D, R> {
    /// Sends every request through the policy as this class says.
    pub fn class(self, class: Class) -> PolicyLayer<C, Class, D, R> {
        self.class_for(class)
    }

    /// Lets `class_for` say of which class a request is; it is asked once for each request, before the first attempt.
    pub fn class_for<K>(self, class_for: K) -> PolicyLayer<C, K, D, R> {
        let PolicyLayer { policy, retries, class_for: _, classifier, retry_if, replay } = self;
        PolicyLayer { policy, retries, class_for, classifier, retry_if, replay }
    }

    /// Lets `classifier` say what a result tells about the backend: see [`Classify`](crate::Classify).
    ///
    /// Each call holds a clone of it, so let it be cheap to clone: a function, a closure that captures nothing or an
    /// `Arc`.
    pub fn classify<K>(self, classifier: K) -> PolicyLayer<K, L, D, R> {
        let PolicyLayer { policy, retries, class_for, classifier: _, retry_if, replay } = self;
        PolicyLayer { policy, retries, class_for, classifier, retry_if, replay }
    }

    /// Lets `retry_if` say which results are tried again, where the policy retries: see [`RetryIf`](crate::RetryIf).
    ///
    /// Each call holds a clone of it, as of [`classify`](Self::classify).
    pub fn retry_if<K>(self, retry_if: K) -> PolicyLayer<C, L, K, R> {
        let PolicyLayer { policy, retries, class_for, classifier, retry_if: _, replay } = self;
        PolicyLayer { policy, retries, class_for, classifier, retry_if, replay }
    }

    /// Lets `replay` make the copies of a request, where the policy retries: see [`Replay`](crate::retry::Replay).
    ///
    /// Each call holds a clone of it, as of [`classify`](Self::classify).
    pub fn replay<K>(self, replay: K) -> PolicyLayer<C, L, D, K> {
        let PolicyLayer { policy, retries, class_for, classifier, retry_if, replay: _ } = self;
        PolicyLayer { policy, retries, class_for, classifier, retry_if, replay }
    }

    /// Sends each request once, whatever the policy says, so that it need not be `Clone`.
    pub fn without_retry(self) -> PolicyLayer<C, L, D, Once> {
        PolicyLayer { retries: false, ..self.replay(Once) }
    }
}

/// Copies no request: see [`PolicyLayer::without_retry`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Once;

impl<Request> Replay<Request> for Once {
    type Sent = Request;
    type Kept = Infallible;

    fn keep(&self, request: Request) -> (Request, Option<Infallible>) {
        (request, None)
    }

    fn again(&self, kept: &Infallible) -> Option<Request> {
        match *kept {}
    }
}

impl<S, C: Clone, L: Clone, D: Clone, R: Clone> Layer<S> for PolicyLayer<C, L, D, R> {
    type Service = PolicyService<S, C, L, D, R>;

    fn layer(&self, inner: S) -> PolicyService<S, C, L, D, R> {
        let PolicyLayer { policy, retries, class_for, classifier, retry_if, replay } = self;
        let judges = Judges { classifier: classifier.clone(), retry_if: retry_if.clone(), replay: replay.clone() };
        PolicyService::new(inner, policy.clone(), *retries, class_for.clone(), judges)
    }
}
