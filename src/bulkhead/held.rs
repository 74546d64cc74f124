use std::borrow::Borrow;

use super::handle::Bulkhead;

/// A permit that was taken. Dropping it gives it back, or hands it to the first who waits.
#[derive(Debug)]
pub(crate) struct HeldPermit<H: Borrow<Bulkhead>>(H);

impl<H: Borrow<Bulkhead>> HeldPermit<H> {
    /// The caller has taken a permit.
    pub(crate) fn new(bulkhead: H) -> HeldPermit<H> {
        HeldPermit(bulkhead)
    }
}

impl HeldPermit<&Bulkhead> {
    /// Leaves the permit to the caller, who gives it back.
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

/// A permit in use, as [`Bulkhead::try_acquire`] and [`Bulkhead::take`] give it.
///
/// Dropping it gives the permit back; if somebody waits, the permit goes to whoever has waited longest.
#[derive(Debug)]
#[must_use = "a permit that is dropped at once is free again"]
pub struct Permit(HeldPermit<Bulkhead>);

impl Permit {
    pub(crate) fn new(held: HeldPermit<Bulkhead>) -> Permit {
        Permit(held)
    }

    /// The bulkhead that it belongs to.
    #[must_use]
    pub fn bulkhead(&self) -> &Bulkhead {
        &self.0.0
    }
}
