//! What the public types are, besides what they do: a change here is a breaking one, and would otherwise go unnoticed.

use std::cell::Cell;
use std::error::Error as StdError;
use std::fmt::{Debug, Display};
use std::future::{Future, Pending, Ready, ready};
use std::hash::Hash;
use std::marker::PhantomPinned;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use std::task::{Context, Poll};

use seaworthy::circuit_breaker::{
    CircuitBreakerBuilder, CircuitBreakerLayer, CircuitBreakerService, Counts, Permit, ResponseFuture, Snapshot,
    TransitionCause,
};
use seaworthy::{
    Backoff, BoxError, CircuitBreaker, Classify, ConfigError, Error, ErrorClassifier, Event, Jitter, Name, Observer,
    OnDrop, Rejected, StackError, State, TracingObserver, Verdict, WrapError, WrapErrorFuture, WrapErrorLayer,
};
use static_assertions::{assert_impl_all, assert_not_impl_any, assert_obj_safe};
use tower::{Layer, Service};

// The handle goes everywhere, even through `catch_unwind`: a panic leaves nothing in it half done.
assert_impl_all!(CircuitBreaker: Clone, Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(CircuitBreakerBuilder: Clone, Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(CircuitBreakerLayer: Clone, Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
// A permit exists once.
assert_impl_all!(Permit: Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(Permit: Clone);

// Plain values.
assert_impl_all!(Verdict: Copy, Debug, Eq, Hash, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(State: Copy, Debug, Display, Eq, Hash, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(TransitionCause: Copy, Debug, Display, Eq, Hash, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(OnDrop: Copy, Debug, Default, Eq, Hash, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(Jitter: Copy, Debug, Default, Eq, Hash, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(Backoff: Copy, Debug, PartialEq, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(Counts: Copy, Debug, Default, Eq, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(Snapshot: Copy, Debug, PartialEq, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
// An event is observed and forgotten on one thread: it shows errors that need not be shareable.
assert_impl_all!(Event<'static>: Copy, Debug, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(ErrorClassifier: Copy, Debug, Default, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(TracingObserver: Copy, Debug, Default, Observer, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(WrapErrorLayer: Copy, Debug, Default, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(Name: Clone, Debug, Display, Eq, Hash, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(Name: From<&'static str>, From<String>, AsRef<str>, PartialEq<str>);
// A name that is not `'static` would have to be copied.
assert_not_impl_any!(Name: From<&'static String>);

// Errors can be boxed, sent and found again.
assert_impl_all!(Rejected: StdError, Clone, Eq, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Into<BoxError>);
assert_impl_all!(ConfigError: StdError, Clone, Eq, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Into<BoxError>);
assert_impl_all!(Error<std::io::Error>: StdError, StackError, From<Rejected>, Send, Sync, Unpin, Into<BoxError>);
assert_impl_all!(Error<std::fmt::Error>: Clone, Eq, UnwindSafe, RefUnwindSafe);
assert_impl_all!(BoxError: StackError, From<Rejected>, Send, Sync, Unpin);
// An inner error need not be an error to be in a stack, but then the stack's is not one either.
assert_impl_all!(Error<String>: Display, StackError);
assert_not_impl_any!(Error<String>: StdError);
assert_not_impl_any!(Error<Rc<()>>: Send, Sync);
assert_not_impl_any!(Error<Cell<()>>: Sync);
// No error becomes an inner one by mistake: it takes a layer or an explicit call.
assert_not_impl_any!(Error<std::io::Error>: From<std::io::Error>);

/// Has to stay on its thread.
#[derive(Clone, Debug)]
struct Local(#[allow(dead_code, reason = "its type is what matters")] Rc<()>);

/// May be sent, but not shared, as most connections are.
#[derive(Clone, Debug)]
struct Unshared(#[allow(dead_code, reason = "its type is what matters")] Cell<u8>);

macro_rules! service {
    ($inner:ty, $future:ty) => {
        impl Service<()> for $inner {
            type Response = ();
            type Error = BoxError;
            type Future = $future;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, (): ()) -> $future {
                Default::default()
            }
        }
    };
}

/// A future that has to stay on its thread, and another that may be sent but not shared.
#[derive(Debug, Default)]
struct NeverWith<T>(#[allow(dead_code, reason = "its type is what matters")] Option<T>);

impl<T> Future for NeverWith<T> {
    type Output = Result<(), BoxError>;

    fn poll(self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Pending
    }
}

service!(Local, NeverWith<Rc<()>>);
service!(Unshared, NeverWith<Cell<u8>>);

// A service is what its inner service is. It must be `Send` without asking anyone to be `Sync`.
assert_impl_all!(CircuitBreakerService<Unshared>: Service<()>, Clone, Debug, Send, Unpin);
assert_not_impl_any!(CircuitBreakerService<Unshared>: Sync);
assert_impl_all!(CircuitBreakerService<Local>: Service<()>, Clone, Debug, Unpin);
assert_not_impl_any!(CircuitBreakerService<Local>: Send, Sync);
assert_impl_all!(CircuitBreakerService<String>: Send, Sync, Unpin);
assert_not_impl_any!(CircuitBreakerService<PhantomPinned>: Unpin);
// Not every service can be cloned, and none has to be.
assert_not_impl_any!(CircuitBreakerService<Permit>: Clone);
assert_impl_all!(CircuitBreakerLayer: Layer<Permit>, Layer<Local>);

// Each call holds its classifier, so that matters, too.
assert_impl_all!(CircuitBreakerService<String, Unshared>: Send);
assert_not_impl_any!(CircuitBreakerService<String, Local>: Send);
assert_not_impl_any!(CircuitBreakerLayer<Local>: Send);

// The same goes for a future.
assert_impl_all!(<CircuitBreakerService<Unshared> as Service<()>>::Future: Future, Debug, Send, Unpin);
assert_not_impl_any!(<CircuitBreakerService<Unshared> as Service<()>>::Future: Sync);
assert_not_impl_any!(<CircuitBreakerService<Local> as Service<()>>::Future: Send, Sync);
assert_impl_all!(ResponseFuture<Pending<()>, ErrorClassifier>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(ResponseFuture<PhantomPinned, ErrorClassifier>: Unpin);
assert_not_impl_any!(ResponseFuture<Ready<()>, Local>: Send);
// It holds a permit.
assert_not_impl_any!(ResponseFuture<Ready<()>, ErrorClassifier>: Clone);

assert_impl_all!(WrapError<u8>: Copy);
assert_impl_all!(WrapError<String>: Clone, Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(WrapErrorFuture<Ready<Result<(), String>>>: Future, Debug, Send, Sync, Unpin);
assert_not_impl_any!(WrapErrorFuture<PhantomPinned>: Unpin);
assert_not_impl_any!(WrapErrorFuture<Rc<()>>: Send, Sync);

// A closure is a classifier and an observer, and either can be chosen at run time.
assert_obj_safe!(Observer, Classify<(), BoxError>);
assert_impl_all!(dyn Observer: Send, Sync);
assert_impl_all!(fn(&Result<(), BoxError>) -> Verdict: Classify<(), BoxError>);
assert_impl_all!(for<'a> fn(&'a Event<'_>) -> (): Observer);
assert_impl_all!(ErrorClassifier: Classify<Rc<()>, Rc<()>>);

#[cfg(feature = "lifecycle")]
mod lifecycle {
    use seaworthy::runner::{
        BuildError, Failure, FailureCause, Periodic, RegisterError, RestartPolicy, RunnerBuilder, Signal, Task,
        TaskSnapshot,
    };
    use seaworthy::{RunError, Runner, RunnerHandle};

    use super::*;

    assert_impl_all!(Runner: Debug, Send, Sync, Unpin);
    // It is run once.
    assert_not_impl_any!(Runner: Clone);
    assert_impl_all!(RunnerHandle: Clone, Debug, Send, Sync, Unpin);
    assert_impl_all!(RunnerBuilder: Debug, Send, Sync, Unpin);
    // A task is moved to where it runs, and holds closures that need not be shared.
    assert_impl_all!(Task: Debug, Send, Unpin);
    assert_not_impl_any!(Task: Sync, Clone);
    assert_impl_all!(RestartPolicy: Copy, Debug, Default, PartialEq, From<Backoff>, Send, Sync, Unpin);
    assert_impl_all!(Periodic: Copy, Debug, Eq, From<std::time::Duration>, Send, Sync, Unpin);
    assert_impl_all!(Signal: Copy, Debug, Display, Eq, Hash, Send, Sync, Unpin);
    assert_impl_all!(TaskSnapshot: Clone, Debug, Eq, Send, Sync, Unpin);
    assert_impl_all!(RunError: StdError, Send, Sync, Unpin, Into<BoxError>);
    assert_impl_all!(Failure: StdError, Send, Sync, Unpin, Into<BoxError>);
    assert_impl_all!(FailureCause: Debug, Display, Send, Sync, Unpin);
    assert_impl_all!(BuildError: StdError, Send, Sync, Unpin, Into<BoxError>, From<ConfigError>);
    assert_impl_all!(RegisterError: StdError, Clone, Eq, Send, Sync, Unpin, Into<BoxError>, From<ConfigError>);
}

/// The futures of the handle have the traits of the future inside, and borrow nothing but the handle.
#[test]
fn futures_of_the_handle() {
    fn is_send<T: Send>(_: &T) {}
    fn is_static<T: 'static>(_: &T) {}

    let circuit_breaker = CircuitBreaker::builder("traits").build().unwrap();
    let unshared = Cell::new(1);
    is_send(&circuit_breaker.run(async move {
        let unshared = unshared;
        ready(()).await;
        unshared.set(2);
        Ok::<_, BoxError>(())
    }));
    let classified = circuit_breaker.classify(|_: &Result<(), BoxError>| Verdict::Ignored);
    is_send(&classified.run(ready(Ok::<_, BoxError>(()))));
    is_static(&circuit_breaker.layer().layer(Unshared(Cell::new(0))).call(()));
    is_static(&circuit_breaker.admit());
    // Nothing here was polled; a permit was released.
    assert_eq!(circuit_breaker.snapshot().generation, 0);
}
