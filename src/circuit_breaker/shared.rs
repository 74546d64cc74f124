use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use super::config::CircuitBreakerConfig;
use super::packed_state::{PackedState, StateKind};
use super::success_counter::SuccessCounter;
use super::ticket::{Refusal, Ticket};
use crate::admission::HeldFlag;
use crate::context;
use crate::error::DeadlineStage;
use crate::machine::Rng;
use crate::machine::circuit_breaker::machine::{CircuitAnswer, CircuitMachine, Gate, OnSuccess};
use crate::machine::circuit_breaker::notice::{Notice, Notices, State};
use crate::machine::circuit_breaker::settings::{CircuitSettings, OnDrop};
use crate::machine::circuit_breaker::wait_list::{Sleeper, WaitList};
use crate::machine::keyed::idleness::Idleness;
use crate::machine::timestamp::Timestamp;
use crate::machine::verdict::Verdict;
use crate::machine::window::Span;
use crate::name::Name;
use crate::observe::event::{CircuitBreakerEvent, DeadlineEvent};
use crate::observe::source::{ObserverCache, Source};
use crate::rt::panic::wake_all;
use crate::rt::sync::{AtomicU64, Mutex, Ordering};
use crate::rt::time;
use crate::rt::waker_set::Wakers;

/// A circuit machine shared by many threads.
///
/// The machine itself is behind a lock. Beside it is everything a caller needs in order to pass or to be rejected
/// without the lock: a word that says whether calls pass, the time until which they do not, and a bulk count of
/// successes. Whoever steps the machine updates these before releasing the lock.
#[derive(Debug)]
pub(crate) struct Shared {
    word: AtomicU64,
    /// While the word says open or full, no call passes before this time. Changes only while the word says "busy".
    until: AtomicU64,
    rejected: AtomicU64,
    bulk: Option<Box<SuccessCounter>>,
    locked: Mutex<LockedMachine>,
    config: Arc<CircuitBreakerConfig>,
    name: Name,
    cache: ObserverCache,
}

#[derive(Debug)]
struct LockedMachine {
    machine: CircuitMachine,
    /// `None` until something listens.
    listeners: Option<Box<Listeners>>,
}

/// Wakers to be notified.
#[derive(Debug, Default)]
struct Listeners {
    /// When a call may pass again.
    waiters: WaitList<Waker>,
    /// When the state changes.
    watchers: Wakers,
}

/// What can be seen without the lock when not every call passes.
enum FastCheck {
    /// The machine decides.
    Ask,
    /// The machine decides, and the clock has been read for it.
    AskAt(Timestamp),
    Refuse(Refusal),
}

impl Shared {
    pub(super) fn new(name: Name, config: Arc<CircuitBreakerConfig>) -> Shared {
        let settings = &config.settings;
        let machine = CircuitMachine::new(settings, time::now());
        let bulk = settings.span().map(|span| {
            let bulk = SuccessCounter::new(match span {
                Span::Calls(size) => Some(size),
                Span::Time(_) => None,
            });
            bulk.open(machine.bulk_ends());
            Box::new(bulk)
        });
        let word = PackedState::new(machine.generation(), config.measures(), machine.gate(settings).into());
        let shared = Shared {
            word: AtomicU64::new(word.bits()),
            until: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            bulk,
            locked: Mutex::new(LockedMachine { machine, listeners: None }),
            config,
            name,
            cache: ObserverCache::default(),
        };
        shared.notify_of_calls(|name, source| CircuitBreakerEvent::Built { name, source });
        shared
    }

