//! The time limit of a whole call, with all of its attempts.

use std::sync::{Arc, Mutex};

use seaworthy::observe::TimeoutEvent;
use seaworthy::policy::Class;
use seaworthy::{Event, OnDrop, State};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};

use super::*;
use crate::support::{SECOND, advance, now};

const TOTAL: Duration = Duration::from_millis(45);

fn over(result: Result<&'static str, BoxError>) -> Option<Duration> {
    match rejected(result) {
        Some(Rejected::TimedOut { after, .. }) => Some(after.get()),
        _ => None,
    }
}

/// HC-14: the total timeout is outside the retries: it ends attempts and the waits between them, and leaves a response
/// in time alone.
#[tokio::test(start_paused = true)]
async fn hc_14_outside_of_the_retries() {
    for way in WAYS {
        let (policy, backend) = (with_retry(10).total_timeout(TOTAL).build().unwrap(), Backend::default());
        assert_eq!(policy.total_timeout(), Some(TOTAL));
        let began = now();
        // 20 ms and 10 ms of wait, twice: the second attempt is cut off.
        assert_eq!(over(way.ask(&policy, &backend, Do::Hang).await), Some(TOTAL), "{way:?}");
        assert_eq!((now() - began, backend.calls()), (TOTAL, 2), "{way:?}");
        assert_eq!(policy.bulkhead().unwrap().available(), 1, "{way:?}");
        assert_eq!(way.ask(&policy, &backend, Do::AnswerAfter(ATTEMPT - MS)).await.unwrap(), "fine");
        // Also in the wait between two attempts.
        policy.circuit_breaker().unwrap().reset();
        let slow = with_retry(10).retry(|retry| retry.backoff(Backoff::constant(SECOND))).total_timeout(TOTAL);
        let began = now();
        assert_eq!(over(way.ask(&slow.build().unwrap(), &backend, Do::Fail).await), Some(TOTAL), "{way:?}");
        assert_eq!(now() - began, TOTAL, "{way:?}");
    }
}

/// HC-14: it covers the wait for a permit, when the timeout of an attempt has not begun; the call leaves the queue.
#[tokio::test(start_paused = true)]
async fn hc_14_covers_the_queue() {
    for way in WAYS {
        let policy = builder().bulkhead(|bulkhead| bulkhead.max_wait(SECOND)).total_timeout(TOTAL).build().unwrap();
        let (backend, bulkhead) = (Backend::default(), policy.bulkhead().unwrap());
        let permit = bulkhead.try_acquire().unwrap();
        let mut call = spawn(way.ask(&policy, &backend, Do::Answer));
        assert_pending!(call.poll());
        advance(TOTAL - MS).await;
        assert_pending!(call.poll());
        assert_eq!(bulkhead.queued(), 1);
        advance(MS).await;
        assert_eq!(over(assert_ready!(call.poll())), Some(TOTAL), "{way:?}");
        // At once, and not only when the future is dropped.
        assert_eq!((bulkhead.queued(), backend.calls()), (0, 0), "{way:?}");
        drop(permit);
        assert_eq!(bulkhead.available(), 1);
    }
}

/// HC-14: a call that is cut off counts as dropped, and is reported once, under the policy's name; a class may leave
/// the limit out, and a service without retries has it, too.
#[tokio::test(start_paused = true)]
async fn hc_14_counts_as_dropped() {
    for way in WAYS {
        let told = Arc::new(Mutex::new(Vec::new()));
        let lines = told.clone();
        let policy = Policy::builder("compute")
            .circuit_breaker(|circuit_breaker| circuit_breaker.consecutive_failures(2).on_drop(OnDrop::Failure))
            .total_timeout(TOTAL)
            .class("stream", Class::new().without_total_timeout())
            .observer(move |event: &Event<'_>| {
                if let Event::Timeout(TimeoutEvent::TimedOut { name, after, .. }) = event {
                    lines.lock().unwrap().push((name.map(ToString::to_string), *after));
                }
            })
            .build()
            .unwrap();
        let backend = Backend::default();
        assert_eq!(over(way.ask(&policy, &backend, Do::Hang).await), Some(TOTAL), "{way:?}");
        let once = policy.layer().without_retry().layer(backend.clone());
        assert_eq!(over(once.oneshot(Do::Hang).await), Some(TOTAL), "{way:?}");
        assert_eq!(policy.circuit_breaker().unwrap().state(), State::Open, "{way:?}");
        assert_eq!(*told.lock().unwrap(), [(); 2].map(|()| (Some("compute".to_owned()), TOTAL)), "{way:?}");
        policy.circuit_breaker().unwrap().reset();
        let stream = policy.class("stream").unwrap();
        for class in [stream, Class::bare()] {
            let began = now();
            policy.with(class).run(|| backend.ask(Do::AnswerAfter(2 * TOTAL))).await.unwrap();
            policy.layer().class(class).layer(backend.clone()).oneshot(Do::AnswerAfter(2 * TOTAL)).await.unwrap();
            assert_eq!(now() - began, 4 * TOTAL);
        }
    }
}
