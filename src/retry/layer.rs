use tower_layer::Layer;

use super::decide::{ByResult, RetryErrors};
use super::policy::RetryPolicy;
use super::replay::CloneReplay;
use super::service::RetryService;

/// Retries the calls of a service under a [`RetryPolicy`]. All services made by this layer and its clones share the
/// policy's budget.
///
/// Made by [`RetryPolicy::layer`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct RetryLayer<C = ByResult<RetryErrors>, R = CloneReplay> {
    policy: RetryPolicy,
    retry_if: C,
    replay: R,
}

impl RetryLayer {
    /// Retries every error except rejections that never reached the backend, for requests that are `Clone`.
    pub fn new(policy: RetryPolicy) -> RetryLayer {
        RetryLayer { policy, retry_if: ByResult::default(), replay: CloneReplay }
    }
}

impl<C, R> RetryLayer<C, R> {
    /// Lets `retry_if` decide which results are retried: see [`RetryIf`](crate::RetryIf).
    ///
    /// Each call holds a clone of it, so it should be cheap to clone: a function, a closure that captures nothing, or
    /// an `Arc`.
    pub fn retry_if<D>(self, retry_if: D) -> RetryLayer<ByResult<D>, R> {
        self.retry_if_for(ByResult::new(retry_if))
    }

    /// Like [`retry_if`](Self::retry_if), for a decision that depends on the request: see
    /// [`RetryIfFor`](super::RetryIfFor), and `http::RetryIfRequest` for a closure that gets the method and the URI.
    pub fn retry_if_for<D>(self, retry_if: D) -> RetryLayer<D, R> {
        RetryLayer { policy: self.policy, retry_if, replay: self.replay }
    }

    /// Lets `replay` copy the requests: see [`Replay`](super::Replay).
    ///
    /// Each call holds a clone of it, as with [`retry_if`](Self::retry_if).
    pub fn replay<Q>(self, replay: Q) -> RetryLayer<C, Q> {
        RetryLayer { policy: self.policy, retry_if: self.retry_if, replay }
    }
}

impl<S, C: Clone, R: Clone> Layer<S> for RetryLayer<C, R> {
    type Service = RetryService<S, C, R>;

    fn layer(&self, inner: S) -> RetryService<S, C, R> {
        RetryService::new(inner, self.policy.clone(), self.retry_if.clone(), self.replay.clone())
    }
}
