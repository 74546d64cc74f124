//! The floors: the cheapest conceivable middleware of each kind, written by hand, with our error type and around the
//! same inner service. Those in benches/common have any error, and nothing keeps the compiler from looking through
//! their futures.

#![allow(clippy::useless_conversion, reason = "what a rejection holds may get types of its own")]

mod bulkhead;
mod gate;
mod retry;
mod timeout;

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::kit::{Flaky, Inner, Large, Late, StackError, enter_busy_runtime, passes, passes_late, rejects};

use bulkhead::{Full, Room};
use gate::{Count, CountAndClock, Gate, Nothing, Refuse};
use retry::Retry;
use timeout::Timeout;

pub fn clock() -> impl FnMut() -> bool {
    move || {
        black_box(Instant::now());
        true
    }
}

pub fn gate() -> impl FnMut() -> bool {
    passes(Gate::<_, _, Nothing>::shared(Inner::<u64>::new()))
}

pub fn gate_leaked() -> impl FnMut() -> bool {
    passes(Gate::<_, _, Nothing>::leaked(Inner::<u64>::new()))
}

pub fn gate_large() -> impl FnMut() -> bool {
    passes(Gate::<_, _, Nothing>::shared(Inner::<Large>::new()))
}

pub fn gate_count() -> impl FnMut() -> bool {
    passes(Gate::<_, _, Count>::shared(Inner::<u64>::new()))
}

pub fn gate_clock() -> impl FnMut() -> bool {
    passes(Gate::<_, _, CountAndClock>::shared(Inner::<u64>::new()))
}

pub fn refuse() -> impl FnMut() -> bool {
    rejects(Refuse::new(Inner::<u64>::new()))
}

pub fn room() -> impl FnMut() -> bool {
    passes(Room::shared(Inner::<u64>::new()))
}

pub fn room_leaked() -> impl FnMut() -> bool {
    passes(Room::leaked(Inner::<u64>::new()))
}

pub fn room_large() -> impl FnMut() -> bool {
    passes(Room::shared(Inner::<Large>::new()))
}

pub fn full() -> impl FnMut() -> bool {
    rejects(Full::new(Inner::<u64>::new()))
}

pub fn first_try() -> impl FnMut() -> bool {
    passes(Retry::<_, true>::new(Flaky::new(1)))
}

pub fn first_try_free() -> impl FnMut() -> bool {
    passes(Retry::<_, false>::new(Flaky::new(1)))
}

pub fn third_try() -> impl FnMut() -> bool {
    passes(Retry::<_, true>::new(Flaky::new(3)))
}

pub fn third_try_free() -> impl FnMut() -> bool {
    passes(Retry::<_, false>::new(Flaky::new(3)))
}

pub fn armed() -> impl FnMut() -> bool {
    enter_busy_runtime();
    passes_late(Timeout(Late::<StackError>::new(), Duration::from_secs(30)))
}

/// The retry's floor counts and, for its budget, reads the clock; the circuit breaker's reads its state; the
/// bulkhead's counts in and out; the timeout's passes calls on. None keeps a copy of the request or of the service, as
/// a retry has to.
macro_rules! stack {
    ($answer:ty, $retry:ty) => {
        passes(Gate::<_, _, $retry>::shared(Gate::<_, _, Nothing>::shared(Room::shared(
            Gate::<_, _, Nothing>::leaked(Inner::<$answer>::new()),
        ))))
    };
}

pub fn stack() -> impl FnMut() -> bool {
    stack!(u64, CountAndClock)
}

pub fn stack_free() -> impl FnMut() -> bool {
    stack!(u64, Nothing)
}

pub fn stack_large() -> impl FnMut() -> bool {
    stack!(Large, CountAndClock)
}

/// The same without the retry.
pub fn pair() -> impl FnMut() -> bool {
    passes(Gate::<_, _, Nothing>::shared(Room::shared(Gate::<_, _, Nothing>::leaked(Inner::<u64>::new()))))
}

/// The retry's floor around one that rejects.
pub fn stack_refuse() -> impl FnMut() -> bool {
    rejects(Gate::<_, _, CountAndClock>::shared(Refuse::new(Inner::<u64>::new())))
}
