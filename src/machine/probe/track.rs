use std::sync::Arc;
use std::time::Duration;

use super::text::cut;
use crate::machine::probe_state::ProbeState;
use crate::machine::timestamp::Timestamp;

/// Where a probed target is in its own life, as reported by whatever runs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TargetPhase {
    /// It is not running, and is not probed.
    NotRunning,
    /// It is starting up. It is probed, but nothing is said about its health yet.
    Initialising,
    /// It is running. This is the default for a target whose phase is not set.
    #[default]
    Running,
}

/// How results are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) start_period: Duration,
    pub(crate) failure_threshold: u32,
    pub(crate) success_threshold: u32,
}

/// A change in what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) from: ProbeState,
    pub(crate) to: ProbeState,
}

/// What the probes of the current window found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    /// In a row, up to now.
    pub(crate) successes: u32,
    /// In a row, up to now.
    pub(crate) failures: u32,
    pub(crate) error: Option<Arc<str>>,
    pub(crate) last_success: Option<Timestamp>,
    pub(crate) last_failure: Option<Timestamp>,
    mark: Option<Mark>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Healthy,
    Unhealthy,
}

/// One target, as a pure state machine.
#[derive(Debug)]
pub(crate) struct Track {
    rules: Option<Rules>,
    phase: TargetPhase,
    findings: Findings,
    /// When the target started running, as far as is known.
    started: Timestamp,
    /// Whether it was found healthy since then, which ends the start period.
    found_healthy: bool,
    /// When the visible state began.
    since: Timestamp,
    /// Each window has its own number.
    window: u64,
}

impl Track {
    pub(crate) fn new(rules: Option<Rules>, now: Timestamp) -> Track {
        Track {
            rules,
            phase: TargetPhase::default(),
            findings: Findings::default(),
            started: now,
            found_healthy: false,
            since: now,
            window: 0,
        }
    }

    pub(crate) fn state(&self) -> ProbeState {
        match (self.rules, self.phase, self.findings.mark) {
            (None, _, _) => ProbeState::Disabled,
            (_, TargetPhase::NotRunning, _) => ProbeState::Unknown,
            (_, TargetPhase::Initialising, _) | (_, _, None) => ProbeState::Starting,
            (_, _, Some(Mark::Healthy)) => ProbeState::Healthy,
            (_, _, Some(Mark::Unhealthy)) => ProbeState::Unhealthy,
        }
    }

    pub(crate) fn phase(&self) -> TargetPhase {
        self.phase
    }

    pub(crate) fn since(&self) -> Timestamp {
        self.since
    }

    pub(crate) fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Whether the target is to be probed.
    pub(crate) fn is_probed(&self) -> bool {
        self.rules.is_some() && self.phase != TargetPhase::NotRunning
    }

    /// Whether the last probe of the window succeeded.
    pub(crate) fn is_well(&self) -> bool {
        self.findings.successes > 0
    }

    /// The window that a probe starting now must present when it ends.
    pub(crate) fn window(&self) -> u64 {
        self.window
    }

    /// Settles a probe that started in `window`. `None` if that window is over, and the result no longer counts.
    pub(crate) fn settle(&mut self, window: u64, result: Result<(), &str>, now: Timestamp) -> Option<Settled> {
        let rules = self.rules.filter(|_| window == self.window)?;
        let in_start_period = !self.found_healthy && now.since(self.started) < rules.start_period;
        Some(Settled(self.change(now, |track| match result {
            Ok(()) => {
                track.findings.succeed(rules, now);
                track.found_healthy |= track.findings.mark == Some(Mark::Healthy);
            }
            Err(error) => track.findings.fail(rules, error, in_start_period, now),
        })))
    }

    /// Sets another policy, or none, and starts a new window. The target continues as it was, and its start period ends
    /// when it would have.
    pub(crate) fn set_rules(&mut self, rules: Option<Rules>, now: Timestamp) -> Option<Change> {
        self.change(now, |track| {
            track.rules = rules;
            track.begin();
        })
    }

    /// Also says whether the window is a new one, because the target started or stopped running.
    pub(crate) fn set_phase(&mut self, phase: TargetPhase, now: Timestamp) -> (Option<Change>, bool) {
        let ran = self.phase != TargetPhase::NotRunning;
        let fresh = ran != (phase != TargetPhase::NotRunning);
        let change = self.change(now, |track| {
            track.phase = phase;
            if fresh {
                track.start(now);
            }
        });
        (change, fresh)
    }

    /// The target was restarted.
    pub(crate) fn restart(&mut self, now: Timestamp) -> Option<Change> {
        self.change(now, |track| track.start(now))
    }

    fn start(&mut self, now: Timestamp) {
        self.started = now;
        self.found_healthy = false;
        self.begin();
    }

    fn begin(&mut self) {
        self.window += 1;
        self.findings = Findings::default();
    }

    fn change(&mut self, now: Timestamp, act: impl FnOnce(&mut Track)) -> Option<Change> {
        let from = self.state();
        act(self);
        let to = self.state();
        (from != to).then(|| {
            self.since = now;
            Change { from, to }
        })
    }
}

/// A result that was counted, and what it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settled(pub(crate) Option<Change>);

impl Findings {
    fn succeed(&mut self, rules: Rules, now: Timestamp) {
        self.successes = self.successes.saturating_add(1);
        self.failures = 0;
        self.error = None;
        self.last_success = Some(now);
        if self.successes >= rules.success_threshold {
            self.mark = Some(Mark::Healthy);
        }
    }

    fn fail(&mut self, rules: Rules, error: &str, in_start_period: bool, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        self.successes = 0;
        self.error = Some(cut(error));
        self.last_failure = Some(now);
        if !in_start_period && self.failures >= rules.failure_threshold {
            self.mark = Some(Mark::Unhealthy);
        }
    }
}
