use tower_layer::Layer;

use super::fallback_if::Rejections;
use super::handle::Fallback;
use super::service::FallbackService;

/// Puts a [`Fallback`] around a service. Made by [`Fallback::layer`].
///
/// # Clone
/// Clones the fallback.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct FallbackLayer<A, W = Rejections> {
    fallback: Fallback<A, W>,
}

impl<A, W> From<Fallback<A, W>> for FallbackLayer<A, W> {
    fn from(fallback: Fallback<A, W>) -> FallbackLayer<A, W> {
        FallbackLayer { fallback }
    }
}

impl<S, A: Clone, W: Clone> Layer<S> for FallbackLayer<A, W> {
    type Service = FallbackService<S, A, W>;

    fn layer(&self, inner: S) -> FallbackService<S, A, W> {
        FallbackService::new(inner, self.fallback.clone())
    }
}
