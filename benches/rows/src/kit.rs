//! What every program shares: the inner services, a call by hand, and the clock around many calls.

use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use seaworthy::Error;
use tower::Service;

/// The error of all typed stacks, floors included.
pub type StackError = Error<&'static str>;

/// What every call asks for, and gets when it succeeds.
pub const REQUEST: u64 = 7;

/// Longer than any run, so that what is open stays open.
pub const HOUR: Duration = Duration::from_secs(3600);

/// An answer that can be told from another.
pub trait Answer: Unpin {
    fn of(request: u64) -> Self;
    fn is(&self, request: u64) -> bool;
}

impl Answer for u64 {
    #[inline]
    fn of(request: u64) -> u64 {
        request
    }

    #[inline]
    fn is(&self, request: u64) -> bool {
        *self == request
    }
}

/// 128 bytes, as many as a response of HTTP has.
pub type Large = [u64; 16];

impl Answer for Large {
    #[inline]
    fn of(request: u64) -> Large {
        [request; 16]
    }

    #[inline]
    fn is(&self, request: u64) -> bool {
        self[15] == request
    }
}

/// Always ready, and echoes the request at once.
pub struct Inner<T = u64>(PhantomData<fn() -> T>);

impl<T> Inner<T> {
    pub fn new() -> Inner<T> {
        Inner(PhantomData)
    }
}

impl<T> Default for Inner<T> {
    fn default() -> Inner<T> {
        Inner::new()
    }
}

impl<T> Clone for Inner<T> {
    #[inline]
    fn clone(&self) -> Inner<T> {
        Inner(PhantomData)
    }
}

impl<T: Answer> Service<u64> for Inner<T> {
    type Response = T;
    type Error = StackError;
    type Future = Ready<Result<T, StackError>>;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), StackError>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: u64) -> Self::Future {
        ready(Ok(T::of(request)))
    }
}

/// Answers at its second poll, so that a timeout has to set its timer.
#[derive(Clone)]
pub struct Late<E = StackError>(PhantomData<fn() -> E>);

impl<E> Late<E> {
    pub fn new() -> Late<E> {
        Late(PhantomData)
    }
}

impl<E> Default for Late<E> {
    fn default() -> Late<E> {
        Late::new()
    }
}

pub struct SecondPoll<E>(u64, bool, PhantomData<fn() -> E>);

impl<E> Future for SecondPoll<E> {
    type Output = Result<u64, E>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<u64, E>> {
        if std::mem::replace(&mut self.1, true) { Poll::Ready(Ok(self.0)) } else { Poll::Pending }
    }
}

impl<E> Service<u64> for Late<E> {
    type Response = u64;
    type Error = E;
    type Future = SecondPoll<E>;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: u64) -> SecondPoll<E> {
        SecondPoll(request, false, PhantomData)
    }
}

/// Fails all calls except every `good_every`-th.
#[derive(Clone)]
pub struct Flaky {
    calls: &'static AtomicU64,
    good_every: u64,
}

impl Flaky {
    pub fn new(good_every: u64) -> Flaky {
        Flaky { calls: Box::leak(Box::default()), good_every }
    }
}

impl Service<u64> for Flaky {
    type Response = u64;
    type Error = StackError;
    type Future = Ready<Result<u64, StackError>>;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), StackError>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: u64) -> Self::Future {
        let call = self.calls.load(Ordering::Relaxed) + 1;
        let good = call == self.good_every;
        self.calls.store(if good { 0 } else { call }, Ordering::Relaxed);
        ready(if good { Ok(request) } else { Err(Error::Inner("unlucky")) })
    }
}

/// Polls a future to its end, which takes `POLLS` polls at most. The compiler cannot look through the memory that it
/// lies in, as if it were a part of a larger future; otherwise it is never written, and whole layers are optimised away.
#[inline]
pub fn finish<const POLLS: usize, F: Future>(future: F) -> F::Output {
    let mut cx = Context::from_waker(Waker::noop());
    let mut future = pin!(future);
    black_box(&mut future);
    for _ in 0..POLLS {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
    panic!("nothing here waits any longer");
}

/// One call of a service, readiness first.
#[inline]
pub fn ask<const POLLS: usize, S: Service<u64>>(service: &mut S) -> Result<S::Response, S::Error> {
    match service.poll_ready(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(ready) => ready?,
        Poll::Pending => panic!("every service here is ready, or rejects"),
    }
    finish::<POLLS, _>(service.call(black_box(REQUEST)))
}

/// Calls that must all be answered at once.
pub fn passes<S: Service<u64, Response: Answer>>(mut service: S) -> impl FnMut() -> bool {
    move || ask::<1, _>(&mut service).is_ok_and(|answer| answer.is(REQUEST))
}

/// Calls that must all be answered at the second poll.
pub fn passes_late<S: Service<u64, Response: Answer>>(mut service: S) -> impl FnMut() -> bool {
    move || ask::<2, _>(&mut service).is_ok_and(|answer| answer.is(REQUEST))
}

/// Calls that must all be rejected.
pub fn rejects<S: Service<u64, Error = StackError>>(mut service: S) -> impl FnMut() -> bool {
    move || ask::<1, _>(&mut service).is_err_and(|error| matches!(error, Error::Rejected(_)))
}

/// Makes this thread one of a runtime that is busy: its driver has parked once with an early timer set, so that no later
/// timer has to wake it. Neither is ever freed.
pub fn enter_busy_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime: &'static tokio::runtime::Runtime = Box::leak(Box::new(runtime.expect("threads can be parked here")));
    runtime.block_on(async {
        let early = Box::leak(Box::new(Box::pin(tokio::time::sleep(Duration::from_secs(20)))));
        assert!(early.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        tokio::time::sleep(Duration::from_millis(2)).await;
    });
    std::mem::forget(runtime.enter());
}

/// Runs a program that measures calls: with `time` it prints nanoseconds a call, and with `calls N` it makes so many
/// calls, to be counted from outside. Every call is checked, because a row that measures the wrong thing is worse than
/// none.
pub fn measure(mut call: impl FnMut() -> bool) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["time"] => println!("{:.3}", median(&mut call)),
        ["calls", number] => drop(time(&mut call, number.parse().expect("a number of calls"))),
        _ => panic!("usage: time | calls NUMBER"),
    }
}

/// Runs a program that prints a number which is no time.
pub fn print(number: u64) {
    println!("{number}");
}

/// In one place only, so that the loop is the same however often it is run.
#[inline(never)]
fn time(call: &mut impl FnMut() -> bool, calls: u64) -> Duration {
    let mut right = 0;
    let start = Instant::now();
    for _ in 0..calls {
        right += u64::from(call());
    }
    let elapsed = start.elapsed();
    assert_eq!(right, calls, "calls that ended as the row says");
    elapsed
}

/// Nanoseconds a call, as the median of many short turns, of which few are interrupted.
fn median(call: &mut impl FnMut() -> bool) -> f64 {
    const TURNS: usize = 151;
    const TURN: Duration = Duration::from_micros(250);
    let mut calls = 64;
    // The best of several, because an interrupted turn would look long enough.
    while (0..3).map(|_| time(call, calls)).min().unwrap_or_default() < TURN {
        calls *= 2;
    }
    let mut turns: Vec<f64> = (0..TURNS).map(|_| time(call, calls).as_nanos() as f64 / calls as f64).collect();
    turns.sort_by(f64::total_cmp);
    turns[TURNS / 2]
}
