use std::time::Duration;

use tower_layer::Layer;

use super::handle::Timeout;
use super::limit::FixedTimeout;
use super::service::TimeoutService;

/// Puts a [`Timeout`] around a service. Made by [`Timeout::layer`].
///
/// # Clone
/// Clones the timeout.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct TimeoutLayer<D = FixedTimeout> {
    timeout: Timeout<D>,
}

impl TimeoutLayer {
    /// The layer of [`Timeout::new`].
    pub fn new(after: Duration) -> TimeoutLayer {
        TimeoutLayer { timeout: Timeout::new(after) }
    }
}

impl<D> From<Timeout<D>> for TimeoutLayer<D> {
    fn from(timeout: Timeout<D>) -> TimeoutLayer<D> {
        TimeoutLayer { timeout }
    }
}

impl<S, D: Clone> Layer<S> for TimeoutLayer<D> {
    type Service = TimeoutService<S, D>;

    fn layer(&self, inner: S) -> TimeoutService<S, D> {
        TimeoutService::new(inner, self.timeout.limit().clone(), self.timeout.notifier().clone())
    }
}
