use std::time::Duration;

use seaworthy::OnDrop;

use super::rules::{is_in, may_be_in};
use super::{Call, Entry, Mode, Model, What, Window};

impl Model {
    /// Times ahead at which something may happen through the clock alone, or at which a running call becomes slow.
    pub fn deadlines(&self, running: &[Call]) -> Vec<Duration> {
        let mut times = vec![self.open_time_left().map(|left| self.now + left)];
        times.extend(self.probes_out().into_iter().map(|probe| self.deadline(probe)));
        let after = match self.config.on_drop() {
            OnDrop::FailureAfter(limit) => Some(limit),
            _ => None,
        };
        for limit in [self.config.slow_call, after].into_iter().flatten() {
            times.extend(running.iter().map(|call| self.admitted_at(*call).checked_add(limit)));
        }
        if let Some(span) = self.time_window() {
            for (at, _) in self.recorded() {
                times.extend([at.checked_add(span), at.checked_add(span).and_then(|at| at.checked_add(span / 10))]);
            }
        }
        let mut times: Vec<_> = times.into_iter().flatten().filter(|time| *time > self.now).collect();
        times.sort();
        times.dedup();
        times
    }

    pub fn time_window(&self) -> Option<Duration> {
        match self.config.window() {
            Some(Window::Time(span)) => Some(span),
            _ => None,
        }
    }

    /// Whether, after this long without a call, the specification leaves no doubt about what is in the time window;
    /// otherwise the longer time after which the oldest doubtful verdict is certainly gone.
    pub fn without_doubt(&self, span: Duration) -> Result<(), Duration> {
        let Some(window) = self.time_window() else { return Ok(()) };
        let then = self.now + span;
        let doubtful = |at: &Duration| may_be_in(window, then - *at) && !is_in(window, then - *at);
        match self.recorded().into_iter().map(|(at, _)| at).find(doubtful) {
            None => Ok(()),
            // The first whole nanosecond that is a tenth of the window late.
            Some(at) => Err(at + window + Duration::from_nanos((window.as_nanos() as u64).div_ceil(10)) - self.now),
        }
    }

    // Reading the list.

    /// What happened in the current state, its beginning included.
    pub(super) fn here(&self) -> &[Entry] {
        let changed = self.list.iter().rposition(|entry| matches!(entry.what, What::Changed { .. }));
        &self.list[changed.unwrap()..]
    }

    pub(super) fn mode(&self) -> Mode {
        match self.here()[0].what {
            What::Changed { to } => to,
            _ => unreachable!("a state begins with a change"),
        }
    }

    pub(super) fn open_time_left(&self) -> Option<Duration> {
        match self.mode() {
            Mode::Open(time) => time.map(|time| (self.here()[0].at + time).saturating_sub(self.now)),
            _ => None,
        }
    }

    pub(super) fn admitted_at(&self, call: Call) -> Duration {
        let admission = |entry: &&Entry| matches!(entry.what, What::Admitted { call: admitted } if admitted == call);
        self.list.iter().find(admission).unwrap().at
    }

    pub(super) fn ran(&self, call: Call) -> Duration {
        self.now - self.admitted_at(call)
    }

    pub(super) fn is_of_this_state(&self, call: Call) -> bool {
        self.here().iter().any(|entry| matches!(entry.what, What::Admitted { call: admitted } if admitted == call))
    }

    /// Whether the call was admitted in the current state, has not ended and has not timed out.
    pub(super) fn is_out(&self, call: Call) -> bool {
        self.calls_out().contains(&call)
    }

    /// The calls that were admitted in the current state and have not ended.
    pub(super) fn calls_out(&self) -> Vec<Call> {
        let mut out = Vec::new();
        for entry in self.here() {
            match entry.what {
                What::Admitted { call } => out.push(call),
                What::Settled { call, .. } | What::GivenUp { call } => out.retain(|other| *other != call),
                What::Changed { .. } | What::Rejected | What::Holds | What::LetGo | What::Gone { .. } => {}
            }
        }
        out
    }
}
