use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::bulkhead::SlotsBuilder;
use seaworthy::{Event, Slots};
use tokio_test::{assert_pending, assert_ready, task};

use super::{assert_idle, named_after, patient_builder, slots};
use crate::support::{SECOND, advance};

type Told = Arc<Mutex<Vec<(String, Option<Duration>)>>>;

fn told(builder: SlotsBuilder) -> (Slots, Told) {
    let told = Told::default();
    let lines = Arc::clone(&told);
    let observed = builder.observer(move |event: &Event<'_>| match event {
        Event::BulkheadRejected { name, waited, .. } => lines.lock().unwrap().push((name.to_string(), *waited)),
        other => panic!("no test knows of {other:?}"),
    });
    (observed.build().expect("valid"), told)
}

/// BH-02: each rejection is told and counted once, and says whether the call had waited; nothing else is told.
#[tokio::test(start_paused = true)]
async fn rejections_are_told() {
    let (slots, told) = told(patient_builder(1).max_waiting(1));
    let slot = slots.try_take().expect("free");
    let mut waiter = task::spawn(slots.take());
    assert_pending!(waiter.poll());
    assert!(assert_ready!(task::spawn(slots.take()).poll()).is_err());
    assert!(slots.try_take().is_err());
    advance(SECOND).await;
    assert!(assert_ready!(waiter.poll()).is_err());
    drop(slot);
    assert!(assert_ready!(task::spawn(slots.take()).poll()).is_ok());
    let at_once = (String::from("ship"), None);
    assert_eq!(*told.lock().unwrap(), [at_once.clone(), at_once, (String::from("ship"), Some(SECOND))]);
    assert_eq!(slots.snapshot().rejected, 3);
    assert_idle(&slots);
}

/// BH-07: one look for metrics.
#[tokio::test(start_paused = true)]
async fn snapshot() {
    let slots = patient_builder(2).max_waiting(1).build().expect("valid");
    let _held = [slots.try_take(), slots.try_take(), slots.try_take()];
    let mut waiter = task::spawn(slots.take());
    assert_pending!(waiter.poll());
    let snapshot = slots.snapshot();
    assert_eq!((snapshot.limit, snapshot.in_use, snapshot.waiting, snapshot.rejected), (2, 2, 1, 1));
    assert!(format!("{slots:?}").contains("in_use: 2, waiting: 1"));
}

/// BH-02: an observer may use the bulkhead that it is told about, and its panic is nobody else's.
#[test]
fn observers_may_do_anything() {
    let known: Arc<Mutex<Option<Slots>>> = Arc::default();
    let inside = Arc::clone(&known);
    let slots = named_after(&slots(1))
        .observer(move |_: &Event<'_>| {
            let slots = inside.lock().unwrap().clone().expect("known");
            slots.set_limit(7).expect("in range");
            assert_eq!(slots.in_use(), 8, "a panic on purpose");
        })
        .build()
        .expect("valid");
    *known.lock().unwrap() = Some(slots.clone());
    let slot = slots.try_take().expect("free");
    assert!(slots.try_take().is_err());
    assert_eq!((slots.limit(), slots.in_use()), (7, 1));
    drop(slot);
    assert_idle(&slots);
}
