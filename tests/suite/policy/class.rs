//! PO-04: calls of several classes.

use seaworthy::State;
use seaworthy::policy::Class;
use tower::Layer;

use super::*;
use crate::support::{SECOND, now};

async fn ask(way: Way, policy: &Policy, class: Class, backend: &Backend, request: Do) -> Option<Rejected> {
    rejected(match way {
        Way::Layer => policy.layer().class(class).layer(backend.clone()).oneshot(request).await,
        Way::Run => policy.with(class).run(|| backend.ask(request)).await,
    })
}

/// PO-04: a class with another timeout: longer, shorter, none.
#[tokio::test(start_paused = true)]
async fn po_04_timeouts() {
    let policy = builder().class("long", Class::new().timeout(10 * ATTEMPT)).build().unwrap();
    let long = policy.class("long").unwrap();
    for way in WAYS {
        let backend = Backend::default();
        for (class, time) in [(Class::new(), ATTEMPT), (long, 10 * ATTEMPT), (Class::new().timeout(MS), MS)] {
            let began = now();
            let answer = ask(way, &policy, class, &backend, Do::Hang).await;
            assert_eq!(
                answer,
                Some(Rejected::TimedOut { after: time.into(), timeout: Some("compute".into()) }),
                "{way:?}"
            );
            assert_eq!(now() - began, time, "{way:?}");
            policy.circuit_breaker().unwrap().reset();
        }
        let endless = Class::new().without_timeout();
        assert_eq!(ask(way, &policy, endless, &backend, Do::AnswerAfter(3600 * SECOND)).await, None, "{way:?}");
        // A deadline that has passed: the future is made and polled once.
        let passed = Class::new().timeout(Duration::ZERO);
        assert_eq!(ask(way, &policy, passed, &backend, Do::Answer).await, None, "{way:?}");
        let late = ask(way, &policy, passed, &backend, Do::Hang).await;
        assert_eq!(
            late,
            Some(Rejected::TimedOut { after: Duration::ZERO.into(), timeout: Some("compute".into()) }),
            "{way:?}"
        );
        policy.circuit_breaker().unwrap().reset();
    }
}

/// PO-04: without the bulkhead, as for a ping: it passes when there is no permit, and takes none; the circuit breaker
/// rejects it all the same, and counts it.
#[tokio::test(start_paused = true)]
async fn po_04_without_the_bulkhead() {
    let ping = Class::new().without_bulkhead();
    for way in WAYS {
        let (policy, backend) = (builder().build().unwrap(), Backend::default());
        let permit = policy.bulkhead().unwrap().try_acquire().unwrap();
        assert_eq!(ask(way, &policy, ping, &backend, Do::Answer).await, None, "{way:?}");
        assert_eq!(ask(way, &policy, Class::new(), &backend, Do::Answer).await, full(), "{way:?}");
        assert_eq!(policy.bulkhead().unwrap().in_use(), 1, "{way:?}");
        drop(permit);
        for _ in 0..3 {
            ask(way, &policy, ping, &backend, Do::Fail).await;
        }
        assert_eq!(policy.circuit_breaker().unwrap().state(), State::Open, "{way:?}");
        let calls = backend.calls();
        assert_eq!(ask(way, &policy, ping, &backend, Do::Answer).await, circuit_open(OPEN), "{way:?}");
        assert_eq!((policy.bulkhead().unwrap().available(), backend.calls()), (1, calls), "{way:?}");
    }
}

/// PO-04: without the circuit breaker: an open one lets it pass, and its failures do not count; it takes a permit.
#[tokio::test(start_paused = true)]
async fn po_04_without_the_circuit() {
    let class = Class::new().without_circuit_breaker();
    for way in WAYS {
        let (policy, backend) = (builder().build().unwrap(), Backend::default());
        for _ in 0..5 {
            ask(way, &policy, class, &backend, Do::Fail).await;
        }
        assert_eq!(failures(&policy), 0, "{way:?}");
        policy.circuit_breaker().unwrap().force_open();
        assert_eq!(ask(way, &policy, class, &backend, Do::Answer).await, None, "{way:?}");
        let _permit = policy.bulkhead().unwrap().try_acquire().unwrap();
        assert_eq!(ask(way, &policy, class, &backend, Do::Answer).await, full(), "{way:?}");
    }
}

