//! A circuit breaker as a plain list of everything that happened. Every answer is found by reading the list: there are
//! no counters, rings or buckets here that could go wrong in the way the circuit breaker's own could.
//!
//! It is written from the specification and shares no code with the circuit breaker.

mod config;
mod drive;
mod list;
mod ops;
mod rules;
mod told;

use std::fmt;
use std::time::Duration;

pub use config::{Config, Open, Share, Window};
pub use drive::drive;
pub use ops::{Op, Step, Watch};
use seaworthy::circuit_breaker::TransitionCause;
use seaworthy::{OnDrop, State, Verdict};
pub use told::{Observed, Told, same};

/// A call, numbered in the order in which the calls came.
pub type Call = usize;

#[derive(Clone, Debug)]
struct Entry {
    /// Since the circuit was built.
    at: Duration,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Changed {
        to: Mode,
    },
    Admitted {
        call: Call,
    },
    Rejected,
    /// One more guard holds it open, or one less.
    Holds,
    LetGo,
    /// A verdict that was not void; `broken` says whether a rule was broken at that point.
    Settled {
        call: Call,
        verdict: Verdict,
        slow: bool,
        broken: bool,
    },
    /// A probe that timed out, as of its deadline.
    GivenUp {
        call: Call,
    },
    /// This many of the oldest verdicts in this state were seen to have left the time window.
    Gone {
        verdicts: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Closed,
    /// For this long; None is for ever.
    Open(Option<Duration>),
    HalfOpen,
    ForcedOpen,
    ForcedClosed,
    /// Open until then, if it is released; None is for ever.
    Held(Option<Duration>),
}

/// What `Counts` should hold.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    pub calls: usize,
    pub failures: usize,
    pub slow: usize,
    pub consecutive: usize,
}

/// What a snapshot should hold. Only the age of a generation is known: how often it has changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    pub state: State,
    pub forced: bool,
    pub held: bool,
    pub changes: usize,
    pub tally: Tally,
    pub rejected: usize,
    pub time_in_state: Duration,
    pub retry_after: Option<Duration>,
}

#[derive(Clone, Debug)]
pub struct Model {
    config: Config,
    now: Duration,
    list: Vec<Entry>,
    told: Vec<Told>,
    /// For verdicts that the specification allows to be in the time window or not: how many calls the circuit breaker
    /// says are in it. Accepted if it is one of the allowed answers.
    pub hint: Option<usize>,
}

impl Model {
    pub fn new(config: Config) -> Model {
        let closed = Entry { at: Duration::ZERO, what: What::Changed { to: Mode::Closed } };
        Model { config, now: Duration::ZERO, list: vec![closed], told: Vec::new(), hint: None }
    }

    pub fn now(&self) -> Duration {
        self.now
    }

    pub fn advance(&mut self, span: Duration) {
        self.now += span;
    }

    /// What the observer should have seen since the last call.
    pub fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    // Called by callers.

    /// Whether the call is admitted, or else the time after which to try again. CB-08 to CB-10.
    pub fn admit(&mut self, call: Call) -> Result<(), Option<Duration>> {
        self.give_up();
        let answer = self.let_in(call);
        if let Err(retry_after) = answer {
            self.reject(retry_after);
        }
        answer
    }

    fn let_in(&mut self, call: Call) -> Result<(), Option<Duration>> {
        if let Some(Duration::ZERO) = self.open_time_left() {
            self.change(self.now, Mode::HalfOpen, vec![TransitionCause::OpenTimeElapsed]);
        }
        self.refuses().map_or(Ok(()), Err)?;
        self.note(self.now, What::Admitted { call });
        Ok(())
    }

    /// Whether the call is admitted as a probe. PR-09.
    pub fn try_probe(&mut self, call: Call) -> bool {
        self.give_up();
        self.state() != State::Closed && self.let_in(call).is_ok()
    }

    /// How often the state had changed when it was held, if it is. PR-09.
    pub fn hold(&mut self) -> Option<usize> {
        match self.mode() {
            Mode::ForcedOpen | Mode::ForcedClosed => return None,
            _ if self.config.observe_only => return None,
            Mode::Held(_) => {}
            Mode::Open(time) => {
                let until = time.map(|time| self.here()[0].at + time);
                self.change(self.now, Mode::Held(until), vec![TransitionCause::HeldOpen]);
            }
            _ => self.change(self.now, Mode::Held(Some(self.now)), vec![TransitionCause::HeldOpen]),
        }
        self.note(self.now, What::Holds);
        Some(self.changes())
    }

