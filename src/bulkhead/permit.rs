use super::handle::Bulkhead;

/// An acquired permit, as returned by [`Bulkhead::try_acquire`] and [`Bulkhead::acquire`].
///
/// Dropping it releases the permit; if callers are waiting, it goes to the one that has waited longest.
#[derive(Debug)]
#[must_use = "a permit that is dropped at once is free again"]
pub struct Permit(Bulkhead);

impl Permit {
    /// For a permit that the caller has acquired.
    #[inline]
    pub(crate) fn new(bulkhead: Bulkhead) -> Permit {
        Permit(bulkhead)
    }

    /// The bulkhead it belongs to.
    #[must_use]
    pub fn bulkhead(&self) -> &Bulkhead {
        &self.0
    }
}

impl Drop for Permit {
    #[inline]
    fn drop(&mut self) {
        self.0.shared().give_back();
    }
}
