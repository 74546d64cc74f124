//! The floors: the cheapest conceivable middleware of each kind, written by hand, with our error type and around the
//! same inner service. Those in benches/common have any error, and nothing keeps the compiler from looking through
//! their futures.

mod bulkhead;
mod gate;
mod retry;
mod timeout;

use std::hint::black_box;
use std::time::{Duration, Instant};

use tower::Service;

use crate::kit::{Answer, Flaky, Inner, Large, Late, StackError, enter_busy_runtime, passes, passes_late, rejects};

use bulkhead::{Full, Room};
use gate::{Count, CountAndClock, Gate, Nothing, Refuse};
use retry::Retry;
use timeout::Timeout;

/// The limit of one attempt; never reached.
const LIMIT: Duration = Duration::from_secs(30);

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
    passes_late(Timeout(Late::<StackError>::new(), LIMIT))
}

/// A retry around what lets calls pass, around what counts them in and out, around a timeout.
fn whole<T: Answer, const BUDGET: bool>() -> impl FnMut() -> bool {
    passes(Retry::<_, BUDGET>::new(pair::<T>()))
}

/// The same without the retry.
fn pair<T: Answer>() -> impl Service<u64, Response = T, Error = StackError, Future: Unpin> + Clone + Unpin {
    Gate::<_, _, Nothing>::shared(Room::shared(Timeout(Inner::<T>::new(), LIMIT)))
}

pub fn stack() -> impl FnMut() -> bool {
    whole::<u64, false>()
}

pub fn stack_budget() -> impl FnMut() -> bool {
    whole::<u64, true>()
}

pub fn stack_large() -> impl FnMut() -> bool {
    whole::<Large, false>()
}

pub fn stack_single() -> impl FnMut() -> bool {
    passes(pair::<u64>())
}

/// A retry around what rejects.
pub fn stack_refuse() -> impl FnMut() -> bool {
    rejects(Retry::<_, false>::new(Refuse::new(Inner::<u64>::new())))
}

pub fn stack_refuse_budget() -> impl FnMut() -> bool {
    rejects(Retry::<_, true>::new(Refuse::new(Inner::<u64>::new())))
}
