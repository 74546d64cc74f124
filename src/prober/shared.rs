use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::task::AbortHandle;

use super::driver::CircuitDriver;
use super::policy::ProbePolicy;
use super::probe::AnyProbe;
use super::resolver::Resolver;
use super::table::{InFlightProbe, TargetEntry, TargetNews, TargetTable};
use crate::circuit_breaker::handle::CircuitBreaker;
use crate::machine::probe::track::{Change, Settled, Track};
use crate::machine::probe_state::{ProbeOutcome, ProbeState};
use crate::machine::timestamp::Timestamp;
use crate::name::Name;
use crate::observe::event::ProbeEvent;
use crate::observe::notifier::Notifier;
use crate::rt::panic::caught;
use crate::rt::random::Random;
use crate::rt::sync::Mutex;
use crate::rt::time;

/// The state of a prober, shared by threads. Observers, circuit breakers and probes are only ever called outside its
/// lock.
pub(super) struct Shared {
    locked: Mutex<TargetTable>,
    /// There may be something to do.
    pub(super) stirred: Notify,
    /// Held by the active run.
    pub(super) turn: Semaphore,
    notifier: Notifier,
    random: Random,
    pub(super) resolver: Resolver,
}

/// A probe that is to be started.
pub(super) struct Launch {
    pub(super) id: u64,
    pub(super) probe: Arc<dyn AnyProbe>,
    /// When it is given up.
    pub(super) until: Timestamp,
}

impl Shared {
    pub(super) fn new(most: usize, notifier: Notifier, random: Random, resolver: Resolver) -> Shared {
        let (locked, stirred, turn) = (Mutex::new(TargetTable::new(most)), Notify::new(), Semaphore::new(1));
        Shared { locked, stirred, turn, notifier, random, resolver }
    }

    pub(super) fn with_table<T>(&self, work: impl FnOnce(&mut TargetTable) -> T) -> T {
        work(&mut self.locked.lock())
    }

    /// Wakes the run. A panic of its waker must not reach the caller.
    fn stir(&self) {
        let _the_wakers_own = caught(|| self.stirred.notify_one());
    }

    // Called by users.

    /// Starts a fresh window if `change` says so: the probe under way no longer counts, and the next one is due.
    /// Otherwise its circuit breakers learn of the state that shows now.
    pub(super) fn change(&self, id: u64, change: impl FnOnce(&mut TargetEntry, Timestamp) -> Changed) -> bool {
        let now = time::now();
        let mut locked = self.locked.lock();
        let table = &mut *locked;
        let Some(entry) = table.targets.get_mut(&id) else { return false };
        let Changed { change, fresh, replaced } = change(entry, now);
        let (mut flight, mut links) = (None, Vec::new());
        let (probed, state, well) = (entry.track.is_probed(), entry.track.state(), entry.track.is_well());
        if fresh || change.is_some() {
            links = std::mem::take(&mut entry.links);
        }
        if fresh {
            flight = entry.flight.take();
            let next = self.first(entry.policy.as_ref().filter(|_| probed), now);
            table.schedule.give_up(id);
            table.schedule.set(id, next, patience(entry.policy.as_ref()));
        }
        let news = table.publish(id, change);
        drop(locked);
        abort(flight);
        drop(replaced);
        self.notify(news);
        links.iter_mut().for_each(|driver| match (fresh, probed) {
            (false, _) => driver.turned(well, state, now),
            (true, true) => driver.hand_back(),
            (true, false) => driver.let_go(),
        });
        self.put_back(id, links);
        self.stir();
        true
    }

    pub(super) fn remove(&self, id: u64) -> bool {
        let removed = self.with_table(|table| table.remove(id));
        let found = removed.is_some();
        // Its probe and its circuit breakers are dropped outside the lock.
        if let Some(mut entry) = removed {
            abort(entry.flight.take());
            let state = entry.track.state();
            self.notifier.notify_of_calls(|| ProbeEvent::TargetRemoved { name: &entry.name, state });
        }
        self.stir();
        found
    }

    pub(super) fn driver(self: &Arc<Self>, id: u64, circuit_breaker: &CircuitBreaker) -> bool {
        let waker = Waker::from(Arc::new(Turned { shared: Arc::downgrade(self), id }));
        let Some((unhealthy, driver)) = self.with_table(|table| table.driver(id, circuit_breaker, waker)) else {
            return false;
        };
        if let Some(mut driver) = driver {
            if unhealthy {
                driver.hold(time::now());
            }
            self.put_back(id, vec![driver]);
            self.stir();
        }
        true
    }

    // Called by the run.

    /// When the first probe is due.
    pub(super) fn first(&self, policy: Option<&ProbePolicy>, now: Timestamp) -> Timestamp {
        policy.map_or(Timestamp::NEVER, |policy| now.after(self.jitter(policy)))
    }

