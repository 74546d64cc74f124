use tower_layer::Layer;

use super::handle::Slots;
use super::service::Bulkhead;

/// Puts a bulkhead around a service. All services made by it, and by its clones, share the slots of one [`Slots`].
///
/// Made by [`Slots::layer`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct BulkheadLayer {
    slots: Slots,
}

impl BulkheadLayer {
    /// Lets as many calls in at a time as `slots` has slots.
    pub fn new(slots: Slots) -> BulkheadLayer {
        BulkheadLayer { slots }
    }

    /// Holds the slot of a call until its response body has ended or was dropped, and not only until its response head
    /// is there. Feature `http`.
    #[cfg(feature = "http")]
    pub fn until_body_end(self) -> crate::http::BodyBulkheadLayer {
        crate::http::BodyBulkheadLayer::new(self)
    }
}

impl<S> Layer<S> for BulkheadLayer {
    type Service = Bulkhead<S>;

    fn layer(&self, inner: S) -> Bulkhead<S> {
        Bulkhead::new(inner, self.slots.clone())
    }
}
