//! Layers that answer without calling what is inside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use seaworthy::{Backoff, BoxError, Bulkhead, CircuitBreaker, Fallback, Health, Phase, Status, TimeoutLayer};
use seaworthy_ledger::{ClaimRequest, Claimed, IdempotencyLayer, Key, Ledger};
use seaworthy_queue::store::QueueStore;
use seaworthy_queue::{Consumer, Delivery, EnqueueRequest, Queue, ledger};
use tokio::task::JoinSet;
use tower::util::BoxCloneService;
use tower::{Layer, Service, ServiceExt, service_fn};

use super::switched::Switched;
use crate::scenarios::support::{Calls, Counted, Number, Running, SECOND, counts, emptied, id, millis};

/// What a job is put off for, and what a failure waits for.
const AGAIN: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Short {
    Circuit,
    Bulkhead,
    Timeout,
    Readiness,
    Fallback,
    Done,
    Busy,
    Down,
}

/// What becomes of a job that a layer keeps from its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It comes again, at no cost.
    PutOff,
    /// It comes again, and an attempt was spent each time.
    Retried,
    /// It was answered for.
    Acked,
}

impl Short {
    pub(crate) const ALL: [Short; 8] = [
        Short::Circuit,
        Short::Bulkhead,
        Short::Timeout,
        Short::Readiness,
        Short::Fallback,
        Short::Done,
        Short::Busy,
        Short::Down,
    ];

    fn fate(self) -> Fate {
        match self {
            Short::Circuit | Short::Bulkhead | Short::Readiness | Short::Busy | Short::Down => Fate::PutOff,
            Short::Timeout => Fate::Retried,
            Short::Fallback | Short::Done => Fate::Acked,
        }
    }
}

type Inner = BoxCloneService<Delivery<Number>, (), BoxError>;

/// Called when the layer is to let everything through.
type Opens = Box<dyn FnOnce() + Send>;

/// The layer around the service. It answers for itself until it is opened.
async fn around(short: Short, inner: Inner) -> (Inner, Opens) {
    match short {
        Short::Circuit => {
            let (circuit, opens) = open_circuit();
            (boxed(circuit.layer().layer(inner)), opens)
        }
        Short::Bulkhead => {
            let bulkhead = Bulkhead::builder("short").limit(1).build().unwrap();
            let held = bulkhead.try_acquire().unwrap();
            let opened = bulkhead.clone();
            let opens = move || {
                drop(held);
                opened.set_limit(10).unwrap();
            };
            (boxed(bulkhead.layer().layer(inner)), Box::new(opens))
        }
        Short::Timeout => {
            let is_slow = Arc::new(AtomicBool::new(true));
            let slow = Arc::clone(&is_slow);
            let service = service_fn(move |delivery: Delivery<Number>| {
                let (inner, slow) = (inner.clone(), Arc::clone(&slow));
                async move {
                    inner.oneshot(delivery).await?;
                    if slow.load(Ordering::Relaxed) { std::future::pending().await } else { Ok::<_, BoxError>(()) }
                }
            });
            let opens = move || is_slow.store(false, Ordering::Relaxed);
            (boxed(TimeoutLayer::new(millis(50)).layer(service)), Box::new(opens))
        }
        Short::Readiness => {
            let (health, is_up) = (Health::new(), Arc::new(AtomicBool::new(false)));
            let up = Arc::clone(&is_up);
            health.require("short", move || Status::from(up.load(Ordering::Relaxed))).unwrap();
            health.begin();
            health.advance(Phase::Serving);
            let opens = move || is_up.store(true, Ordering::Relaxed);
            (boxed(health.readiness_layer().layer(inner)), Box::new(opens))
        }
        Short::Fallback => {
            let (circuit, opens) = open_circuit();
            let fallback = Fallback::function("short", |_: BoxError| Ok::<(), BoxError>(())).build().unwrap();
            (boxed(fallback.layer().layer(circuit.layer().layer(inner))), opens)
        }
        Short::Done | Short::Busy | Short::Down => before(short, inner).await,
    }
}

fn open_circuit() -> (CircuitBreaker, Opens) {
    let circuit = CircuitBreaker::builder("short").open_for(AGAIN).build().unwrap();
    let (held, opened) = (circuit.hold_open().unwrap(), circuit.clone());
    let opens = move || {
        drop(held);
        opened.reset();
    };
    (circuit, Box::new(opens))
}

