//! The keyed circuit breakers against a naive model: for each known key, when it was used and its state.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use seaworthy::{CircuitBreaker, Keyed, Verdict};

use super::is_overflow;
use crate::support::{advance, settle};

const IDLE: u64 = 8;
const OPEN: u64 = 5;

#[derive(Clone, Debug)]
enum Step {
    Get(u8),
    Find(u8),
    Hold(u8),
    Release(usize),
    /// A call that fails, if it is let in.
    Fail(u8),
    Succeed(u8),
    /// A call that is abandoned.
    GiveUp(u8),
    ForceOpen(u8),
    ForceClosed(u8),
    Reset(u8),
    Remove(u8),
    ForgetIdle,
    Advance(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = || 0..8_u8;
    let step = prop_oneof![
        6 => key().prop_map(Step::Get),
        2 => key().prop_map(Step::Find),
        3 => key().prop_map(Step::Hold),
        3 => any::<usize>().prop_map(Step::Release),
        3 => key().prop_map(Step::Fail),
        2 => key().prop_map(Step::Succeed),
        1 => key().prop_map(Step::GiveUp),
        1 => key().prop_map(Step::ForceOpen),
        1 => key().prop_map(Step::ForceClosed),
        2 => key().prop_map(Step::Reset),
        1 => key().prop_map(Step::Remove),
        3 => Just(Step::ForgetIdle),
        5 => (1..=IDLE).prop_map(Step::Advance),
    ];
    vec(step, 1..150)
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum State {
    #[default]
    Closed,
    /// Until then.
    Open(u64),
    HalfOpen,
    ForcedOpen,
    ForcedClosed,
}

/// What is known about a key.
#[derive(Clone, Debug, Default)]
struct Known {
    asked: u64,
    /// When it was last held or busy.
    used: u64,
    held: usize,
    state: State,
    /// When a full look found it idle for long enough.
    found_idle: Option<u64>,
}

impl Known {
    fn ask(&mut self, now: u64) {
        *self = Known { asked: now, used: now, found_idle: None, ..self.clone() };
    }

    fn is_needed(&self, now: u64) -> bool {
        let rejects = matches!(self.state, State::Open(until) if now < until);
        self.held > 0 || rejects || matches!(self.state, State::ForcedOpen | State::ForcedClosed)
    }

    /// When it was last in use, as far as can be known.
    fn last_used(&self, now: u64) -> u64 {
        match self.state {
            _ if self.is_needed(now) => now,
            State::Open(until) => self.used.max(until),
            _ => self.used,
        }
    }

    fn may_be_forgotten(&self, now: u64) -> bool {
        !self.is_needed(now) && now >= self.last_used(now) + IDLE
    }

    /// To another key.
    fn may_leave_its_place(&self, now: u64) -> bool {
        !self.is_needed(now) && self.state == State::Closed
    }
}

#[derive(Debug)]
struct Game {
    hosts: Keyed<u8, CircuitBreaker>,
    max: usize,
    known: BTreeMap<u8, Known>,
    now: u64,
    /// When none could be evicted.
    full: Option<u64>,
    held: Vec<(u8, CircuitBreaker)>,
}

impl Game {
    fn new(max: usize) -> Game {
        let template = CircuitBreaker::builder("model").consecutive_failures(1).open_for(Duration::from_millis(OPEN));
        let builder = template.keyed().idle(Duration::from_millis(IDLE)).max(max as u32);
        Game { hosts: builder.build().unwrap(), max, known: BTreeMap::new(), now: 0, full: None, held: Vec::new() }
    }

    /// Compares what is gone with what may be gone, and takes note.
    fn compare(&mut self, before: seaworthy::keyed::Snapshot) {
        let (after, now) = (self.hosts.snapshot(), self.now);
        let there: Vec<u8> = self.hosts.handles().into_iter().map(|(key, _)| key).collect();
        assert_eq!((after.handles as usize, after.handles as usize <= self.max), (there.len(), true));
        let (gone, left): (BTreeMap<u8, Known>, BTreeMap<u8, Known>) =
            std::mem::take(&mut self.known).into_iter().partition(|(key, _)| !there.contains(key));
        assert_eq!(left.len(), there.len(), "none is there that nobody asked for");
        let (forgotten, spared) =
            (after.evicted_idle - before.evicted_idle, after.evicted_for_capacity - before.evicted_for_capacity);
        assert_eq!(gone.len() as u64, forgotten + spared);
        assert!(spared <= 1);
        let places = gone.values().filter(|known| !known.may_be_forgotten(now)).count() as u64;
        assert!(places <= spared, "forgotten before its time: {gone:?} at {now}");
        if spared == 1 {
            // Whichever lost its place to another key: none that could have been evicted was used before it.
            let fine = gone.values().any(|spared| {
                spared.may_leave_its_place(now)
                    && left
                        .values()
                        .filter(|other| other.may_leave_its_place(now) && other.asked < now)
                        .all(|other| spared.asked <= other.last_used(now))
            });
            assert!(fine, "not the least recently used: {gone:?} of {left:?} at {now}");
        }
        self.known = left;
    }

    fn note(&mut self, key: u8) -> &mut Known {
        let known = self.known.entry(key).or_default();
        known.ask(self.now);
        known
    }

    /// The handle of a key; none if it is the overflow's, after checking that this was right.
    fn get(&mut self, key: u8) -> Option<CircuitBreaker> {
        let before = self.hosts.snapshot();
        let was_there = self.known.contains_key(&key);
        let circuit_breaker = self.hosts.get(&key);
        let after = self.hosts.snapshot();
        if is_overflow(&circuit_breaker) {
            assert!(!was_there && (after.overflowed, after.created) == (before.overflowed + 1, before.created));
            self.compare(before);
            assert_eq!(self.known.len(), self.max);
            // Time moves in milliseconds here, and for one it is remembered that none could be evicted.
            let now = self.now;
            if self.full != Some(now) {
                assert!(!self.known.values().any(|known| known.may_leave_its_place(now)), "{self:?}");
                self.full = Some(now);
            }
            return None;
        }
        assert_eq!(after.created - before.created, u64::from(!was_there), "it is the one that it was: {key}");
        self.note(key);
        self.compare(before);
        Some(circuit_breaker)
    }

    fn call(&mut self, key: u8, verdict: Option<Verdict>) {
        let Some(circuit_breaker) = self.get(key) else { return };
        let now = self.now;
        let known = self.note(key);
        let passes = match known.state {
            State::Open(until) => now >= until,
            State::ForcedOpen => false,
            _ => true,
        };
        let Ok(permit) = circuit_breaker.admit() else {
            assert!(!passes);
            return;
        };
        assert!(passes);
        if matches!(known.state, State::Open(_)) {
            known.state = State::HalfOpen;
        }
        match (verdict, known.state) {
            (_, State::ForcedClosed) | (None, _) | (Some(Verdict::Success), State::Closed) => {}
            (Some(Verdict::Success), _) => known.state = State::Closed,
            (Some(_), _) => known.state = State::Open(now + OPEN),
        }
        match verdict {
            Some(verdict) => permit.settle(verdict),
            None => drop(permit),
        }
    }

    fn tell(&mut self, key: u8, state: State, tell: impl Fn(&CircuitBreaker)) {
        if let Some(circuit_breaker) = self.get(key) {
            tell(&circuit_breaker);
            self.note(key).state = state;
        }
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Get(key) => drop(self.get(key)),
            Step::Find(key) => {
                let before = self.hosts.snapshot();
                let found = self.hosts.find(&key).is_some();
                assert_eq!(found, self.known.contains_key(&key));
                if found {
                    self.note(key);
                }
                self.compare(before);
            }
            Step::Hold(key) => {
                if let Some(circuit_breaker) = self.get(key) {
                    self.note(key).held += 1;
                    self.held.push((key, circuit_breaker));
                }
            }
            Step::Release(index) if self.held.is_empty() => _ = index,
            Step::Release(index) => {
                let (key, circuit_breaker) = self.held.swap_remove(index % self.held.len());
                drop(circuit_breaker);
                if let Some(known) = self.known.get_mut(&key) {
                    known.held = known.held.saturating_sub(1);
                    known.used = self.now;
                    known.found_idle = None;
                }
            }
            Step::Fail(key) => self.call(key, Some(Verdict::Failure)),
            Step::Succeed(key) => self.call(key, Some(Verdict::Success)),
            Step::GiveUp(key) => self.call(key, None),
            Step::ForceOpen(key) => self.tell(key, State::ForcedOpen, CircuitBreaker::force_open),
            Step::ForceClosed(key) => self.tell(key, State::ForcedClosed, CircuitBreaker::force_closed),
            Step::Reset(key) => self.tell(key, State::Closed, CircuitBreaker::reset),
            Step::Remove(key) => {
                assert_eq!(self.hosts.remove(&key).is_some(), self.known.remove(&key).is_some());
                // A holder of the old one has nothing to do with a new one.
                self.held.retain(|(held, _)| *held != key);
            }
            Step::ForgetIdle => {
                let before = self.hosts.snapshot();
                self.hosts.evict_idle();
                self.compare(before);
                let now = self.now;
                for known in self.known.values_mut() {
                    match known.found_idle {
                        Some(since) if known.may_be_forgotten(now) => {
                            assert!(now < since + IDLE, "it should be gone: {known:?} at {now}");
                        }
                        _ => known.found_idle = known.may_be_forgotten(now).then_some(now),
                    }
                }
            }
            Step::Advance(millis) => {
                advance(Duration::from_millis(millis)).await;
                self.now += millis;
            }
        }
        let now = self.now;
        for known in self.known.values_mut() {
            if known.is_needed(now) {
                known.used = now;
                known.found_idle = None;
            }
        }
    }
}

async fn play(max: usize, steps: Vec<Step>) {
    let mut game = Game::new(max);
    for step in steps {
        game.step(step).await;
    }
    // What is left is as it should be.
    for (key, circuit_breaker) in game.hosts.handles() {
        let expected = match game.known[&key].state {
            State::Closed | State::ForcedClosed => seaworthy::State::Closed,
            State::Open(_) | State::ForcedOpen => seaworthy::State::Open,
            State::HalfOpen => seaworthy::State::HalfOpen,
        };
        assert_eq!(circuit_breaker.state(), expected, "{key}");
    }
    // All can go in the end.
    for (_, circuit_breaker) in game.hosts.handles() {
        circuit_breaker.reset();
        settle(&circuit_breaker, &[Verdict::Success]);
    }
    drop(game.held);
    for _ in 0..3 {
        advance(Duration::from_millis(IDLE)).await;
        game.hosts.evict_idle();
    }
    assert!(game.hosts.is_empty());
}

/// `PROPTEST_CASES`, or a number that takes about a second in all.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { 300 };
    ProptestConfig { cases, failure_persistence: None, ..default }
}

proptest! {
    #![proptest_config(config())]

    /// KY-01 to KY-06, KY-12: any order of calls, holding, forcing, evicting and time, at any cap.
    #[test]
    fn as_the_model_says(max in 1..6usize, steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(play(max, steps));
    }
}
