use std::borrow::Borrow;

use super::handle::Bulkhead;

/// An acquired permit. Dropping it releases it, or hands it to the first waiter.
#[derive(Debug)]
pub(crate) struct HeldPermit<H: Borrow<Bulkhead>>(H);

impl<H: Borrow<Bulkhead>> HeldPermit<H> {
    /// For a permit that the caller has acquired.
    pub(crate) fn new(bulkhead: H) -> HeldPermit<H> {
        HeldPermit(bulkhead)
    }
}

impl HeldPermit<&Bulkhead> {
    /// Leaves the permit to the caller, who releases it.
    pub(crate) fn keep(self) {
        std::mem::forget(self);
    }
}

impl<H: Borrow<Bulkhead>> Drop for HeldPermit<H> {
    #[inline]
    fn drop(&mut self) {
        self.0.borrow().shared().give_back();
    }
}

/// An acquired permit, as returned by [`Bulkhead::try_acquire`] and [`Bulkhead::acquire`].
///
/// Dropping it releases the permit; if callers are waiting, it goes to the one that has waited longest.
#[derive(Debug)]
#[must_use = "a permit that is dropped at once is free again"]
pub struct Permit(HeldPermit<Bulkhead>);

impl Permit {
    pub(crate) fn new(held: HeldPermit<Bulkhead>) -> Permit {
        Permit(held)
    }

    /// The bulkhead it belongs to.
    #[must_use]
    pub fn bulkhead(&self) -> &Bulkhead {
        &self.0.0
    }
}
