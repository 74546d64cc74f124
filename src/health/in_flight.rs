use super::handle::Health;

/// A request that was let in; it is in flight until this is dropped.
#[derive(Debug)]
#[must_use = "the request counts as in flight for as long as this is held"]
pub struct InFlight(Health);

impl InFlight {
    /// For a request that has been counted already.
    #[inline]
    pub(crate) fn new(health: Health) -> InFlight {
        InFlight(health)
    }
}

impl Drop for InFlight {
    #[inline]
    fn drop(&mut self) {
        self.0.left();
    }
}
