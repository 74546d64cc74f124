use std::time::Duration;

use super::settings::CircuitSettings;
use crate::machine::Rng;
use crate::machine::circuit_breaker::half_open::{Finding, HalfOpen};
use crate::machine::circuit_breaker::notice::{Counts, Notice, Notices, State, TransitionCause, rate};
use crate::machine::timestamp::Timestamp;
use crate::machine::verdict::Verdict;
use crate::machine::window::{Outcome, Totals, Window};

/// A circuit breaker as a pure state machine.
#[derive(Debug)]
pub(crate) struct CircuitMachine {
    mode: Mode,
    /// Every change of state, reset and force starts a new generation.
    generation: u64,
    /// When this generation began.
    since: Timestamp,
    /// Failures since the last success.
    run: u32,
    /// Half-open states that failed since the circuit was last closed.
    failed_half_opens: u32,
    window: Option<Box<Window>>,
}

#[derive(Debug)]
enum Mode {
    /// `broken` is for a circuit breaker that only observes: a rule is broken, and that has been reported.
    Closed {
        broken: bool,
    },
    ForcedClosed,
    Open {
        until: Timestamp,
    },
    ForcedOpen,
    /// Held open by this many holders, at least one. If they let go, it stays open until then: the end of the open time
    /// it was in, or not at all.
    Held {
        holders: u32,
        until: Timestamp,
    },
    HalfOpen(Box<HalfOpen>),
}

/// The answer to a caller that wants to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CircuitAnswer {
    /// `probe` is 0 for a call that is not a probe.
    Granted { generation: u64, probe: u32 },
    /// `retry_after` is the open time left, if the open time is limited.
    Refused { retry_after: Option<Duration> },
}

/// What a caller can know without asking the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Every call passes.
    Pass(OnSuccess),
    /// This many calls may pass: ask.
    Ask { probes: u32 },
    /// Open: no call passes before `until`.
    Open { until: Timestamp },
    /// All probes are running: no call passes before `until`, unless a probe ends.
    Full { until: Timestamp },
    /// No call passes.
    Shut,
}

/// What a quick success has to do while every call passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnSuccess {
    /// It changes nothing.
    Nothing,
    /// It is counted and can change nothing else, so it may be counted in bulk.
    Count,
    /// It must be settled here.
    Settle,
}

