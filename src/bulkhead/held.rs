use std::borrow::Borrow;

use super::handle::Slots;

/// A slot that was taken. Dropping it gives it back, or hands it to the first who waits.
#[derive(Debug)]
pub(crate) struct Held<H: Borrow<Slots>>(H);

impl<H: Borrow<Slots>> Held<H> {
    /// The caller has taken a slot.
    pub(crate) fn new(slots: H) -> Held<H> {
        Held(slots)
    }
}

impl Held<&Slots> {
    /// Leaves the slot to the caller, who gives it back.
    pub(crate) fn keep(self) {
        std::mem::forget(self);
    }
}

impl<H: Borrow<Slots>> Drop for Held<H> {
    #[inline]
    fn drop(&mut self) {
        self.0.borrow().core().give_back();
    }
}

/// A slot in use, as [`Slots::try_take`] and [`Slots::take`] give it.
///
/// Dropping it gives the slot back; if somebody waits, the slot goes to whoever has waited longest.
#[derive(Debug)]
#[must_use = "a slot that is dropped at once is free again"]
pub struct Slot(Held<Slots>);

impl Slot {
    pub(crate) fn new(held: Held<Slots>) -> Slot {
        Slot(held)
    }

    /// The bulkhead that it belongs to.
    #[must_use]
    pub fn slots(&self) -> &Slots {
        &self.0.0
    }
}
