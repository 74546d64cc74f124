use std::time::Duration;

use seaworthy::Verdict;
use seaworthy::circuit_breaker::TransitionCause;

use super::{Call, Entry, Mode, Model, Tally, Told, What, Window, state};

impl Model {
    pub(super) fn note(&mut self, at: Duration, what: What) {
        self.list.push(Entry { at, what });
    }

    /// Every change of state, reset and force starts over; only a change that callers see is reported. CB-14, CB-23.
    pub(super) fn change(&mut self, at: Duration, to: Mode, causes: Vec<TransitionCause>) {
        let from = self.mode();
        if state(from) != state(to) {
            let told = Told::Changed { from: state(from), to: state(to), causes, tally: self.tally() };
            self.told.push(told);
        }
        self.note(at, What::Changed { to });
    }

    /// CB-12: the open time grows with each failed half-open state since the circuit was closed.
    fn open(&mut self, at: Duration, causes: Vec<TransitionCause>) {
        let failed = self.failed() + usize::from(self.mode() == Mode::HalfOpen);
        let time = self.config.open_time(failed);
        self.change(at, Mode::Open(time), causes);
    }

    /// Half-open states that failed since the circuit was closed.
    fn failed(&self) -> usize {
        let changes = self.list.iter().rev().filter_map(|entry| match entry.what {
            What::Changed { to } => Some(to),
            _ => None,
        });
        let open = |mode: &Mode| matches!(mode, Mode::Open(_) | Mode::HalfOpen | Mode::Held(_));
        let since_closed: Vec<_> = changes.take_while(open).collect();
        // The later one comes first.
        since_closed.windows(2).filter(|pair| matches!(pair, [Mode::Open(_), Mode::HalfOpen])).count()
    }

    // Closed.

    /// Verdicts of this state that counted, with their times.
    pub(super) fn recorded(&self) -> Vec<(Duration, (Verdict, bool))> {
        let verdicts = self.here().iter().filter_map(|entry| match entry.what {
            What::Settled { verdict, slow, .. } if verdict != Verdict::Ignored => Some((entry.at, (verdict, slow))),
            _ => None,
        });
        verdicts.collect()
    }

    /// The last verdicts that the rates are measured over. CB-03, CB-04.
    fn windowed(&self) -> Vec<(Verdict, bool)> {
        let recorded = self.recorded();
        let kept = match self.config.window() {
            None => 0,
            Some(Window::Calls(size)) => recorded.len().min(size as usize),
            Some(Window::Time(span)) => self.kept_of(span, &recorded),
        };
        recorded[recorded.len() - kept..].iter().map(|(_, verdict)| *verdict).collect()
    }

    fn kept_of(&self, span: Duration, recorded: &[(Duration, (Verdict, bool))]) -> usize {
        let ages: Vec<_> = recorded.iter().map(|(at, _)| self.now - *at).collect();
        let gone = self.here().iter().map(|entry| match entry.what {
            What::Gone { verdicts } => verdicts,
            _ => 0,
        });
        let least = ages.iter().filter(|age| is_in(span, **age)).count();
        let most = ages.iter().filter(|age| may_be_in(span, **age)).count().min(recorded.len() - gone.max().unwrap());
        let together =
            |kept: usize| kept > 0 && kept < ages.len() && ages[ages.len() - kept] == ages[ages.len() - kept - 1];
        match self.hint {
            Some(kept) if least <= kept && kept <= most && (kept == most || !together(kept)) => kept,
            Some(_) => most,
            None => {
                assert_eq!(least, most, "the clock stepped to where the time window is in doubt");
                least
            }
        }
    }

    pub(super) fn tally(&self) -> Tally {
        if self.mode() == Mode::HalfOpen {
            return self.trial_tally();
        }
        let verdicts: Vec<_> = self.recorded().into_iter().map(|(_, (verdict, _))| verdict).collect();
        let windowed = self.windowed();
        Tally {
            calls: windowed.len(),
            failures: windowed.iter().filter(|(verdict, _)| *verdict != Verdict::Success).count(),
            slow: windowed.iter().filter(|(_, slow)| *slow).count(),
            consecutive: consecutive(verdicts),
        }
    }

    /// The rules broken now. CB-02, CB-05, CB-06, CB-07.
    fn broken(&self) -> Vec<TransitionCause> {
        let Tally { calls, failures, slow, consecutive } = self.tally();
        let config = &self.config;
        let enough = calls >= config.minimum() as usize;
        let rules = [
            (
                TransitionCause::ConsecutiveFailures,
                config.consecutive().is_some_and(|limit| consecutive >= limit as usize),
            ),
            (
                TransitionCause::FailureRate,
                enough && config.failure_rate.is_some_and(|share| share.is_reached(failures, calls)),
            ),
            (TransitionCause::SlowRate, enough && config.slow_rate.is_some_and(|share| share.is_reached(slow, calls))),
        ];
        rules.into_iter().filter(|(_, broken)| *broken).map(|(cause, _)| cause).collect()
    }