impl CircuitMachine {
    pub(crate) fn new(settings: &CircuitSettings, now: Timestamp) -> CircuitMachine {
        CircuitMachine {
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

    pub(crate) fn since(&self) -> Timestamp {
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

    pub(crate) fn is_held_open(&self) -> bool {
        matches!(self.mode, Mode::Held { .. })
    }

    /// The open time left, if the open time is limited.
    pub(crate) fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        match self.mode {
            // If a caller read the clock and then had to wait while others opened the circuit, it counts as having come
            // when it opened.
            Mode::Open { until } if until != Timestamp::NEVER => Some(until.since(now.max(self.since))),
            _ => None,
        }
    }

    /// If every call would be refused now, the time until which that holds. Gives up and changes nothing.
    pub(crate) fn refused_until(&self, settings: &CircuitSettings, now: Timestamp) -> Option<Timestamp> {
        match self.gate(settings) {
            Gate::Open { until } | Gate::Full { until } if now < until => Some(until),
            Gate::Shut => Some(Timestamp::NEVER),
            Gate::Pass(_) | Gate::Ask { .. } | Gate::Open { .. } | Gate::Full { .. } => None,
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        let totals = match &self.mode {
            Mode::HalfOpen(half_open) => Totals {
                calls: u64::from(half_open.successes()) + u64::from(half_open.failures()),
                failures: half_open.failures().into(),
                slow: 0,
            },
            _ => self.window.as_ref().map_or_else(Totals::default, |window| window.totals()),
        };
        Counts::new(totals, self.run)
    }

    /// Evicts what has become too old to count.
    pub(crate) fn evict(&mut self, now: Timestamp) {
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

    /// The time until which successes may be counted in bulk.
    pub(crate) fn bulk_ends(&self) -> Timestamp {
        self.window.as_ref().map_or(Timestamp::NEVER, |window| window.bulk_ends())
    }

    pub(crate) fn gate(&self, settings: &CircuitSettings) -> Gate {
        match &self.mode {
            Mode::Closed { .. } | Mode::ForcedClosed => Gate::Pass(self.on_success(settings)),
            Mode::Open { until } => Gate::Open { until: *until },
            Mode::ForcedOpen | Mode::Held { .. } => Gate::Shut,
            Mode::HalfOpen(half_open) if half_open.is_full(settings) => {
                Gate::Full { until: half_open.first_deadline() }
            }
            Mode::HalfOpen(half_open) => Gate::Ask { probes: half_open.free(settings) },
        }
    }

    fn on_success(&self, settings: &CircuitSettings) -> OnSuccess {
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
    pub(crate) fn admit(
        &mut self,
        settings: &CircuitSettings,
        now: Timestamp,
        rng: Rng<'_>,
    ) -> (CircuitAnswer, Notices) {
        let mut notices = self.expire_probes(settings, now, rng);
        (self.grant(settings, now, &mut notices), notices)
    }

    /// A caller wants to pass as a probe, or not at all.
    pub(crate) fn admit_probe(
        &mut self,
        settings: &CircuitSettings,
        now: Timestamp,
        rng: Rng<'_>,
    ) -> (CircuitAnswer, Notices) {
        let mut notices = self.expire_probes(settings, now, rng);
        let admission = match self.state() {
            State::Closed => CircuitAnswer::Refused { retry_after: None },
            State::Open | State::HalfOpen => self.grant(settings, now, &mut notices),
        };
        (admission, notices)
    }

    fn grant(&mut self, settings: &CircuitSettings, now: Timestamp, notices: &mut Notices) -> CircuitAnswer {
        if let Mode::Open { until } = self.mode {
            if now < until {
                return CircuitAnswer::Refused { retry_after: self.retry_after(now) };
            }
            self.half_open(now, notices);
        }
        let deadline = now.after(self.probe_timeout(settings));
        match &mut self.mode {
            Mode::HalfOpen(half_open) if !half_open.is_full(settings) => {
                CircuitAnswer::Granted { generation: self.generation, probe: half_open.send(deadline) }
            }
            Mode::Closed { .. } | Mode::ForcedClosed => {
                CircuitAnswer::Granted { generation: self.generation, probe: 0 }
            }
            Mode::HalfOpen(_) | Mode::Open { .. } | Mode::ForcedOpen | Mode::Held { .. } => {
                CircuitAnswer::Refused { retry_after: None }
            }
        }
    }

    /// Settles an admitted call. One admitted under another generation changes nothing.
    pub(crate) fn settle(
        &mut self,
        settings: &CircuitSettings,
        (generation, probe): (u64, u32),
        verdict: Verdict,
        slow: bool,
        now: Timestamp,
        rng: Rng<'_>,
    ) -> Notices {
        let mut notices = self.expire_probes(settings, now, rng);
        if generation != self.generation {
            return notices;
        }
        match &mut self.mode {
            Mode::Closed { .. } | Mode::ForcedClosed => {
                if verdict != Verdict::Ignored {
                    self.record(settings, verdict, slow, now, rng, &mut notices);
                }
            }
            Mode::HalfOpen(half_open) => {
                if half_open.take_back(probe) && verdict != Verdict::Ignored {
                    let finding = half_open.count(verdict == Verdict::Success && !slow, settings);
                    self.conclude(settings, finding, TransitionCause::ProbesFailed, now, rng, &mut notices);
                }
            }
            // No call was admitted under this generation.
            Mode::Open { .. } | Mode::ForcedOpen | Mode::Held { .. } => {}
        }
        notices
    }

    /// The inner service's `poll_ready` failed: a failed call that never started.
    pub(crate) fn ready_failed(
        &mut self,
        settings: &CircuitSettings,
        generation: u64,
        now: Timestamp,
        rng: Rng<'_>,
    ) -> Notices {
        let mut notices = self.expire_probes(settings, now, rng);
        if generation != self.generation {
            return notices;
        }
        if matches!(self.mode, Mode::Open { until } if now >= until) {
            // It stands for the call that would have been the first probe.
            self.half_open(now, &mut notices);
        }
        match &mut self.mode {
            Mode::Closed { .. } | Mode::ForcedClosed => {
                self.record(settings, Verdict::Failure, false, now, rng, &mut notices);
            }
            Mode::HalfOpen(half_open) if !half_open.is_full(settings) => {
                let finding = half_open.count(false, settings);
                self.conclude(settings, finding, TransitionCause::ProbesFailed, now, rng, &mut notices);
            }
            Mode::HalfOpen(_) | Mode::Open { .. } | Mode::ForcedOpen | Mode::Held { .. } => {}
        }
        notices
    }

    /// Gives up on expired probes, each as of its own deadline.
    pub(crate) fn expire_probes(&mut self, settings: &CircuitSettings, now: Timestamp, rng: Rng<'_>) -> Notices {
        let mut notices = Notices::default();
        while let Mode::HalfOpen(half_open) = &mut self.mode {
            let Some(deadline) = half_open.give_up_one(now) else { break };
            let finding = half_open.count(false, settings);
            self.conclude(settings, finding, TransitionCause::ProbeTimedOut, deadline, rng, &mut notices);
        }
        notices
    }

    /// Adds one holder that keeps the circuit open, and returns the generation to pass to
    /// [`release`](CircuitMachine::release). `None` if the circuit breaker is forced or never rejects: those settings
    /// take precedence.
    pub(crate) fn hold(&mut self, settings: &CircuitSettings, now: Timestamp) -> (Option<u64>, Notices) {
        let mut notices = Notices::default();
        match &mut self.mode {
            Mode::ForcedOpen | Mode::ForcedClosed => return (None, notices),
            _ if settings.observe_only => return (None, notices),
            Mode::Held { holders, .. } => *holders = holders.saturating_add(1),
            Mode::Closed { .. } | Mode::Open { .. } | Mode::HalfOpen(_) => {
                let until = if let Mode::Open { until } = self.mode { until } else { now };
                self.evict(now);
                self.enter(Mode::Held { holders: 1, until }, now, TransitionCause::HeldOpen, &mut notices);
            }
        }
        (Some(self.generation), notices)
    }

    /// One holder lets go. After the last one the circuit closes if that one says that the backend is well; otherwise
    /// it stays open for the rest of its open time, if it was open before. A hold of an older generation has no effect.
    pub(crate) fn release(&mut self, generation: u64, well: bool, now: Timestamp) -> Notices {
        let mut notices = Notices::default();
        if generation != self.generation {
            return notices;
        }
        match &mut self.mode {
            Mode::Held { holders, .. } if *holders > 1 => *holders -= 1,
            Mode::Held { .. } if well => {
                self.failed_half_opens = 0;
                self.enter(Mode::Closed { broken: false }, now, TransitionCause::Released, &mut notices);
            }
            Mode::Held { until, .. } => {
                let until = *until;
                self.enter(Mode::Open { until }, now, TransitionCause::Released, &mut notices);
            }
            _ => {}
        }
        notices
    }

    pub(crate) fn force_open(&mut self, now: Timestamp) -> Notices {
        self.set(Mode::ForcedOpen, now, TransitionCause::Forced)
    }

    pub(crate) fn force_closed(&mut self, now: Timestamp) -> Notices {
        self.set(Mode::ForcedClosed, now, TransitionCause::Forced)
    }

    pub(crate) fn reset(&mut self, now: Timestamp) -> Notices {
        self.set(Mode::Closed { broken: false }, now, TransitionCause::Reset)
    }

    fn set(&mut self, mode: Mode, now: Timestamp, cause: TransitionCause) -> Notices {
        let mut notices = Notices::default();
        // What is reported about the state that ends here is as of now.
        self.evict(now);
        self.failed_half_opens = 0;
        self.enter(mode, now, cause, &mut notices);
        notices
    }

    fn record(
        &mut self,
        settings: &CircuitSettings,
        verdict: Verdict,
        slow: bool,
        now: Timestamp,
        rng: Rng<'_>,
        notices: &mut Notices,
    ) {
        match verdict {
            Verdict::Success => self.run = 0,
            Verdict::Failure => self.run = self.run.saturating_add(1),
            Verdict::Throttled | Verdict::Ignored | Verdict::DeadlineExceeded => {}
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
                    notices.push(Notice::WouldHaveOpened { cause, counts });
                }
            }
            Some(cause) => {
                self.failed_half_opens = 0;
                self.open(settings, cause, now, rng, notices);
            }
            None => *broken = false,
        }
    }

    fn broken_rule(&self, settings: &CircuitSettings) -> Option<TransitionCause> {
        if settings.consecutive().is_some_and(|limit| self.run >= limit) {
            return Some(TransitionCause::ConsecutiveFailures);
        }
        let Totals { calls, failures, slow } = self.window.as_ref()?.totals();
        let reached =
            |part, threshold: Option<f64>| threshold.is_some_and(|t| rate(part, calls).is_some_and(|rate| rate >= t));
        if calls < u64::from(settings.minimum()) {
            None
        } else if reached(failures, settings.failure_rate) {
            Some(TransitionCause::FailureRate)
        } else if reached(slow, settings.slow_rate) {
            Some(TransitionCause::SlowRate)
        } else {
            None
        }
    }

    fn conclude(
        &mut self,
        settings: &CircuitSettings,
        finding: Finding,
        failed: TransitionCause,
        at: Timestamp,
        rng: Rng<'_>,
        notices: &mut Notices,
    ) {
        match finding {
            Finding::Undecided => {}
            Finding::Healthy => {
                self.failed_half_opens = 0;
                self.enter(Mode::Closed { broken: false }, at, TransitionCause::ProbesSucceeded, notices);
            }
            Finding::Sick => {
                self.failed_half_opens = self.failed_half_opens.saturating_add(1);
                self.open(settings, failed, at, rng, notices);
            }
        }
    }

    fn open(
        &mut self,
        settings: &CircuitSettings,
        cause: TransitionCause,
        at: Timestamp,
        rng: Rng<'_>,
        notices: &mut Notices,
    ) {
        let until = at.after(settings.open.delay(self.failed_half_opens, rng));
        self.enter(Mode::Open { until }, at, cause, notices);
    }

    fn half_open(&mut self, now: Timestamp, notices: &mut Notices) {
        self.enter(Mode::HalfOpen(Box::default()), now, TransitionCause::OpenTimeElapsed, notices);
    }

    /// The probe timeout; if not set, the open time in force without its jitter, which may have shrunk it to almost
    /// nothing.
    fn probe_timeout(&self, settings: &CircuitSettings) -> Duration {
        settings.probe_timeout.unwrap_or_else(|| self.open_time(settings))
    }

    /// The open time in force, before jitter.
    pub(crate) fn open_time(&self, settings: &CircuitSettings) -> Duration {
        settings.open.raw(self.failed_half_opens)
    }

    fn enter(&mut self, mode: Mode, at: Timestamp, cause: TransitionCause, notices: &mut Notices) {
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
            notices.push(Notice::Transition { from, to, sequence: self.generation, cause, counts });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SO-09: a caller whose clock was read before another thread opened the circuit, even for a second time, is given
    /// the open time and no more.
    #[test]
    fn so_09_no_more_is_left_than_there_was() {
        let settings = CircuitSettings {
            consecutive_failures: Some(1),
            open: crate::machine::retry::backoff::Backoff::constant(Duration::from_nanos(100)),
            ..CircuitSettings::default()
        };
        let (at, rng) = (Timestamp::from_nanos, &mut || 0.5);
        let mut machine = CircuitMachine::new(&settings, at(0));
        _ = machine.settle(&settings, (0, 0), Verdict::Failure, false, at(1_000), rng);
        let told = |machine: &mut CircuitMachine, now| match machine.admit(&settings, at(now), &mut || 0.5).0 {
            CircuitAnswer::Refused { retry_after } => retry_after.map(|left| left.as_nanos()),
            CircuitAnswer::Granted { .. } => None,
        };
        assert_eq!([10, 999, 1_000, 1_001, 1_099].map(|now| told(&mut machine, now)), [100, 100, 100, 99, 1].map(Some));
        assert_eq!(machine.refused_until(&settings, at(10)), Some(at(1_100)));
        // It is half-open, the probe fails, and a caller arrives that read the clock when the first open time was over.
        let (CircuitAnswer::Granted { generation, probe }, _) = machine.admit(&settings, at(1_100), rng) else {
            panic!()
        };
        _ = machine.settle(&settings, (generation, probe), Verdict::Failure, false, at(1_150), rng);
        assert_eq!([1_100, 1_150, 1_190].map(|now| told(&mut machine, now)), [100, 100, 60].map(Some));
    }
}