    fn jitter(&self, policy: &ProbePolicy) -> Duration {
        let most = policy.jitter();
        if most.is_zero() {
            return most;
        }
        Duration::try_from_secs_f64(most.as_secs_f64() * self.random.fraction()).unwrap_or(most)
    }

    /// The next probe that is due, if there is room for it. The target's circuit breakers learn that it begins.
    pub(super) fn launch(&self) -> Option<Launch> {
        let now = time::now();
        let (launch, mut links) = self.with_table(|table| {
            let id = table.schedule.next_due(now)?;
            let entry = table.targets.get_mut(&id)?;
            let timeout = entry.policy.as_ref().map_or(Duration::MAX, ProbePolicy::timeout);
            let window = entry.track.window();
            entry.flight = Some(InFlightProbe { window, began: now, task: None });
            let until = now.after(timeout);
            table.schedule.launch(id, until);
            table.under_way.insert(id, entry.name.clone());
            Some((Launch { id, probe: entry.probe.clone(), until }, std::mem::take(&mut entry.links)))
        })?;
        links.iter_mut().for_each(|driver| driver.begins(now));
        self.put_back(launch.id, links);
        Some(launch)
    }

    /// A probe was started; if it no longer counts, it is cancelled at once.
    pub(super) fn launched(&self, id: u64, task: AbortHandle) {
        let not_needed = self.with_table(|table| match table.targets.get_mut(&id).map(|entry| &mut entry.flight) {
            Some(Some(flight)) => {
                flight.task = Some(task);
                None
            }
            _ => Some(task),
        });
        if let Some(task) = not_needed {
            task.abort();
        }
    }

    /// A probe ended. Its result counts once.
    pub(super) fn settle(&self, id: u64, result: Result<(), &str>) {
        let outcome = if result.is_ok() { ProbeOutcome::Success } else { ProbeOutcome::Failure };
        self.conclude(id, outcome, result);
    }

    fn conclude(&self, id: u64, outcome: ProbeOutcome, result: Result<(), &str>) {
        let now = time::now();
        let settled = self.with_table(|table| {
            let entry = table.targets.get_mut(&id)?;
            let flight = entry.flight.take()?;
            let Settled(change) = entry.track.settle(flight.window, result, now)?;
            if outcome != ProbeOutcome::TimedOut {
                table.schedule.answered(id);
            }
            let pause = entry.policy.as_ref().map(|policy| policy.interval().saturating_add(self.jitter(policy)));
            let next = pause.map_or(Timestamp::NEVER, |pause| now.after(pause));
            table.schedule.set(id, next, patience(entry.policy.as_ref()));
            let (state, links) = (entry.track.state(), std::mem::take(&mut entry.links));
            let name = self.notifier.hears_calls().then(|| entry.name.clone());
            Some((flight, name, table.publish(id, change), state, links))
        });
        let Some((flight, name, news, state, mut links)) = settled else { return };
        self.notify(news);
        if let Some(name) = &name {
            let (error, elapsed) = (result.err(), now.since(flight.began));
            self.notifier.notify(ProbeEvent::Probed { name, outcome, error, elapsed });
        }
        links.iter_mut().for_each(|driver| driver.ended(result.is_ok(), state, now));
        self.put_back(id, links);
        if result.is_err() {
            // The task may still be there.
            abort(Some(flight));
        }
    }

    /// Looks at the circuit breakers whose state may have changed.
    pub(super) fn notice(&self) {
        while let Some((id, links)) = self.with_table(|table| {
            // Those that are away are looked at when they are put back.
            let mut turned = table.turned.iter().copied();
            turned.find_map(|id| {
                let links = &mut table.targets.get_mut(&id)?.links;
                (!links.is_empty()).then(|| (id, std::mem::take(links)))
            })
        }) {
            self.put_back(id, links);
        }
    }

    /// Cancels probes that take too long.
    pub(super) fn give_up_overdue(&self) {
        let now = time::now();
        while let Some((id, timeout)) = self.with_table(|table| {
            let id = table.schedule.take_overdue(now)?;
            Some((id, table.targets.get(&id).and_then(|entry| entry.policy).map(|policy| policy.timeout())))
        }) {
            let error = format!("timed out after {:?}", timeout.unwrap_or_default());
            self.conclude(id, ProbeOutcome::TimedOut, Err(&error));
        }
    }

    /// Nothing is under way for a target any more.
    pub(super) fn land(&self, id: u64) {
        let _name = self.with_table(|table| {
            table.schedule.land(id);
            table.under_way.remove(&id)
        });
        self.stir();
    }

