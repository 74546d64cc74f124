//! What a deadline allocates: nothing, neither where it is kept nor where it has passed; one timer for a call that waits.

use std::future::{Future, Ready, pending, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use seaworthy::{Bulkhead, CircuitBreaker, Deadline, DeadlineLayer, Error, Policy, Rejected, Timeout};
use tower::{Layer, Service, ServiceBuilder, service_fn};

use crate::allocations;

type Answer = Result<u32, Error<&'static str>>;

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn is_too_late(answer: &Poll<Answer>) -> bool {
    matches!(answer, Poll::Ready(Err(Error::Rejected(Rejected::DeadlineExceeded { .. }))))
}

/// DL-19: a deadline that is kept allocates nothing, nor does one that has passed on arrival, through a whole stack.
#[test]
fn a_deadline_allocates_nothing() {
    let circuit_breaker = CircuitBreaker::builder("c").build().unwrap();
    let bulkhead = Bulkhead::builder("b").limit(1).build().unwrap();
    let stack = ServiceBuilder::new()
        .layer(circuit_breaker.layer())
        .layer(bulkhead.layer())
        .layer(Timeout::new(Duration::from_secs(1)).layer())
        .service(service_fn(|request: u32| -> Ready<Answer> { ready(Ok(request)) }));
    for (time, too_late) in [(Duration::from_secs(1), false), (Duration::ZERO, true)] {
        let mut service = DeadlineLayer::within(time).layer(stack.clone());
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(service.poll_ready(cx).is_ready());
        let (mut answer, deadline) = (Poll::Pending, Deadline::within(time));
        assert_eq!(allocations(|| answer = poll_once(service.call(7))), 0);
        assert_eq!((is_too_late(&answer), answer.is_ready()), (too_late, true));
        let run = || deadline.scope(circuit_breaker.run(async { Answer::Ok(7) }));
        assert_eq!(allocations(|| answer = poll_once(run())), 0);
        assert_eq!(is_too_late(&answer), too_late);
    }
}

/// DL-05: a call that waits gets one timer, for its limit and its deadline alike.
#[test]
fn who_waits_gets_one_timer() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    let deadline = Deadline::within(Duration::from_secs(1));
    let policy = Policy::builder("p").build().unwrap();
    let timeout = Timeout::new(Duration::from_secs(9));
    assert_eq!(allocations(|| _ = poll_once(deadline.scope(timeout.run(pending::<Answer>())))), 1);
    assert_eq!(allocations(|| _ = poll_once(deadline.scope(policy.run(pending::<Answer>)))), 1);
    assert_eq!(allocations(|| _ = poll_once(policy.run(pending::<Answer>))), 0);
}
