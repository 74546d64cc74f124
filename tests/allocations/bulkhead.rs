//! What a bulkhead allocates: nothing for a call that finds a permit, and nothing to reject one; something for a call
//! that waits, all of which is freed.

use std::future::{Future, Ready, pending, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use allocation_counter::measure;
use seaworthy::policy::Class;
use seaworthy::{Bulkhead, Error, Event, Policy};
use tower::{Layer, Service, service_fn};

type Answer = Result<u32, Error<&'static str>>;

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn ask<S>(service: &mut S) -> Poll<Answer>
where
    S: Service<u32, Response = u32, Error = Error<&'static str>>,
{
    assert!(service.poll_ready(&mut Context::from_waker(Waker::noop())).is_ready());
    poll_once(service.call(7))
}

fn is_rejected(poll: &Poll<Answer>) -> bool {
    matches!(poll, Poll::Ready(Err(Error::Rejected(_))))
}

/// BH-01, BH-02, BH-12: with room, and full without waiting, through a layer and without tower; with an owned name,
/// with and without an observer; shared and leaked.
#[test]
fn nothing_with_room_and_nothing_to_reject() {
    let builder = Bulkhead::builder("fixed").limit(1);
    let observed = builder.clone().name(String::from("made")).observer(|_: &Event<'_>| ());
    let shared = builder.build().unwrap();
    for bulkhead in [shared.clone(), shared.leak(), observed.build().unwrap()] {
        let mut service = bulkhead.layer().layer(service_fn(|request: u32| -> Ready<Answer> { ready(Ok(request)) }));
        let room = measure(|| {
            assert_eq!(ask(&mut service), Poll::Ready(Ok(7)));
            assert_eq!(poll_once(bulkhead.run(ready(Answer::Ok(7)))), Poll::Ready(Ok(7)));
            assert!(matches!(poll_once(bulkhead.acquire()), Poll::Ready(Ok(_))));
            assert!(bulkhead.try_acquire().is_ok());
        });
        assert_eq!(room.count_total, 0);

        let _permit = bulkhead.try_acquire().unwrap();
        let full = measure(|| {
            assert!(is_rejected(&ask(&mut service)));
            assert!(is_rejected(&poll_once(bulkhead.run(ready(Answer::Ok(7))))));
            assert!(matches!(poll_once(bulkhead.acquire()), Poll::Ready(Err(_))));
            assert!(bulkhead.try_acquire().is_err());
        });
        assert_eq!(full.count_total, 0);
    }
}

/// BH-03: a full queue rejects without allocating, too. BH-06: a call that waits allocates, and all of it is freed when
/// the call is dropped.
#[test]
fn who_waits_allocates_and_frees() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    let builder = Bulkhead::builder("patient").limit(1).max_wait(Duration::from_secs(3600)).max_queued(1);
    let bulkhead = builder.build().unwrap();
    let mut service = bulkhead.layer().layer(service_fn(|_: u32| pending::<Answer>()));
    let permit = bulkhead.try_acquire().unwrap();
    let mut waits = || {
        let info = measure(|| {
            let mut waiter = pin!(service.call(7));
            assert!(waiter.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            assert_eq!(bulkhead.queued(), 1);
            let rejected = measure(|| assert!(is_rejected(&ask(&mut bulkhead.layer().layer(service_fn(answer))))));
            assert_eq!(rejected.count_total, 0);
        });
        assert_eq!(bulkhead.queued(), 0);
        info
    };
    // The first one allocates what the thread's timer keeps.
    waits();
    let info = waits();
    assert!((1..=4).contains(&info.count_total), "{info:?}");
    assert_eq!(info.count_current, 0, "{info:?}");
    drop(permit);
    assert_eq!(bulkhead.available(), 1);
}

/// PO-01, PO-03: through a whole policy, shared and leaked, with and without retries, as a layer and around a future:
/// nothing on the success path, nothing to reject.
#[test]
fn nothing_through_a_policy() {
    let builder = Policy::builder(String::from("made"))
        .circuit_breaker(|circuit_breaker| circuit_breaker)
        .timeout(Duration::from_secs(1));
    let builder = builder.bulkhead(|bulkhead| bulkhead.limit(1));
    let retrying = builder.clone().retry(|retry| retry).build().unwrap();
    let policy = builder.build().unwrap();
    for policy in [policy.clone(), policy.leak(), retrying.clone(), retrying.leak()] {
        let mut service = policy.layer().layer(service_fn(answer));
        let mut single = policy.layer().without_retry().layer(service_fn(answer));
        let well = measure(|| {
            assert_eq!(ask(&mut service), Poll::Ready(Ok(7)));
            assert_eq!(ask(&mut single), Poll::Ready(Ok(7)));
            assert_eq!(poll_once(policy.run(|| answer(7))), Poll::Ready(Ok(7)));
            assert_eq!(poll_once(policy.with(Class::bare()).run(|| answer(7))), Poll::Ready(Ok(7)));
        });
        assert_eq!(well.count_total, 0);

        let permit = policy.bulkhead().unwrap().try_acquire().unwrap();
        let mut reject = || {
            measure(|| {
                assert!(is_rejected(&ask(&mut service)));
                assert!(is_rejected(&ask(&mut single)));
                assert!(is_rejected(&poll_once(policy.run(|| answer(7)))));
            })
        };
        assert_eq!(reject().count_total, 0);
        drop(permit);
        policy.circuit_breaker().unwrap().force_open();
        assert_eq!(reject().count_total, 0);
        policy.circuit_breaker().unwrap().reset();
    }
}

fn answer(request: u32) -> Ready<Answer> {
    ready(Ok(request))
}

/// BH-02: the size of its future in memory.
#[test]
fn sizes() {
    type Inner = Ready<Answer>;
    type Future = seaworthy::bulkhead::ResponseFuture<Inner, u8, [u8; 1024]>;
    // The permit and the inner future, or the rejection; neither the request nor the service.
    let word = size_of::<usize>();
    assert!(size_of::<Future>() <= size_of::<Inner>() + 4 * word, "{}", size_of::<Future>());
    assert_eq!(size_of::<Bulkhead>(), 2 * word);
    assert_eq!(size_of::<Option<seaworthy::bulkhead::Permit>>(), 2 * word);
}