    /// The targets of which something is under way, even if it is only what a cancelled probe has left running.
    pub(super) fn under_way(&self) -> Vec<Name> {
        self.with_table(|table| table.under_way.values().cloned().collect())
    }

    /// The run has ended. The probes under way no longer count, and are due when the prober runs again.
    pub(super) fn ground(&self) {
        let now = time::now();
        let (flights, mut links) = self.with_table(|table| {
            table.running = false;
            let (mut flights, mut links) = (Vec::new(), Vec::new());
            for (id, entry) in &mut table.targets {
                if let Some(flight) = entry.flight.take() {
                    table.schedule.give_up(*id);
                    table.schedule.set(*id, now, patience(entry.policy.as_ref()));
                    flights.push(flight);
                }
                links.extend(std::mem::take(&mut entry.links).into_iter().map(|driver| (*id, driver)));
            }
            (flights, links)
        });
        flights.into_iter().for_each(|flight| abort(Some(flight)));
        for (_, driver) in &mut links {
            driver.let_go();
        }
        for (id, driver) in links {
            self.put_back(id, vec![driver]);
        }
    }

    /// Puts back circuit breakers that were away being notified. What happened meanwhile comes first: that the target
    /// is no longer probed, that the probe under way does not count, or that one of them may have changed.
    fn put_back(&self, id: u64, mut links: Vec<CircuitDriver>) {
        if links.is_empty() {
            return;
        }
        while !links.is_empty() {
            let now = time::now();
            let notify = self.with_table(|table| -> Option<fn(&mut CircuitDriver, Timestamp)> {
                let entry = table.targets.get_mut(&id)?;
                if !(table.running && entry.track.is_probed()) && links.iter().any(CircuitDriver::takes_part) {
                    return Some(|driver, _| driver.let_go());
                }
                if entry.flight.is_none() && links.iter().any(CircuitDriver::stands_in) {
                    return Some(|driver, _| driver.hand_back());
                }
                links.append(&mut entry.links);
                if table.turned.remove(&id) {
                    return Some(CircuitDriver::notice);
                }
                // When an open time ends, the probe that may close the circuit is due, whatever the interval.
                if let Some(due) = links.iter().map(|driver| driver.due(now)).min() {
                    table.schedule.set_by(id, due);
                }
                entry.links = std::mem::take(&mut links);
                None
            });
            match notify {
                Some(notify) => links.iter_mut().for_each(|driver| notify(driver, now)),
                // They are back, or the target is gone, and they with it.
                None => return,
            }
        }
    }

    pub(super) fn notify_added(&self, name: &Name, state: ProbeState) {
        self.notifier.notify_of_calls(|| ProbeEvent::TargetAdded { name, state });
    }

    fn notify(&self, news: Option<TargetNews>) {
        let Some(TargetNews { name, change, sequence, successes, failures, error }) = news else { return };
        self.notifier.notify(ProbeEvent::Transition {
            name: &name,
            from: change.from,
            to: change.to,
            sequence,
            successes,
            failures,
            error: error.as_deref(),
        });
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.notifier.hears_calls() {
            let known = |entry: &TargetEntry| (entry.name.clone(), entry.track.state());
            let all: Vec<_> = self.with_table(|table| table.targets.values().map(known).collect());
            for (name, state) in &all {
                self.notifier.notify(ProbeEvent::TargetRemoved { name, state: *state });
            }
        }
    }
}

/// Woken by a circuit breaker when its state changes. That happens in the middle of a call, so the run looks at it
/// later.
struct Turned {
    shared: Weak<Shared>,
    id: u64,
}

impl Wake for Turned {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(shared) = self.shared.upgrade() {
            shared.with_table(|table| table.targets.contains_key(&self.id).then(|| table.turned.insert(self.id)));
            shared.stir();
        }
    }
}

/// How late the probe of a target may be before others are less urgent.
pub(super) fn patience(policy: Option<&ProbePolicy>) -> Duration {
    policy.map_or(Duration::MAX, ProbePolicy::interval)
}

/// The effect of a change: see [`Shared::change`].
pub(super) struct Changed {
    pub(super) change: Option<Change>,
    pub(super) fresh: bool,
    /// A probe that was replaced, to be dropped outside the lock.
    pub(super) replaced: Option<Arc<dyn AnyProbe>>,
}

impl Changed {
    pub(super) fn set_rules(track: &mut Track, policy: Option<ProbePolicy>, now: Timestamp) -> Changed {
        let change = track.set_rules(policy.map(|policy| policy.rules()), now);
        Changed { change, fresh: true, replaced: None }
    }
}

fn abort(flight: Option<InFlightProbe>) {
    if let Some(task) = flight.and_then(|flight| flight.task) {
        task.abort();
    }
}
