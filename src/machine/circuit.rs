use std::time::Duration;

use super::Dice;
use super::moment::Moment;
use super::report::{Cause, Counts, Report, Reports, State, rate};
use super::settings::Settings;
use super::trial::{Finding, Trial};
use super::verdict::Verdict;
use super::window::{Outcome, Totals, Window};

/// A circuit breaker as a pure state machine.
#[derive(Debug)]
pub(crate) struct Machine {
    mode: Mode,
    /// Every change of state, reset and force starts a new one.
    generation: u64,
    /// When this generation began.
    since: Moment,
    /// Failures since the last success.
    run: u32,
    /// Half-opens that failed since the circuit was last closed.
    failed_half_opens: u32,
    window: Option<Box<Window>>,
}

#[derive(Debug)]
enum Mode {
    /// `broken` is for a circuit that only observes: a rule is broken, and that was reported.
    Closed {
        broken: bool,
    },
    ForcedClosed,
    Open {
        until: Moment,
    },
    ForcedOpen,
    /// Held open by so many, which is at least one. It is open until then even if they let go: until the end of the
    /// open time that it was in, or not at all.
    Held {
        holders: u32,
        until: Moment,
    },
    HalfOpen(Box<Trial>),
}

/// The answer to a caller who wants to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// `probe` is 0 for a call that is none.
    Granted { generation: u64, probe: u32 },
    /// `retry_after` is the open time that is left, where there is such a time.
    Refused { retry_after: Option<Duration> },
}

/// What a caller can know without asking the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Everybody passes.
    Pass(OnSuccess),
    /// Somebody may pass: ask.
    Ask,
    /// Open: nobody passes before `until`.
    Open { until: Moment },
    /// All probes are out: nobody passes before `until`, unless a probe ends.
    Full { until: Moment },
    /// Nobody passes.
    Shut,
}

/// What a quick success has to do while everybody passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnSuccess {
    /// It changes nothing.
    Nothing,
    /// It is counted and can change nothing else, so that it may be counted in bulk.
    Count,
    /// It has to be settled here.
    Settle,
}

impl Machine {
    pub(crate) fn new(settings: &Settings, now: Moment) -> Machine {
        Machine {
            mode: Mode::Closed { broken: false },
            generation: 0,
            since: now,
            run: 0,
            failed_half_opens: 0,
            window: settings.span().map(|span| Box::new(Window::new(span))),
        }
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) fn since(&self) -> Moment {
        self.since
    }

    pub(crate) fn state(&self) -> State {
        match self.mode {
            Mode::Closed { .. } | Mode::ForcedClosed => State::Closed,
            Mode::Open { .. } | Mode::ForcedOpen | Mode::Held { .. } => State::Open,
            Mode::HalfOpen(_) => State::HalfOpen,
        }
    }

    pub(crate) fn is_forced(&self) -> bool {
        matches!(self.mode, Mode::ForcedOpen | Mode::ForcedClosed)
    }

    pub(crate) fn is_held(&self) -> bool {
        matches!(self.mode, Mode::Held { .. })
    }

    /// The open time that is left, where there is such a time.
    pub(crate) fn retry_after(&self, now: Moment) -> Option<Duration> {
        match self.mode {
            // A caller who read the clock and then had to wait, while others opened the circuit, came when it opened.
            Mode::Open { until } if until != Moment::NEVER => Some(until.since(now.max(self.since))),
            _ => None,
        }
    }

