//! What a handle for each key allocates: nothing for a known key, through a layer and without, whether the call passes
//! or is rejected; and the memory of a family is freed.

use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use allocation_counter::measure;
use seaworthy::{Bulkhead, CircuitBreaker, Error, Event, Keyed, Verdict};
use tower::{Layer, Service, service_fn};

use super::allocations;

type Answer = Result<usize, Error<&'static str>>;

fn ask<S>(service: &mut S, request: &'static str) -> Answer
where
    S: Service<&'static str, Response = usize, Error = Error<&'static str>>,
{
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(service.poll_ready(cx).is_ready());
    match pin!(service.call(request)).poll(cx) {
        Poll::Ready(answer) => answer,
        Poll::Pending => unreachable!("it answers at once"),
    }
}

fn inner(request: &'static str) -> Ready<Answer> {
    ready(Ok(request.len()))
}

/// KY-07: a known key, looked up by its borrowed form.
#[test]
fn ky_07_nothing_for_a_known_key() {
    let hour = Duration::from_secs(3600);
    let template = CircuitBreaker::builder("hosts").consecutive_failures(1).open_for(hour).observer(|_: &Event<'_>| ());
    let hosts: Keyed<String, CircuitBreaker> = template.keyed().build().unwrap();
    let tenants: Keyed<String, Bulkhead> = Bulkhead::builder("tenants").limit(1).keyed().build().unwrap();
    let (_well, _tenant) = (hosts.get("well"), tenants.get("full"));
    hosts.get("ill").admit().unwrap().settle(Verdict::Failure);
    let permit = tenants.get("full").try_acquire().unwrap();
    tenants.get("free");
    let mut breaker = hosts.layer(|request: &&'static str| *request).layer(service_fn(inner));
    let mut bulkhead = tenants.layer(|request: &&'static str| *request).layer(service_fn(inner));
    let count = allocations(|| {
        for _ in 0..100 {
            assert_eq!(hosts.get("well").name(), "hosts[well]");
            assert!(hosts.find("unknown").is_none());
            hosts.get("well").admit().unwrap().settle(Verdict::Success);
            assert_eq!(ask(&mut breaker, "well"), Ok(4));
            assert!(ask(&mut breaker, "ill").is_err());
            assert_eq!(ask(&mut bulkhead, "free"), Ok(4));
            assert!(ask(&mut bulkhead, "full").is_err());
        }
    });
    assert_eq!(count, 0);
    drop(permit);
    assert!(allocations(|| drop(hosts.get("new"))) > 0, "a new one is made");
}

/// KY-07: with no room left, the overflow costs nothing either, however many keys come.
#[test]
fn ky_07_nothing_for_the_overflow() {
    let tenants: Keyed<u64, Bulkhead> = Bulkhead::builder("tenants").keyed().max(1).build().unwrap();
    let _held = tenants.get(&0);
    tenants.get(&1);
    let count = allocations(|| (2..1_000).for_each(|key| assert_eq!(tenants.get(&key).name(), "tenants (overflow)")));
    assert_eq!(count, 0);
}

/// KY-05: many keys that come and go leave nothing behind: their places are reused.
#[test]
fn ky_05_memory_is_bounded() {
    let tenants: Keyed<u64, Bulkhead> = Bulkhead::builder("tenants").keyed().max(100).build().unwrap();
    let ask = |keys: std::ops::Range<u64>| keys.for_each(|key| drop(tenants.get(&key)));
    let first = measure(|| ask(0..2_000));
    let later = measure(|| ask(2_000..50_000));
    assert!(later.bytes_current.unsigned_abs() < first.bytes_current.unsigned_abs(), "{first:?}, {later:?}");
    let mut tenants = Some(tenants);
    let last = measure(|| tenants = None);
    assert!(last.bytes_current < 0);
}