    /// For observers that want an event for every call.
    fn notify_of_calls<'a>(&'a self, event: impl FnOnce(&'a Name, Source<'a>) -> CircuitBreakerEvent<'a>) {
        self.config.notifier.notify_of_calls(|| event(&self.name, self.about()));
    }

    pub(super) fn about(&self) -> Source<'_> {
        Source::new(self.config.family.as_ref(), &self.cache)
    }

    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    pub(crate) fn settings(&self) -> &CircuitSettings {
        &self.config.settings
    }

    pub(super) fn hears_calls(&self) -> bool {
        self.config.notifier.hears_calls()
    }

    pub(super) fn hears_debug(&self) -> bool {
        self.config.notifier.hears_debug()
    }

    pub(super) fn notify_event(&self, event: CircuitBreakerEvent<'_>) {
        self.config.notifier.notify(event);
    }

    #[inline]
    pub(super) fn word(&self) -> PackedState {
        PackedState::from_bits(self.word.load(Ordering::Acquire))
    }

    pub(super) fn state(&self) -> State {
        // While it changes, whoever is changing it holds the lock.
        self.word().state().unwrap_or_else(|| self.with_lock(|locked| locked.machine.state()))
    }

    /// Reads the machine; `read` also gets the number of rejected calls.
    pub(super) fn with_machine<T>(&self, read: impl FnOnce(&mut CircuitMachine, u64) -> T) -> T {
        self.with_lock(|locked| read(&mut locked.machine, self.rejected.load(Ordering::Relaxed)))
    }

    /// What would be lost with this circuit breaker, which has no other handle.
    pub(super) fn idleness(&self, now: Timestamp) -> Idleness {
        self.with_machine(|machine, _| match machine.state() {
            _ if machine.is_forced() || machine.refused_until(self.settings(), now).is_some() => Idleness::InUse,
            State::Closed => Idleness::Idle,
            State::Open | State::HalfOpen => Idleness::Marked,
        })
    }

    #[inline(always)]
    fn fast_check(&self, word: PackedState) -> FastCheck {
        let kind = word.kind();
        match kind {
            StateKind::Open | StateKind::Full => {}
            StateKind::Shut => return FastCheck::Refuse(Refusal::WITHOUT_TIME),
            StateKind::Pass(_) | StateKind::Ask | StateKind::Busy => return FastCheck::Ask,
        }
        let until = self.until.load(Ordering::Acquire);
        if self.word() != word {
            // The time and the word do not belong together.
            return FastCheck::Ask;
        }
        if until == Timestamp::NEVER.as_nanos() {
            return FastCheck::Refuse(Refusal::WITHOUT_TIME);
        }
        let now = time::now();
        match until.checked_sub(now.as_nanos()) {
            None | Some(0) => FastCheck::AskAt(now),
            Some(left) if kind == StateKind::Open => FastCheck::Refuse(Refusal { left }),
            Some(_) => FastCheck::Refuse(Refusal::WITHOUT_TIME),
        }
    }

    /// Whether the circuit is open and no probe may pass yet. Takes no lock and changes nothing; reads the clock only
    /// while the circuit is open for a limited time.
    #[inline]
    pub(crate) fn keeps_all_out(&self) -> bool {
        match self.word().kind() {
            StateKind::Pass(_) | StateKind::Ask | StateKind::Full => false,
            StateKind::Shut => true,
            StateKind::Open | StateKind::Busy => self.is_open_for_now(),
        }
    }

    #[cold]
    fn is_open_for_now(&self) -> bool {
        loop {
            let word = self.word();
            match word.kind() {
                StateKind::Open => {}
                // It is being changed, so it was up before or is about to be: an open circuit leaves that state through
                // half-open, and one that was held open keeps its open time.
                StateKind::Pass(_) | StateKind::Ask | StateKind::Full | StateKind::Busy => return false,
                StateKind::Shut => return true,
            }
            let until = self.until.load(Ordering::Acquire);
            // Otherwise the time and the word do not belong together.
            if self.word() == word {
                return until == Timestamp::NEVER.as_nanos() || time::now().as_nanos() < until;
            }
        }
    }

    /// Whether every call passes.
    #[inline]
    pub(super) fn passes(&self) -> Option<PackedState> {
        let word = self.word();
        word.passes().then_some(word)
    }

    /// Lets a call pass or refuses it. A refusal is not counted yet: see [`Shared::rejected`].
    #[inline]
    pub(crate) fn admit(&self) -> Result<Ticket, Refusal> {
        match self.passes() {
            Some(word) => Ok(Ticket::new(word)),
            None => self.admit_if_open(),
        }
    }

    /// Like [`Shared::admit`], for when not every call passes.
    pub(super) fn admit_if_open(&self) -> Result<Ticket, Refusal> {
        let word = self.word();
        if word.passes() {
            return Ok(Ticket::new(word));
        }
        match self.fast_check(word) {
            FastCheck::Refuse(refusal) => Err(refusal),
            FastCheck::AskAt(now) => self.ask(now),
            FastCheck::Ask => self.ask(time::now()),
        }
    }

    #[cold]
    fn ask(&self, now: Timestamp) -> Result<Ticket, Refusal> {
        let admission = self.step(|machine, settings, rng| machine.admit(settings, now, rng));
        self.answer(admission, now)
    }

    /// Like [`Shared::admit`], but only as a probe.
    pub(super) fn admit_probe(&self) -> Result<Ticket, Refusal> {
        if self.passes().is_some() {
            return Err(Refusal::WITHOUT_TIME);
        }
        let now = time::now();
        let admission = self.step(|machine, settings, rng| machine.admit_probe(settings, now, rng));
        self.answer(admission, now)
    }

    fn answer(&self, admission: CircuitAnswer, now: Timestamp) -> Result<Ticket, Refusal> {
        match admission {
            CircuitAnswer::Granted { generation, probe } => {
                let started = if self.config.measures() { now } else { Timestamp::NEVER };
                Ok(Ticket { generation, started, probe, held: HeldFlag::YES })
            }
            CircuitAnswer::Refused { retry_after } => Err(Refusal::new(retry_after)),
        }
    }

    /// Adds one hold that keeps the circuit open. Returns the generation it holds in, or `None` if it does not hold.
    pub(super) fn hold(&self) -> Option<u64> {
        let now = time::now();
        self.step(|machine, settings, _| machine.hold(settings, now))
    }

    /// Like [`Shared::hold`], unless the generation has changed.
    #[cfg(feature = "prober")]
    pub(super) fn hold_if_still(&self, generation: u64) -> Option<u64> {
        let now = time::now();
        self.step(|machine, settings, _| {
            if machine.generation() == generation { machine.hold(settings, now) } else { (None, Notices::default()) }
        })
    }

    pub(super) fn release(&self, generation: u64, well: bool) {
        let now = time::now();
        self.step(|machine, _, _| ((), machine.release(generation, well, now)));
    }

    pub(super) fn holds(&self, generation: u64) -> bool {
        self.with_lock(|locked| locked.machine.is_held_open() && locked.machine.generation() == generation)
    }

    /// Whether a call would pass, without admitting one: the generation under which it would pass, or the refusal it
    /// would get. Gives up expired probes on the way.
    #[inline]
    pub(crate) fn peek(&self) -> Result<u64, Refusal> {
        let word = self.word();
        if word.passes() {
            return Ok(word.generation());
        }
        match self.fast_check(word) {
            FastCheck::Refuse(refusal) => Err(refusal),
            FastCheck::AskAt(now) => self.peek_closely(now),
            FastCheck::Ask => self.peek_closely(time::now()),
        }
    }

    #[cold]
    fn peek_closely(&self, now: Timestamp) -> Result<u64, Refusal> {
        self.step(|machine, settings, rng| {
            let notices = machine.expire_probes(settings, now, rng);
            let answer = match machine.refused_until(settings, now) {
                Some(_) => Err(Refusal::new(machine.retry_after(now))),
                None => Ok(machine.generation()),
            };
            (answer, notices)
        })
    }

    /// Counts and reports a rejection.
    #[inline]
    pub(super) fn rejected(&self, refusal: Refusal) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
        if self.config.notifier.hears_debug() {
            self.notify_rejection(refusal);
        }
    }

    #[inline(never)]
    fn notify_rejection(&self, refusal: Refusal) {
        let (name, source, retry_after) = (&self.name, self.about(), refusal.retry_after());
        self.config.notifier.notify(CircuitBreakerEvent::Rejected { name, source, retry_after });
    }

    /// Reports that the current deadline of a call has passed, which counts as nothing.
    pub(super) fn deadline_exceeded(&self, stage: DeadlineStage) {
        let (name, source) = (Some(&self.name), self.about());
        self.config.notifier.notify(DeadlineEvent::Exceeded { name, source, stage, late: context::late_by() });
    }

    /// Settles an admitted call.
    #[inline]
    pub(crate) fn settle(&self, ticket: &Ticket, verdict: Verdict) {
        let word = self.word();
        if verdict != Verdict::Success || !word.is_at_rest(ticket.generation) {
            self.settle_slow_path(word, ticket, verdict);
        }
    }

    #[inline(never)]
    fn settle_slow_path(&self, word: PackedState, ticket: &Ticket, mut verdict: Verdict) {
        if verdict == Verdict::DeadlineExceeded {
            verdict = verdict_by(self.settings().on_deadline(), ticket);
        }
        if ticket.started != Timestamp::NEVER {
            self.settle_with_clock(word, ticket, verdict);
        } else if changes_something(word, ticket, verdict) {
            self.settle_counted(word, ticket, verdict, false, None);
        }
    }

    /// For a call whose duration matters.
    #[inline(never)]
    fn settle_with_clock(&self, word: PackedState, ticket: &Ticket, verdict: Verdict) {
        let counts = changes_something(word, ticket, verdict);
        if !counts && !self.config.notifier.hears_calls() {
            return;
        }
        let now = time::now();
        let elapsed = now.since(ticket.started);
        if counts {
            self.settle_counted(word, ticket, verdict, self.settings().is_slow(elapsed), Some(now));
        }
        if self.config.notifier.hears_calls() {
            self.notify_settled(verdict, elapsed, elapsed);
        }
    }

    #[cold]
    pub(super) fn notify_settled(&self, verdict: Verdict, head: Duration, elapsed: Duration) {
        let (name, source) = (&self.name, self.about());
        self.config.notifier.notify(CircuitBreakerEvent::Settled { name, source, verdict, head, elapsed });
    }

    #[inline]
    pub(super) fn settle_counted(
        &self,
        word: PackedState,
        ticket: &Ticket,
        verdict: Verdict,
        slow: bool,
        mut now: Option<Timestamp>,
    ) {
        if verdict == Verdict::Success && !slow {
            let done = match word.kind() {
                StateKind::Pass(OnSuccess::Nothing) => true,
                StateKind::Pass(OnSuccess::Count) => {
                    self.bulk.as_ref().is_some_and(|bulk| bulk.add(&mut now, || self.word() == word))
                }
                _ => false,
            };
            if done {
                return;
            }
        }
        self.settle_in_machine(ticket, verdict, slow, now);
    }

    #[cold]
    fn settle_in_machine(&self, ticket: &Ticket, verdict: Verdict, slow: bool, now: Option<Timestamp>) {
        let now = now.unwrap_or_else(time::now);
        let ticket = (ticket.generation, ticket.probe);
        self.step(|machine, settings, rng| ((), machine.settle(settings, ticket, verdict, slow, now, rng)));
    }

    /// Takes back the ticket of a call that has not started and will ask again. Nothing is reported: there was no call.
    #[cold]
    pub(crate) fn take_back(&self, ticket: &Ticket) {
        if ticket.is_probe() {
            self.settle_in_machine(ticket, Verdict::Ignored, false, None);
        }
    }

    /// What a call counts as if it is dropped before it ends.
    #[cold]
    pub(crate) fn verdict_on_drop(&self, ticket: &Ticket) -> Verdict {
        verdict_by(self.settings().on_drop(), ticket)
    }

    /// If every call is refused, returns when the waiter, known by `id`, has to ask again, and wakes `waker` if a call
    /// may pass before that. An `id` of 0 means there is no waiter yet.
    pub(super) fn wait(&self, id: &mut u64, waker: &Waker) -> Option<Timestamp> {
        let now = time::now();
        let waker = waker.clone();
        let (timer, _dropped_outside) = self.step_locked(|locked, settings, rng| {
            let notices = locked.machine.expire_probes(settings, now, rng);
            let answer = match locked.machine.refused_until(settings, now) {
                Some(until) => {
                    let (timer, replaced) = locked.listeners.get_or_insert_default().waiters.sleep(id, waker, until);
                    (Some(timer), replaced)
                }
                None => (None, Some(waker)),
            };
            (answer, notices)
        });
        timer
    }

    /// Takes a waiter off the list, because it is gone or its call may pass. If another call may pass, the next one is
    /// woken.
    pub(super) fn forget_waiter(&self, id: u64) {
        let _dropped_outside = self.with_lock(|locked| locked.listeners.as_mut()?.waiters.leave(id));
    }

    /// Wakes `waker` once, at the next change of state, replacing the watcher `id`. An `id` of 0 means there is none
    /// yet.
    #[cfg(feature = "prober")]
    pub(crate) fn watch(&self, id: &mut u64, waker: &Waker) {
        let waker = waker.clone();
        let _dropped_outside =
            self.with_lock(|locked| locked.listeners.get_or_insert_default().watchers.put(id, waker));
    }

    /// Takes a watcher off the list.
    #[cfg(feature = "prober")]
    pub(crate) fn forget_watcher(&self, id: u64) {
        let _dropped_outside = self.with_lock(|locked| locked.listeners.as_mut()?.watchers.remove(id));
    }

    /// The inner service's `poll_ready` failed after being polled under `generation`.
    #[cold]
    pub(crate) fn ready_failed(&self, generation: u64) {
        let now = time::now();
        self.step(|machine, settings, rng| ((), machine.ready_failed(settings, generation, now, rng)));
        self.notify_of_calls(|name, source| CircuitBreakerEvent::ReadyFailed { name, source });
    }

    /// Steps the machine, then reports what happened.
    pub(super) fn step<T>(
        &self,
        step: impl FnOnce(&mut CircuitMachine, &CircuitSettings, Rng<'_>) -> (T, Notices),
    ) -> T {
        self.step_locked(|locked, settings, rng| step(&mut locked.machine, settings, rng))
    }

    fn step_locked<T>(&self, step: impl FnOnce(&mut LockedMachine, &CircuitSettings, Rng<'_>) -> (T, Notices)) -> T {
        let (answer, notices) =
            self.with_lock(|locked| step(locked, self.settings(), &mut || self.config.random.fraction()));
        for notice in [notices.first, notices.second].into_iter().flatten() {
            self.notify(notice);
        }
        answer
    }

    fn notify(&self, notice: Notice) {
        let (name, source) = (&self.name, self.about());
        self.config.notifier.notify(match notice {
            Notice::Transition { from, to, sequence, cause, counts } => {
                CircuitBreakerEvent::Transition { name, source, from, to, sequence, cause, counts }
            }
            Notice::WouldHaveOpened { cause, counts } => {
                CircuitBreakerEvent::WouldHaveOpened { name, source, cause, counts }
            }
        });
    }

    /// Does some work under the lock, publishes the machine's new state, and wakes everyone it concerns.
    fn with_lock<T>(&self, work: impl FnOnce(&mut LockedMachine) -> T) -> T {
        let mut locked = self.locked.lock();
        if let Some(bulk) = &self.bulk {
            locked.machine.absorb(bulk.close());
        }
        let before = locked.machine.generation();
        let answer = work(&mut locked);
        let gate = locked.machine.gate(self.settings());
        self.publish(&locked.machine, gate);
        let changed = locked.machine.generation() != before;
        let (mut waiters, mut watchers) = (BTreeMap::new(), BTreeMap::new());
        let LockedMachine { machine, listeners } = &mut *locked;
        if let Some(listeners) = listeners {
            waiters = listeners.passing(gate, changed, || machine.open_time(self.settings()));
            if changed {
                watchers = listeners.watchers.take();
            }
        }
        drop(locked);
        wake_all(waiters.into_values().map(|sleeper| sleeper.who).chain(watchers.into_values()));
        answer
    }

    fn publish(&self, machine: &CircuitMachine, gate: Gate) {
        let word = |kind| PackedState::new(machine.generation(), self.config.measures(), kind).bits();
        if let Gate::Open { until } | Gate::Full { until } = gate {
            if until.as_nanos() != self.until.load(Ordering::Relaxed) {
                // A reader that sees the new time also sees a changed word.
                self.word.store(word(StateKind::Busy), Ordering::Relaxed);
                self.until.store(until.as_nanos(), Ordering::Release);
            }
        }
        self.word.store(word(gate.into()), Ordering::Release);
        if let (Some(bulk), Gate::Pass(OnSuccess::Count)) = (&self.bulk, gate) {
            bulk.open(machine.bulk_ends());
        }
    }
}

impl Listeners {
    /// The waiters that have to be woken. `patience` is how long one may be held up by others that were woken and do
    /// nothing.
    fn passing(
        &mut self,
        gate: Gate,
        changed: bool,
        patience: impl FnOnce() -> Duration,
    ) -> BTreeMap<u64, Sleeper<Waker>> {
        if changed {
            self.waiters.start_over();
        }
        match gate {
            _ if self.waiters.is_empty() => BTreeMap::new(),
            Gate::Pass(_) => self.waiters.call_all(),
            Gate::Ask { probes } => self.waiters.call(probes, time::now(), patience()),
            Gate::Open { until } | Gate::Full { until } => self.waiters.expect(until, patience()),
            Gate::Shut => BTreeMap::new(),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.notify_of_calls(|name, source| CircuitBreakerEvent::Dropped { name, source, state: self.state() });
    }
}

/// What a call without an answer counts as.
#[cold]
pub(super) fn verdict_by(rule: OnDrop, ticket: &Ticket) -> Verdict {
    match rule {
        OnDrop::Ignore => Verdict::Ignored,
        OnDrop::Failure => Verdict::Failure,
        OnDrop::FailureAfter(limit) if time::now().since(ticket.started) > limit => Verdict::Failure,
        OnDrop::FailureAfter(_) => Verdict::Ignored,
    }
}

/// A call admitted under another generation changes nothing, nor does an ignored call that is no probe.
#[inline]
pub(super) fn changes_something(word: PackedState, ticket: &Ticket, verdict: Verdict) -> bool {
    word.generation() == ticket.generation && (verdict != Verdict::Ignored || ticket.is_probe())
}
