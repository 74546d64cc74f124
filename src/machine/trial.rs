use super::moment::Moment;
use super::settings::Settings;

/// The half-open state: which probes are out, and what the others found.
#[derive(Debug, Default)]
pub(crate) struct Trial {
    successes: u32,
    failures: u32,
    last_id: u32,
    /// In the order of their deadlines.
    out: Vec<Probe>,
}

#[derive(Debug)]
struct Probe {
    id: u32,
    deadline: Moment,
}

/// What the settled trials say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    Undecided,
    Healthy,
    Sick,
}

impl Trial {
    pub(crate) fn successes(&self) -> u32 {
        self.successes
    }

    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether another probe would be one too many, at once or in all.
    pub(crate) fn is_full(&self, settings: &Settings) -> bool {
        let out = self.out.len() as u64;
        out >= u64::from(settings.probes)
            || out + u64::from(self.successes) + u64::from(self.failures) >= u64::from(settings.trials())
    }

    /// Sends out a probe and gives its identity, which is never 0.
    pub(crate) fn send(&mut self, deadline: Moment) -> u32 {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        // A clock that was read before another thread's must not put the deadlines out of order.
        let deadline = self.out.last().map_or(deadline, |last| deadline.max(last.deadline));
        self.out.push(Probe { id: self.last_id, deadline });
        self.last_id
    }

    /// Takes a probe back; false if it was given up already.
    pub(crate) fn take_back(&mut self, id: u32) -> bool {
        let found = self.out.iter().position(|probe| probe.id == id);
        found.map(|index| self.out.remove(index)).is_some()
    }

    /// Gives up the first probe whose time is over and tells when it was.
    pub(crate) fn give_up_one(&mut self, now: Moment) -> Option<Moment> {
        let first = self.first_deadline();
        (first <= now && first != Moment::NEVER).then(|| self.out.remove(0).deadline)
    }

    /// When the next probe will have to be given up.
    pub(crate) fn first_deadline(&self) -> Moment {
        self.out.first().map_or(Moment::NEVER, |probe| probe.deadline)
    }

    /// Counts a settled trial and judges all of them, at the earliest moment at which it is certain.
    pub(crate) fn count(&mut self, succeeded: bool, settings: &Settings) -> Finding {
        if succeeded {
            self.successes += 1;
        } else {
            self.failures += 1;
        }
        if self.successes >= settings.successes {
            Finding::Healthy
        } else if settings.trials().saturating_sub(self.failures) < settings.successes {
            Finding::Sick
        } else {
            Finding::Undecided
        }
    }
}
