//! What grows: many keys, long windows, long queues. The floor of such a row is the same call with little.

use std::collections::VecDeque;
use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use seaworthy::bulkhead::Acquire;
use seaworthy::{Bulkhead, CircuitBreaker, Keyed};
use tower::Layer;

use crate::kit::{Inner, passes};

/// A family with this many known keys, all of which are held, so that none is evicted.
fn family(keys: u64, max: u32) -> (Keyed<u64, CircuitBreaker>, Vec<CircuitBreaker>) {
    let keyed = CircuitBreaker::builder("bench").keyed().max(max).build().expect("the settings are valid");
    let held = (0..keys).map(|key| keyed.get(&key)).collect();
    (keyed, held)
}

/// Looks up `keys` keys in turn, from `first` on.
fn look_up(
    (keyed, held): (Keyed<u64, CircuitBreaker>, Vec<CircuitBreaker>),
    first: u64,
    keys: u64,
) -> impl FnMut() -> bool {
    let mut next = 0;
    move || {
        black_box(&held);
        next = (next + 7) % keys;
        black_box(keyed.get(black_box(&(first + next))));
        true
    }
}

pub fn unknown_key() -> impl FnMut() -> bool {
    look_up(family(1_000, 1_000), 1_000, 999_000)
}

pub fn known_key() -> impl FnMut() -> bool {
    look_up(family(1_000, 1_000), 0, 1_000)
}

pub fn one_key() -> impl FnMut() -> bool {
    look_up(family(1, 1_000), 0, 1)
}

pub fn million_keys() -> impl FnMut() -> bool {
    look_up(family(1_000_000, 1_000_000), 0, 1_000_000)
}

fn time_window(span: Duration) -> impl FnMut() -> bool {
    let builder = CircuitBreaker::builder("bench").failure_rate(0.5).time_window(span).minimum_calls(20);
    passes(builder.build().expect("the settings are valid").layer().layer(Inner::<u64>::new()))
}

pub fn window_of_ten_seconds() -> impl FnMut() -> bool {
    time_window(Duration::from_secs(10))
}

pub fn window_of_sixteen_hours() -> impl FnMut() -> bool {
    time_window(Duration::from_secs(16 * 3600))
}

/// One permit, and this many that wait for it: it is released, the first in the queue has it, and another joins.
fn queue(waiting: u32) -> impl FnMut() -> bool {
    let bulkhead = Bulkhead::builder("bench").limit(1).max_wait(Duration::MAX).max_queued(waiting + 1);
    let bulkhead = bulkhead.build().expect("the settings are valid");
    let poll = |acquire: &mut Pin<Box<Acquire>>| acquire.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let join = move |bulkhead: &Bulkhead| {
        let mut acquire = Box::pin(bulkhead.acquire());
        assert!(poll(&mut acquire).is_pending(), "the permit is taken");
        acquire
    };
    let mut permit = bulkhead.try_acquire().ok();
    let mut queue: VecDeque<_> = (0..waiting).map(|_| join(&bulkhead)).collect();
    move || {
        drop(permit.take());
        queue.push_back(join(&bulkhead));
        let Poll::Ready(Ok(next)) = poll(&mut queue.pop_front().expect("there is one")) else { return false };
        permit = Some(next);
        true
    }
}

pub fn one_waits() -> impl FnMut() -> bool {
    queue(1)
}

pub fn hundred_thousand_wait() -> impl FnMut() -> bool {
    queue(100_000)
}
