use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::bulkhead::BulkheadBuilder;
use seaworthy::observe::BulkheadEvent;
use seaworthy::{Bulkhead, Event};
use tokio_test::{assert_pending, assert_ready, task};

use super::{assert_idle, bulkhead, named_after, patient_builder};
use crate::support::{SECOND, advance};

type Told = Arc<Mutex<Vec<(String, Option<Duration>)>>>;

fn told(builder: BulkheadBuilder) -> (Bulkhead, Told) {
    let told = Told::default();
    let lines = Arc::clone(&told);
    let observed = builder.observer(move |event: &Event<'_>| match event {
        Event::Bulkhead(BulkheadEvent::Rejected { name, waited, .. }) => {
            lines.lock().unwrap().push((name.to_string(), *waited))
        }
        other => panic!("no test knows of {other:?}"),
    });
    (observed.build().expect("valid"), told)
}

/// BH-02: each rejection is reported and counted once, and says whether the call had waited; nothing else is reported.
#[tokio::test(start_paused = true)]
async fn rejections_are_told() {
    let (bulkhead, told) = told(patient_builder(1).max_queued(1));
    let permit = bulkhead.try_acquire().expect("free");
    let mut waiter = task::spawn(bulkhead.acquire());
    assert_pending!(waiter.poll());
    assert!(assert_ready!(task::spawn(bulkhead.acquire()).poll()).is_err());
    assert!(bulkhead.try_acquire().is_err());
    advance(SECOND).await;
    assert!(assert_ready!(waiter.poll()).is_err());
    drop(permit);
    assert!(assert_ready!(task::spawn(bulkhead.acquire()).poll()).is_ok());
    let at_once = (String::from("ship"), None);
    assert_eq!(*told.lock().unwrap(), [at_once.clone(), at_once, (String::from("ship"), Some(SECOND))]);
    assert_eq!(bulkhead.snapshot().rejected, 3);
    assert_idle(&bulkhead);
}

/// BH-07: one snapshot for metrics.
#[tokio::test(start_paused = true)]
async fn snapshot() {
    let bulkhead = patient_builder(2).max_queued(1).build().expect("valid");
    let _held = [bulkhead.try_acquire(), bulkhead.try_acquire(), bulkhead.try_acquire()];
    let mut waiter = task::spawn(bulkhead.acquire());
    assert_pending!(waiter.poll());
    let snapshot = bulkhead.snapshot();
    assert_eq!((snapshot.limit, snapshot.in_use, snapshot.queued, snapshot.rejected), (2, 2, 1, 1));
    assert!(format!("{bulkhead:?}").contains("in_use: 2, queued: 1"));
}

/// BH-02: an observer may use the bulkhead whose event it gets, and its panic affects nothing else.
#[test]
fn observers_may_do_anything() {
    let known: Arc<Mutex<Option<Bulkhead>>> = Arc::default();
    let inside = Arc::clone(&known);
    let bulkhead = named_after(&bulkhead(1))
        .observer(move |_: &Event<'_>| {
            let bulkhead = inside.lock().unwrap().clone().expect("known");
            bulkhead.set_limit(7).expect("in range");
            assert_eq!(bulkhead.in_use(), 8, "a panic on purpose");
        })
        .build()
        .expect("valid");
    *known.lock().unwrap() = Some(bulkhead.clone());
    let permit = bulkhead.try_acquire().expect("free");
    assert!(bulkhead.try_acquire().is_err());
    assert_eq!((bulkhead.limit(), bulkhead.in_use()), (7, 1));
    drop(permit);
    assert_idle(&bulkhead);
}
