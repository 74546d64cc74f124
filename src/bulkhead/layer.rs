use tower_layer::Layer;

use super::handle::Bulkhead;
use super::service::BulkheadService;

/// Puts a bulkhead around a service. All services made by this layer and its clones share the permits of one
/// [`Bulkhead`].
///
/// Made by [`Bulkhead::layer`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct BulkheadLayer {
    bulkhead: Bulkhead,
}

impl BulkheadLayer {
    /// Lets as many calls run at once as `bulkhead` has permits.
    pub fn new(bulkhead: Bulkhead) -> BulkheadLayer {
        BulkheadLayer { bulkhead }
    }
}

impl<S> Layer<S> for BulkheadLayer {
    type Service = BulkheadService<S>;

    fn layer(&self, inner: S) -> BulkheadService<S> {
        BulkheadService::new(inner, self.bulkhead.clone())
    }
}