    /// PR-09.
    pub fn release(&mut self, held: usize, well: bool) {
        if held != self.changes() {
            return;
        }
        self.note(self.now, What::LetGo);
        let count = |which: fn(&What) -> bool| self.here().iter().filter(|entry| which(&entry.what)).count();
        let holders = count(|what| matches!(what, What::Holds)) - count(|what| matches!(what, What::LetGo));
        if let (Mode::Held(until), 0) = (self.mode(), holders) {
            let left = until.map(|until| until.saturating_sub(self.now));
            let to = if well { Mode::Closed } else { Mode::Open(left) };
            self.change(self.now, to, vec![TransitionCause::Released]);
        }
    }

    pub(super) fn changes(&self) -> usize {
        self.list.iter().filter(|entry| matches!(entry.what, What::Changed { .. })).count()
    }

    /// CB-13, CB-14, CB-30.
    pub fn settle(&mut self, call: Call, verdict: Verdict) {
        // A probe that timed out still belongs to its state, and its verdict reveals others.
        if self.is_of_this_state(call) {
            self.give_up();
        }
        if !self.is_out(call) {
            return;
        }
        let slow = self.config.slow_call.is_some_and(|limit| self.ran(call) > limit);
        self.note(self.now, What::Settled { call, verdict, slow, broken: false });
        match self.mode() {
            _ if verdict == Verdict::Ignored => {}
            Mode::HalfOpen => self.decide(self.now, TransitionCause::ProbesFailed),
            Mode::Closed | Mode::ForcedClosed => self.judge(),
            Mode::Open(_) | Mode::ForcedOpen | Mode::Held(_) => unreachable!("no call is let in while open"),
        }
    }

    /// CB-15.
    pub fn drop_call(&mut self, call: Call) {
        let verdict = match self.config.on_drop() {
            OnDrop::Failure => Verdict::Failure,
            OnDrop::FailureAfter(limit) if self.ran(call) > limit => Verdict::Failure,
            _ => Verdict::Ignored,
        };
        self.settle(call, verdict);
    }

    /// Whether a call that came now would be rejected, and with what time; whatever is over by then is noticed. CB-19.
    pub fn refuses(&mut self) -> Option<Option<Duration>> {
        self.give_up();
        match self.mode() {
            Mode::Closed | Mode::ForcedClosed => None,
            Mode::HalfOpen => (!self.has_slot()).then_some(None),
            Mode::Open(_) => Some(self.open_time_left()).filter(|left| *left != Some(Duration::ZERO)),
            Mode::ForcedOpen | Mode::Held(_) => Some(None),
        }
    }

    /// A call is rejected because its service was ready to reject. CB-19.
    pub fn reject(&mut self, retry_after: Option<Duration>) {
        self.told.push(Told::Rejected(retry_after));
        self.note(self.now, What::Rejected);
    }

    /// CB-21.
    pub fn force_open(&mut self) {
        self.change(self.now, Mode::ForcedOpen, vec![TransitionCause::Forced]);
    }

    pub fn force_closed(&mut self) {
        self.change(self.now, Mode::ForcedClosed, vec![TransitionCause::Forced]);
    }

    pub fn reset(&mut self) {
        self.change(self.now, Mode::Closed, vec![TransitionCause::Reset]);
    }

    // Seen by callers.

    pub fn state(&self) -> State {
        state(self.mode())
    }

    pub fn is_probe(&self) -> bool {
        self.mode() == Mode::HalfOpen
    }

    /// CB-24.
    pub fn picture(&mut self) -> Picture {
        Picture {
            state: self.state(),
            forced: matches!(self.mode(), Mode::ForcedOpen | Mode::ForcedClosed),
            held: matches!(self.mode(), Mode::Held(_)),
            changes: self.changes(),
            tally: self.look(),
            rejected: self.list.iter().filter(|entry| matches!(entry.what, What::Rejected)).count(),
            time_in_state: self.now - self.here()[0].at,
            retry_after: self.open_time_left(),
        }
    }

    /// Counts, and notes what was seen to have left a time window.
    fn look(&mut self) -> Tally {
        let tally = self.tally();
        if self.hint.is_some() && self.mode() != Mode::HalfOpen {
            let verdicts = self.recorded().len() - tally.calls;
            self.note(self.now, What::Gone { verdicts });
        }
        tally
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the model, at {:?}:", self.now)?;
        self.list.iter().try_for_each(|Entry { at, what }| writeln!(f, "  {at:?} {what:?}"))
    }
}

fn state(mode: Mode) -> State {
    match mode {
        Mode::Closed | Mode::ForcedClosed => State::Closed,
        Mode::Open(_) | Mode::ForcedOpen | Mode::Held(_) => State::Open,
        Mode::HalfOpen => State::HalfOpen,
    }
}
