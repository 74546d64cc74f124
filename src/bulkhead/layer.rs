use tower_layer::Layer;

use super::handle::Bulkhead;
use super::service::BulkheadService;

/// Puts a bulkhead around a service. All services made by it, and by its clones, share the permits of one [`Bulkhead`].
///
/// Made by [`Bulkhead::layer`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct BulkheadLayer {
    bulkhead: Bulkhead,
}

impl BulkheadLayer {
    /// Lets as many calls in at a time as `bulkhead` has permits.
    pub fn new(bulkhead: Bulkhead) -> BulkheadLayer {
        BulkheadLayer { bulkhead }
    }

    /// Holds the permit of a call until its response body has ended or was dropped, and not only until its response head
    /// is there. Feature `http`.
    #[cfg(feature = "http")]
    pub fn until_body_end(self) -> crate::http::BodyBulkheadLayer {
        crate::http::BodyBulkheadLayer::new(self)
    }
}

impl<S> Layer<S> for BulkheadLayer {
    type Service = BulkheadService<S>;

    fn layer(&self, inner: S) -> BulkheadService<S> {
        BulkheadService::new(inner, self.bulkhead.clone())
    }
}