    /// After a verdict that counted, the last entry of the list.
    pub(super) fn judge(&mut self) {
        let causes = self.broken();
        if causes.is_empty() || self.mode() == Mode::ForcedClosed {
            return;
        }
        if !self.config.observe_only {
            return self.open(self.now, causes);
        }
        // CB-21: once, from the first verdict at which a rule is broken to the first at which none is.
        let reported = self.here().iter().rev().skip(1).find_map(|entry| match entry.what {
            What::Settled { verdict, broken, .. } if verdict != Verdict::Ignored => Some(broken),
            _ => None,
        });
        if let Some(Entry { what: What::Settled { broken, .. }, .. }) = self.list.last_mut() {
            *broken = true;
        }
        if reported != Some(true) {
            let tally = self.tally();
            self.told.push(Told::WouldHaveOpened { causes, tally });
        }
    }

    // Half-open.

    /// Successes and failures so far; a slow call and one that timed out are failures. CB-06, CB-17, CB-30.
    fn trials(&self) -> (usize, usize) {
        let trials = self.here().iter().filter_map(|entry| match entry.what {
            What::Settled { verdict: Verdict::Ignored, .. } => None,
            What::Settled { verdict, slow, .. } => Some(verdict == Verdict::Success && !slow),
            What::GivenUp { .. } => Some(false),
            _ => None,
        });
        let (successes, failures): (Vec<_>, Vec<_>) = trials.partition(|success| *success);
        (successes.len(), failures.len())
    }

    fn trial_tally(&self) -> Tally {
        let (successes, failures) = self.trials();
        // A slow probe is a failed one, and there is no run of failures while half-open.
        Tally { calls: successes + failures, failures, slow: 0, consecutive: 0 }
    }

    pub(super) fn probes_out(&self) -> Vec<Call> {
        if self.mode() == Mode::HalfOpen { self.calls_out() } else { Vec::new() }
    }

    /// CB-10, CB-11.
    pub(super) fn has_slot(&self) -> bool {
        let (out, (successes, failures)) = (self.probes_out().len(), self.trials());
        out < self.config.probes() && out + successes + failures < self.config.trials() as usize
    }

    /// When a probe times out; None is never. CB-17: by default after the open time that was in force.
    pub(super) fn deadline(&self, probe: Call) -> Option<Duration> {
        let in_force = self.config.open_time(self.failed());
        self.admitted_at(probe).checked_add(self.config.probe_timeout.or(in_force)?)
    }

    /// Notes the probes whose time is over, the earliest first. CB-17.
    pub(super) fn give_up(&mut self) {
        let mut over: Vec<_> = self
            .probes_out()
            .into_iter()
            .filter_map(|probe| Some((self.deadline(probe)?, probe)))
            .filter(|(deadline, _)| *deadline <= self.now)
            .collect();
        over.sort();
        for (deadline, call) in over {
            if self.mode() == Mode::HalfOpen {
                self.note(deadline, What::GivenUp { call });
                self.decide(deadline, TransitionCause::ProbeTimedOut);
            }
        }
    }

    /// CB-11: as soon as the outcome is certain.
    pub(super) fn decide(&mut self, at: Duration, failed: TransitionCause) {
        let (successes, failures) = self.trials();
        let needed = self.config.successes();
        if successes >= needed {
            self.change(at, Mode::Closed, vec![TransitionCause::ProbesSucceeded]);
        } else if (self.config.trials() as usize) < needed + failures {
            self.open(at, vec![failed]);
        }
    }
}

/// The run of failures at the end of `verdicts`. CB-02, CB-13, CB-30.
fn consecutive(verdicts: Vec<Verdict>) -> usize {
    let since_success = verdicts.iter().rev().take_while(|verdict| **verdict != Verdict::Success);
    since_success.filter(|verdict| **verdict == Verdict::Failure).count()
}

/// Whether a verdict of this age is certainly in a time window. CB-04.
pub(super) fn is_in(span: Duration, age: Duration) -> bool {
    age < span
}

/// Whether it may still be in it: it is gone at most a tenth of the span later.
pub(super) fn may_be_in(span: Duration, age: Duration) -> bool {
    age.as_nanos() * 10 < span.as_nanos() * 11
}
