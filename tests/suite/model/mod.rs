//! A circuit as a plain list of everything that happened. Every answer is found by reading the list: there are no
//! counters, no rings and no buckets in here that could go wrong in the way the circuit's own could.
//!
//! It is written from the specification and shares no code with the circuit.

mod config;
mod drive;
mod rules;

use std::time::Duration;

use seaworthy::circuit::Cause;
use seaworthy::{OnDrop, State, Verdict};

pub use config::{Config, Open, Share, Window};
pub use drive::{Op, Step, Told, Watch, drive};
use rules::{is_in, may_be_in};

/// A call, by the order in which the calls came.
pub type Call = usize;

#[derive(Clone, Debug)]
struct Entry {
    /// Since the circuit was built.
    at: Duration,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Changed { to: Mode },
    Admitted { call: Call },
    Rejected,
    /// A verdict that was not void; `broken` says whether a rule was broken then.
    Settled { call: Call, verdict: Verdict, slow: bool, broken: bool },
    /// A probe that did not end in time, as of its deadline.
    GivenUp { call: Call },
    /// So many of the oldest verdicts in this state were seen to have left the time window.
    Gone { verdicts: usize },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Closed,
    /// For so long; None is for ever.
    Open(Option<Duration>),
    HalfOpen,
    ForcedOpen,
    ForcedClosed,
}

/// What `Counts` should hold.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    pub calls: usize,
    pub failures: usize,
    pub slow: usize,
    pub consecutive: usize,
}

/// What a snapshot should hold. Of a generation only the age is known: how often it has changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    pub state: State,
    pub forced: bool,
    pub changes: usize,
    pub tally: Tally,
    pub not_permitted: usize,
    pub time_in_state: Duration,
    pub retry_after: Option<Duration>,
}

#[derive(Debug)]
pub struct Model {
    config: Config,
    now: Duration,
    list: Vec<Entry>,
    told: Vec<Told>,
    /// For verdicts of which the specification leaves open whether they are still in the time window: how many calls
    /// the circuit says are in it. Taken if it is one of the allowed answers.
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

    /// What the observer should have been told since it was last asked.
    pub fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    // What callers do.

    /// Whether the call is let in, else the time after which to try again. CB-08 to CB-10.
    pub fn admit(&mut self, call: Call) -> Result<(), Option<Duration>> {
        self.give_up();
        if let Some(Duration::ZERO) = self.open_time_left() {
            self.change(self.now, Mode::HalfOpen, vec![Cause::OpenTimeElapsed]);
        }
        let answer = match self.mode() {
            Mode::Closed | Mode::ForcedClosed => Ok(()),
            Mode::HalfOpen => self.has_slot().then_some(()).ok_or(None),
            Mode::Open(_) => Err(self.open_time_left()),
            Mode::ForcedOpen => Err(None),
        };
        if let Err(retry_after) = answer {
            self.told.push(Told::Rejected(retry_after));
        }
        self.note(self.now, answer.map_or(What::Rejected, |()| What::Admitted { call }));
        answer
    }

    /// CB-13, CB-14, CB-30.
    pub fn settle(&mut self, call: Call, verdict: Verdict) {
        if !self.is_current(call) {
            return;
        }
        self.give_up();
        if !self.is_current(call) {
            return;
        }
        let slow = self.config.slow_call.is_some_and(|limit| self.ran(call) > limit);
        self.note(self.now, What::Settled { call, verdict, slow, broken: false });
        match self.mode() {
            _ if verdict == Verdict::Ignored => {}
            Mode::HalfOpen => self.decide(self.now, Cause::ProbesFailed),
            Mode::Closed | Mode::ForcedClosed => self.judge(),
            Mode::Open(_) | Mode::ForcedOpen => unreachable!("no call is let in while open"),
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

    /// CB-21.
    pub fn force_open(&mut self) {
        self.change(self.now, Mode::ForcedOpen, vec![Cause::Forced]);
    }

    pub fn force_closed(&mut self) {
        self.change(self.now, Mode::ForcedClosed, vec![Cause::Forced]);
    }

    pub fn reset(&mut self) {
        self.change(self.now, Mode::Closed, vec![Cause::Reset]);
    }

    // What callers see.

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
            changes: self.list.iter().filter(|entry| matches!(entry.what, What::Changed { .. })).count(),
            tally: self.tally(),
            not_permitted: self.list.iter().filter(|entry| matches!(entry.what, What::Rejected)).count(),
            time_in_state: self.now - self.here()[0].at,
            retry_after: self.open_time_left(),
        }
    }

    /// Times ahead at which something may happen by the clock alone, or at which a running call becomes a slow one.
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
        if let Some(Window::Time(span)) = self.config.window() {
            for (at, _) in self.recorded() {
                times.extend([at.checked_add(span), at.checked_add(span).and_then(|at| at.checked_add(span / 10))]);
            }
        }
        let mut times: Vec<_> = times.into_iter().flatten().filter(|time| *time > self.now).collect();
        times.sort();
        times.dedup();
        times
    }

    /// Whether, after so long without a call, the specification leaves no doubt about what is in the time window; else
    /// the longer time after which the oldest doubtful verdict is certainly gone.
    pub fn without_doubt(&self, span: Duration) -> Result<(), Duration> {
        let Some(Window::Time(window)) = self.config.window() else { return Ok(()) };
        let then = self.now + span;
        let doubtful = |at: &Duration| may_be_in(window, then - *at) && !is_in(window, then - *at);
        match self.recorded().into_iter().map(|(at, _)| at).find(doubtful) {
            None => Ok(()),
            // The first whole nanosecond that is a tenth of the window late.
            Some(at) => Err(at + window + Duration::from_nanos((window.as_nanos() as u64).div_ceil(10)) - self.now),
        }
    }

    // Reading the list.

    /// What happened in the present state, its beginning included.
    fn here(&self) -> &[Entry] {
        let changed = self.list.iter().rposition(|entry| matches!(entry.what, What::Changed { .. }));
        &self.list[changed.unwrap()..]
    }

    fn mode(&self) -> Mode {
        match self.here()[0].what {
            What::Changed { to } => to,
            _ => unreachable!("a state begins with a change"),
        }
    }

    fn open_time_left(&self) -> Option<Duration> {
        match self.mode() {
            Mode::Open(time) => time.map(|time| (self.here()[0].at + time).saturating_sub(self.now)),
            _ => None,
        }
    }

    fn admitted_at(&self, call: Call) -> Duration {
        let admission = |entry: &&Entry| matches!(entry.what, What::Admitted { call: admitted } if admitted == call);
        self.list.iter().find(admission).unwrap().at
    }

    fn ran(&self, call: Call) -> Duration {
        self.now - self.admitted_at(call)
    }

    /// Whether the call was let in in the present state and was not given up.
    fn is_current(&self, call: Call) -> bool {
        self.calls_out().contains(&call)
    }

    /// The calls that were let in in the present state and have not ended.
    fn calls_out(&self) -> Vec<Call> {
        let mut out = Vec::new();
        for entry in self.here() {
            match entry.what {
                What::Admitted { call } => out.push(call),
                What::Settled { call, .. } | What::GivenUp { call } => out.retain(|other| *other != call),
                What::Changed { .. } | What::Rejected | What::Gone { .. } => {}
            }
        }
        out
    }
}

fn state(mode: Mode) -> State {
    match mode {
        Mode::Closed | Mode::ForcedClosed => State::Closed,
        Mode::Open(_) | Mode::ForcedOpen => State::Open,
        Mode::HalfOpen => State::HalfOpen,
    }
}