    /// Until when every call would be refused, if it would be now; nothing is given up or changed.
    pub(crate) fn refused_until(&self, settings: &Settings, now: Moment) -> Option<Moment> {
        match self.gate(settings) {
            Gate::Open { until } | Gate::Full { until } if now < until => Some(until),
            Gate::Shut => Some(Moment::NEVER),
            Gate::Pass(_) | Gate::Ask | Gate::Open { .. } | Gate::Full { .. } => None,
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        let totals = match &self.mode {
            Mode::HalfOpen(trial) => Totals {
                calls: u64::from(trial.successes()) + u64::from(trial.failures()),
                failures: trial.failures().into(),
                slow: 0,
            },
            _ => self.window.as_ref().map_or_else(Totals::default, |window| window.totals()),
        };
        Counts::new(totals, self.run)
    }

    /// Lets go of what has become too old to count.
    pub(crate) fn evict(&mut self, now: Moment) {
        if let Some(window) = &mut self.window {
            window.evict(now);
        }
    }

    /// Adds quick successes that were counted in bulk, as [`OnSuccess::Count`] allows.
    pub(crate) fn absorb(&mut self, successes: u64) {
        if let Some(window) = &mut self.window {
            window.absorb(successes);
        }
    }

    /// Until when successes may be counted in bulk.
    pub(crate) fn bulk_ends(&self) -> Moment {
        self.window.as_ref().map_or(Moment::NEVER, |window| window.bulk_ends())
    }

    pub(crate) fn gate(&self, settings: &Settings) -> Gate {
        match &self.mode {
            Mode::Closed { .. } | Mode::ForcedClosed => Gate::Pass(self.on_success(settings)),
            Mode::Open { until } => Gate::Open { until: *until },
            Mode::ForcedOpen | Mode::Held { .. } => Gate::Shut,
            Mode::HalfOpen(trial) if trial.is_full(settings) => Gate::Full { until: trial.first_deadline() },
            Mode::HalfOpen(_) => Gate::Ask,
        }
    }

    fn on_success(&self, settings: &Settings) -> OnSuccess {
        if self.run > 0 || matches!(self.mode, Mode::Closed { broken: true }) {
            return OnSuccess::Settle;
        }
        let Some(window) = &self.window else {
            return OnSuccess::Nothing;
        };
        let totals = window.totals();
        if window.full_and_spotless() {
            OnSuccess::Nothing
        } else if totals.spotless() || matches!(self.mode, Mode::ForcedClosed) {
            OnSuccess::Count
        } else if totals.calls >= u64::from(settings.minimum()) && self.broken_rule(settings).is_none() {
            // Another success only lowers the rates, which are below their thresholds.
            OnSuccess::Count
        } else {
            OnSuccess::Settle
        }
    }

    /// A caller wants to pass.
    pub(crate) fn admit(&mut self, settings: &Settings, now: Moment, dice: Dice<'_>) -> (Admission, Reports) {
        let mut reports = self.notice(settings, now, dice);
        (self.grant(settings, now, &mut reports), reports)
    }

    /// Somebody wants to pass as a probe, or not at all.
    pub(crate) fn admit_probe(&mut self, settings: &Settings, now: Moment, dice: Dice<'_>) -> (Admission, Reports) {
        let mut reports = self.notice(settings, now, dice);
        let admission = match self.state() {
            State::Closed => Admission::Refused { retry_after: None },
            State::Open | State::HalfOpen => self.grant(settings, now, &mut reports),
        };
        (admission, reports)
    }

    fn grant(&mut self, settings: &Settings, now: Moment, reports: &mut Reports) -> Admission {
        if let Mode::Open { until } = self.mode {
            if now < until {
                return Admission::Refused { retry_after: self.retry_after(now) };
            }
            self.half_open(now, reports);
        }
        let deadline = now.after(self.probe_timeout(settings));
        match &mut self.mode {
            Mode::HalfOpen(trial) if !trial.is_full(settings) => {
                Admission::Granted { generation: self.generation, probe: trial.send(deadline) }
            }
            Mode::Closed { .. } | Mode::ForcedClosed => Admission::Granted { generation: self.generation, probe: 0 },
            Mode::HalfOpen(_) | Mode::Open { .. } | Mode::ForcedOpen | Mode::Held { .. } => {
                Admission::Refused { retry_after: None }
            }
        }
    }

    /// An admitted call ended. What was admitted under another generation changes nothing.
    pub(crate) fn settle(
        &mut self,
        settings: &Settings,
        (generation, probe): (u64, u32),
        verdict: Verdict,
        slow: bool,
        now: Moment,
        dice: Dice<'_>,
    ) -> Reports {
        let mut reports = self.notice(settings, now, dice);
        if generation != self.generation {
            return reports;
        }
        match &mut self.mode {
            Mode::Closed { .. } | Mode::ForcedClosed => {
                if verdict != Verdict::Ignored {
                    self.record(settings, verdict, slow, now, dice, &mut reports);
                }
            }
            Mode::HalfOpen(trial) => {
                if trial.take_back(probe) && verdict != Verdict::Ignored {
                    let finding = trial.count(verdict == Verdict::Success && !slow, settings);
                    self.conclude(settings, finding, Cause::ProbesFailed, now, dice, &mut reports);
                }
            }
            // Nobody was admitted under this generation.
            Mode::Open { .. } | Mode::ForcedOpen | Mode::Held { .. } => {}
        }
        reports
    }

    /// The inner service's `poll_ready` failed: a failed call that never began.
    pub(crate) fn ready_failed(
        &mut self,
        settings: &Settings,
        generation: u64,
        now: Moment,
        dice: Dice<'_>,
    ) -> Reports {
        let mut reports = self.notice(settings, now, dice);
        if generation != self.generation {
            return reports;
        }
        if matches!(self.mode, Mode::Open { until } if now >= until) {
            // It stands for the call that would have been the first probe.
            self.half_open(now, &mut reports);
        }
        match &mut self.mode {
            Mode::Closed { .. } | Mode::ForcedClosed => {
                self.record(settings, Verdict::Failure, false, now, dice, &mut reports);
            }
            Mode::HalfOpen(trial) if !trial.is_full(settings) => {
                let finding = trial.count(false, settings);
                self.conclude(settings, finding, Cause::ProbesFailed, now, dice, &mut reports);
            }
            Mode::HalfOpen(_) | Mode::Open { .. } | Mode::ForcedOpen | Mode::Held { .. } => {}
        }
        reports
    }

    /// Gives up the probes whose time is over, each as of its own deadline.
    pub(crate) fn notice(&mut self, settings: &Settings, now: Moment, dice: Dice<'_>) -> Reports {
        let mut reports = Reports::default();
        while let Mode::HalfOpen(trial) = &mut self.mode {
            let Some(deadline) = trial.give_up_one(now) else { break };
            let finding = trial.count(false, settings);
            self.conclude(settings, finding, Cause::ProbeTimedOut, deadline, dice, &mut reports);
        }
        reports
    }

    /// One more holds the circuit open, and gives the generation back with [`release`](Machine::release). None if the
    /// circuit is forced or never rejects: those who said so have the last word.
    pub(crate) fn hold(&mut self, settings: &Settings, now: Moment) -> (Option<u64>, Reports) {
        let mut reports = Reports::default();
        match &mut self.mode {
            Mode::ForcedOpen | Mode::ForcedClosed => return (None, reports),
            _ if settings.observe_only => return (None, reports),
            Mode::Held { holders, .. } => *holders = holders.saturating_add(1),
            Mode::Closed { .. } | Mode::Open { .. } | Mode::HalfOpen(_) => {
                let until = if let Mode::Open { until } = self.mode { until } else { now };
                self.evict(now);
                self.enter(Mode::Held { holders: 1, until }, now, Cause::HeldOpen, &mut reports);
            }
        }
        (Some(self.generation), reports)
    }

    /// One of those who hold the circuit open lets go. After the last one it is closed if that one says that all is well,
    /// and otherwise open for what is left of its open time, if it was open before. A hold of an older generation is void.
    pub(crate) fn release(&mut self, generation: u64, well: bool, now: Moment) -> Reports {
        let mut reports = Reports::default();
        if generation != self.generation {
            return reports;
        }
        match &mut self.mode {
            Mode::Held { holders, .. } if *holders > 1 => *holders -= 1,
            Mode::Held { .. } if well => {
                self.failed_half_opens = 0;
                self.enter(Mode::Closed { broken: false }, now, Cause::Released, &mut reports);
            }
            Mode::Held { until, .. } => {
                let until = *until;
                self.enter(Mode::Open { until }, now, Cause::Released, &mut reports);
            }
            _ => {}
        }
        reports
    }

    pub(crate) fn force_open(&mut self, now: Moment) -> Reports {
        self.set(Mode::ForcedOpen, now, Cause::Forced)
    }

    pub(crate) fn force_closed(&mut self, now: Moment) -> Reports {
        self.set(Mode::ForcedClosed, now, Cause::Forced)
    }

    pub(crate) fn reset(&mut self, now: Moment) -> Reports {
        self.set(Mode::Closed { broken: false }, now, Cause::Reset)
    }

    fn set(&mut self, mode: Mode, now: Moment, cause: Cause) -> Reports {
        let mut reports = Reports::default();
        // What is told of the state that ends here is as of now.
        self.evict(now);
        self.failed_half_opens = 0;
        self.enter(mode, now, cause, &mut reports);
        reports
    }

    fn record(
        &mut self,
        settings: &Settings,
        verdict: Verdict,
        slow: bool,
        now: Moment,
        dice: Dice<'_>,
        reports: &mut Reports,
    ) {
        match verdict {
            Verdict::Success => self.run = 0,
            Verdict::Failure => self.run = self.run.saturating_add(1),
            Verdict::Throttled | Verdict::Ignored => {}
        }
        if let Some(window) = &mut self.window {
            window.record(Outcome { failed: verdict != Verdict::Success, slow }, now);
        }
        let cause = self.broken_rule(settings);
        let counts = self.counts();
        let Mode::Closed { broken } = &mut self.mode else { return };
        match cause {
            Some(cause) if settings.observe_only => {
                if !std::mem::replace(broken, true) {
                    reports.push(Report::WouldHaveOpened { cause, counts });
                }
            }
            Some(cause) => {
                self.failed_half_opens = 0;
                self.open(settings, cause, now, dice, reports);
            }
            None => *broken = false,
        }
    }

    fn broken_rule(&self, settings: &Settings) -> Option<Cause> {
        if settings.consecutive().is_some_and(|limit| self.run >= limit) {
            return Some(Cause::ConsecutiveFailures);
        }
        let Totals { calls, failures, slow } = self.window.as_ref()?.totals();
        let reached =
            |part, threshold: Option<f64>| threshold.is_some_and(|t| rate(part, calls).is_some_and(|rate| rate >= t));
        if calls < u64::from(settings.minimum()) {
            None
        } else if reached(failures, settings.failure_rate) {
            Some(Cause::FailureRate)
        } else if reached(slow, settings.slow_rate) {
            Some(Cause::SlowRate)
        } else {
            None
        }
    }

    fn conclude(
        &mut self,
        settings: &Settings,
        finding: Finding,
        failed: Cause,
        at: Moment,
        dice: Dice<'_>,
        reports: &mut Reports,
    ) {
        match finding {
            Finding::Undecided => {}
            Finding::Healthy => {
                self.failed_half_opens = 0;
                self.enter(Mode::Closed { broken: false }, at, Cause::ProbesSucceeded, reports);
            }
            Finding::Sick => {
                self.failed_half_opens = self.failed_half_opens.saturating_add(1);
                self.open(settings, failed, at, dice, reports);
            }
        }
    }

    fn open(&mut self, settings: &Settings, cause: Cause, at: Moment, dice: Dice<'_>, reports: &mut Reports) {
        let until = at.after(settings.open.delay(self.failed_half_opens, dice));
        self.enter(Mode::Open { until }, at, cause, reports);
    }

    fn half_open(&mut self, now: Moment, reports: &mut Reports) {
        self.enter(Mode::HalfOpen(Box::default()), now, Cause::OpenTimeElapsed, reports);
    }

    /// The open time in force, unless told otherwise; without its jitter, which may have made it next to nothing.
    fn probe_timeout(&self, settings: &Settings) -> Duration {
        settings.probe_timeout.unwrap_or_else(|| settings.open.raw(self.failed_half_opens))
    }

    fn enter(&mut self, mode: Mode, at: Moment, cause: Cause, reports: &mut Reports) {
        let from = self.state();
        let counts = self.counts();
        self.mode = mode;
        self.generation += 1;
        self.since = at;
        self.run = 0;
        if let Some(window) = &mut self.window {
            window.clear();
        }
        let to = self.state();
        if from != to {
            reports.push(Report::Transition { from, to, sequence: self.generation, cause, counts });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SO-09: a caller whose clock was read before another thread opened the circuit, a second time even, is told the open
    /// time and no more.
    #[test]
    fn so_09_no_more_is_left_than_there_was() {
        let settings = Settings {
            consecutive_failures: Some(1),
            open: super::super::backoff::Backoff::constant(Duration::from_nanos(100)),
            ..Settings::default()
        };
        let (at, dice) = (Moment::from_nanos, &mut || 0.5);
        let mut machine = Machine::new(&settings, at(0));
        _ = machine.settle(&settings, (0, 0), Verdict::Failure, false, at(1_000), dice);
        let told = |machine: &mut Machine, now| match machine.admit(&settings, at(now), &mut || 0.5).0 {
            Admission::Refused { retry_after } => retry_after.map(|left| left.as_nanos()),
            Admission::Granted { .. } => None,
        };
        assert_eq!([10, 999, 1_000, 1_001, 1_099].map(|now| told(&mut machine, now)), [100, 100, 100, 99, 1].map(Some));
        assert_eq!(machine.refused_until(&settings, at(10)), Some(at(1_100)));
        // It is half-open, the probe fails, and one comes who read the clock when the first open time was over.
        let (Admission::Granted { generation, probe }, _) = machine.admit(&settings, at(1_100), dice) else { panic!() };
        _ = machine.settle(&settings, (generation, probe), Verdict::Failure, false, at(1_150), dice);
        assert_eq!([1_100, 1_150, 1_190].map(|now| told(&mut machine, now)), [100, 100, 60].map(Some));
    }
}
