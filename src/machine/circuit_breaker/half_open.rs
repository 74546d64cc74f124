use super::settings::CircuitSettings;
use crate::machine::timestamp::Timestamp;

/// The half-open state: which probes are running, and what the others found.
#[derive(Debug, Default)]
pub(crate) struct HalfOpen {
    successes: u32,
    failures: u32,
    last_id: u32,
    /// In order of their deadlines.
    out: Vec<PendingProbe>,
}

#[derive(Debug)]
struct PendingProbe {
    id: u32,
    deadline: Timestamp,
}

/// What the settled trials say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    Undecided,
    Healthy,
    Sick,
}

impl HalfOpen {
    pub(crate) fn successes(&self) -> u32 {
        self.successes
    }

    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// How many more probes would exceed no limit, neither at once nor in total.
    pub(crate) fn free(&self, settings: &CircuitSettings) -> u32 {
        let out = u32::try_from(self.out.len()).unwrap_or(u32::MAX);
        let trials = out.saturating_add(self.successes).saturating_add(self.failures);
        let (at_once, in_total) = (settings.max_concurrent_probes, settings.max_trials());
        at_once.saturating_sub(out).min(in_total.saturating_sub(trials))
    }

    pub(crate) fn is_full(&self, settings: &CircuitSettings) -> bool {
        self.free(settings) == 0
    }

    /// Sends a probe and returns its id, which is never 0.
    pub(crate) fn send(&mut self, deadline: Timestamp) -> u32 {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        // A clock that was read before another thread's must not put the deadlines out of order.
        let deadline = self.out.last().map_or(deadline, |last| deadline.max(last.deadline));
        self.out.push(PendingProbe { id: self.last_id, deadline });
        self.last_id
    }

    /// Takes a probe back; false if it was already given up.
    pub(crate) fn take_back(&mut self, id: u32) -> bool {
        let found = self.out.iter().position(|probe| probe.id == id);
        found.map(|index| self.out.remove(index)).is_some()
    }

    /// Gives up on the first expired probe and returns its deadline.
    pub(crate) fn give_up_one(&mut self, now: Timestamp) -> Option<Timestamp> {
        let first = self.first_deadline();
        (first <= now && first != Timestamp::NEVER).then(|| self.out.remove(0).deadline)
    }

    /// When the next probe will have to be given up.
    pub(crate) fn first_deadline(&self) -> Timestamp {
        self.out.first().map_or(Timestamp::NEVER, |probe| probe.deadline)
    }

    /// Counts a settled trial and judges all of them, as soon as the result is certain.
    pub(crate) fn count(&mut self, succeeded: bool, settings: &CircuitSettings) -> Finding {
        if succeeded {
            self.successes += 1;
        } else {
            self.failures += 1;
        }
        if self.successes >= settings.success_threshold {
            Finding::Healthy
        } else if settings.max_trials().saturating_sub(self.failures) < settings.success_threshold {
            Finding::Sick
        } else {
            Finding::Undecided
        }
    }
}