/// A ledger that has something to say of the jobs of these names, or nothing at all.
async fn before(short: Short, inner: Inner) -> (Inner, Opens) {
    let is_off = Arc::new(AtomicBool::new(false));
    let claims = Ledger::with_store("short", Switched::new(&is_off)).request_timeout(millis(500)).build().unwrap();
    let service = boxed(ledger::for_jobs::<Number, _>(claims.clone()).layer(inner));
    let key = |name: &str| Key::new("short", name).unwrap();
    let mut held = Vec::new();
    for name in NAMES {
        match short {
            Short::Done => {
                let layer =
                    IdempotencyLayer::new(claims.clone(), |name: &String| Some(Key::new("short", name.as_str())));
                let done = layer.layer(service_fn(|_: String| async { Ok::<(), BoxError>(()) }));
                done.oneshot(name.to_owned()).await.unwrap();
            }
            Short::Busy => {
                // Above any delivery's.
                let request = ClaimRequest::new(key(name)).rank(i64::MAX).lease(AGAIN);
                let Claimed::Mine(mut claim) = claims.claim(request).await.unwrap() else { panic!("it is new") };
                let _lost = claim.hold();
                held.push(claim);
            }
            _ => is_off.store(true, Ordering::Relaxed),
        }
    }
    let opens = move || {
        is_off.store(false, Ordering::Relaxed);
        for claim in held {
            tokio::spawn(claim.release());
        }
    };
    (service, Box::new(opens))
}

fn boxed<S>(service: S) -> Inner
where
    S: Service<Delivery<Number>, Response = (), Future: Send + 'static> + Clone + Send + 'static,
    S::Error: Into<BoxError> + 'static,
{
    BoxCloneService::new(service.map_err(Into::into))
}

/// Of the jobs that are in the queue while the layer is closed.
const NAMES: [&str; 2] = ["held-0", "held-1"];

/// Each layer that answers for itself leaves the queue in order: for as long as `span` it makes no hot loop of at most
/// `most` receives, it costs the attempts that it should, and when it lets all through all is done. How many layers.
pub(crate) async fn consistent<S: QueueStore>(make: impl Fn(String) -> S, span: Duration, most: u32) -> usize {
    let mut all = JoinSet::new();
    for short in Short::ALL {
        let store = Counted::new(make(format!("short-{short:?}").to_lowercase()));
        let calls = Calls::default();
        let layered = around(short, boxed(calls.noted(|_, _| async { Ok(()) }))).await;
        all.spawn(one(short, store, calls, layered, (span, most)));
    }
    all.join_all().await.len()
}

async fn one<S: QueueStore>(
    short: Short,
    store: Counted<S>,
    calls: Calls,
    (service, opens): (Inner, Opens),
    (span, most): (Duration, u32),
) {
    let queue: Queue<Number, _> = Queue::with_store("short", store.clone()).request_timeout(SECOND).build().unwrap();
    let consumer = Consumer::new(queue.clone()).visibility(30 * SECOND).block(10 * SECOND).defer(AGAIN);
    let consumer = consumer.retry_backoff(Backoff::constant(AGAIN)).max_deliveries(1_000).service(service);
    let jobs = NAMES.iter().zip(0..).map(|(name, number)| EnqueueRequest::new(Number(number)).id(id(name)));
    queue.enqueue_many(jobs).await.unwrap();
    let running = Running::start(consumer);
    tokio::time::sleep(span).await;
    let receives = store.receives();
    assert!((1..=most).contains(&receives), "{short:?}: {receives} receives in {span:?}");
    let before = calls.len();
    let (ready, later, in_hand, dead) = counts(&store).await;
    let left = ready + later + in_hand;
    match short.fate() {
        Fate::PutOff => assert_eq!((left, dead, before), (2, 0, 0), "{short:?}"),
        Fate::Retried => assert!((left, dead) == (2, 0) && before >= 2, "{short:?}: {left} {dead} {before}"),
        Fate::Acked => assert_eq!((left, dead, before), (0, 0, 0), "{short:?}"),
    }
    opens();
    queue.enqueue(Number(2)).await.unwrap();
    emptied(&store).await;
    running.end().await;
    assert_eq!(counts(&store).await, (0, 0, 0, 0), "{short:?}");
    let attempts = [0, 1, 2].map(|number| calls.attempts(number));
    for attempts in &attempts[..2] {
        match short.fate() {
            Fate::PutOff => assert_eq!(attempts, &[1], "{short:?}"),
            Fate::Retried => {
                assert!(attempts.len() >= 2 && attempts.iter().zip(1..).all(|(a, n)| *a == n), "{attempts:?}")
            }
            Fate::Acked => assert!(attempts.is_empty(), "{short:?}: {attempts:?}"),
        }
    }
    assert_eq!(attempts[2], [1], "{short:?}");
}
