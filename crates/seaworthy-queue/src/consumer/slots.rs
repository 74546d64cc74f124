//! The places for jobs at work: a bulkhead's permits, held for the time of a look.

use seaworthy::Bulkhead;
use seaworthy::bulkhead::Permit;

pub(super) struct Slots {
    bulkhead: Bulkhead,
    /// The bulkhead was given by somebody who may have others to share it.
    are_shared: bool,
    held: Vec<Permit>,
}

impl Slots {
    pub(super) fn new(bulkhead: Bulkhead, are_shared: bool) -> Slots {
        Slots { bulkhead, are_shared, held: Vec::new() }
    }

    /// Whether one could be held.
    pub(super) fn has_any(&self) -> bool {
        !self.held.is_empty() || self.bulkhead.available() > 0
    }

    /// Holds so many, or as many as are free, and gives the others back, and what there are no slots for any more. How
    /// many are held.
    pub(super) fn hold(&mut self, wanted: u32) -> u32 {
        let most = usize::try_from(wanted).unwrap_or(usize::MAX);
        self.held.truncate(most);
        while self.bulkhead.in_use() > self.bulkhead.limit() && self.held.pop().is_some() {}
        // Looked at first: to be refused would be told.
        while self.held.len() < most
            && self.bulkhead.available() > 0
            && let Ok(permit) = self.bulkhead.try_acquire()
        {
            self.held.push(permit);
        }
        u32::try_from(self.held.len()).unwrap_or(wanted)
    }

    /// One that was held, for a job.
    pub(super) fn take(&mut self) -> Option<Permit> {
        self.held.pop()
    }

    pub(super) fn give_back(&mut self) {
        self.held.clear();
    }

    /// After a look that brought nothing: whether there are none left for others who share them, because all are held
    /// here. They are given back then.
    pub(super) fn were_kept_from_others(&mut self) -> bool {
        let were_all = self.are_shared && !self.held.is_empty() && self.bulkhead.available() == 0;
        if were_all {
            self.give_back();
        }
        were_all
    }
}