/// PO-04, PO-05: without retries: one attempt.
#[tokio::test(start_paused = true)]
async fn po_04_without_retries() {
    for way in WAYS {
        let (policy, backend) = (with_retry(3).build().unwrap(), Backend::default());
        ask(way, &policy, Class::new().without_retry(), &backend, Do::Fail).await;
        assert_eq!(backend.calls(), 1, "{way:?}");
        ask(way, &policy, Class::new(), &backend, Do::Fail).await;
        assert_eq!(backend.calls(), 3, "{way:?}: the third failure in all opens the circuit");
    }
}

/// PO-04: without any part.
#[tokio::test(start_paused = true)]
async fn po_04_bare() {
    for way in WAYS {
        let (policy, backend) = (with_retry(3).build().unwrap(), Backend::default());
        let _permit = policy.bulkhead().unwrap().try_acquire().unwrap();
        policy.circuit_breaker().unwrap().force_open();
        let before = policy.snapshot();
        assert_eq!(ask(way, &policy, Class::bare(), &backend, Do::AnswerAfter(3600 * SECOND)).await, None);
        ask(way, &policy, Class::bare(), &backend, Do::Fail).await;
        assert_eq!(backend.calls(), 2, "{way:?}");
        let (before, after) = (before.circuit_breaker.unwrap(), policy.snapshot().circuit_breaker.unwrap());
        assert_eq!((before.counts, before.rejected), (after.counts, after.rejected), "{way:?}");
    }
}

/// PO-04: the class can depend on the request. `poll_ready` does not know it; if it did not ask the inner service, the
/// call makes up for that.
#[tokio::test(start_paused = true)]
async fn po_04_class_for_each_request() {
    let (policy, backend) = (builder().build().unwrap(), Backend::default());
    let layer = policy.layer().class_for(|request: &Do| match request {
        Do::Answer => Class::new(),
        _ => Class::bare(),
    });
    let mut service = layer.layer(backend.clone());
    let permit = policy.bulkhead().unwrap().try_acquire().unwrap();
    policy.circuit_breaker().unwrap().force_open();
    // Ready to reject.
    service.ready().await.unwrap();
    let answer = tower::Service::call(&mut service, Do::AnswerAfter(SECOND)).await;
    assert_eq!(answer.unwrap(), "fine");
    service.ready().await.unwrap();
    assert!(rejected(tower::Service::call(&mut service, Do::Answer).await).is_some());
    assert_eq!(backend.calls(), 1);
    // The circuit is closed, and there is no permit.
    policy.circuit_breaker().unwrap().reset();
    service.ready().await.unwrap();
    assert_eq!(tower::Service::call(&mut service, Do::AnswerAfter(SECOND)).await.unwrap(), "fine");
    service.ready().await.unwrap();
    assert_eq!(rejected(tower::Service::call(&mut service, Do::Answer).await), full());
    drop(permit);
    service.ready().await.unwrap();
    assert_eq!(tower::Service::call(&mut service, Do::Answer).await.unwrap(), "fine");
    assert_eq!(backend.calls(), 3);
}

/// PO-04, ER-08: names are looked up in advance; an unknown one is an error of its own type, which lists the known
/// ones.
#[test]
fn po_04_names() {
    let long = Class::new().timeout(SECOND);
    let policy = builder().class("long", long).class("ping", Class::bare()).build().unwrap();
    assert_eq!((policy.class("long"), policy.class("ping")), (Ok(long), Ok(Class::bare())));
    let error = policy.class("longer").unwrap_err();
    assert_eq!((error.name(), error.known().collect::<Vec<_>>()), ("longer", vec!["long", "ping"]));
    let none = Policy::builder("bare").build().unwrap().class("long").unwrap_err();
    assert_eq!(none.to_string(), "policy `bare` has no class `long`; there are none");
    assert_eq!(
        error.to_string(),
        "policy `compute` has no class `longer`; did you mean `long`? There are `long`, `ping`"
    );
    assert_eq!(Class::default(), Class::new());
}
