//! A stack that is not ready, and a gate that is closed.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use seaworthy::CircuitBreaker;
use seaworthy_queue::store::QueueStore;
use seaworthy_queue::{Consumer, Delivery, Queue};
use tokio::sync::Notify;
use tower::{Layer, Service};

use super::support::{Calls, Counted, Number, Running, emptied, millis};

/// A service that never becomes ready has nothing fetched for it within `span`. `asked` is how often the store has been
/// asked for anything.
pub(crate) async fn never_ready<S: QueueStore>(store: S, span: Duration, asked: impl Fn() -> u64) {
    let queue: Queue<Number, S> = Queue::with_store("closed", store).build().unwrap();
    let calls = Calls::default();
    queue.enqueue(Number(0)).await.unwrap();
    let before = asked();
    let service = NeverReady(calls.noted(|_, _| async { Ok(()) }));
    let running = Running::start(Consumer::new(queue.clone()).service(service));
    tokio::time::sleep(span).await;
    assert_eq!((asked() - before, calls.len()), (0, 0));
    running.end().await;
    assert_eq!(queue.depth().await.unwrap().ready, 1);
}

#[derive(Clone)]
struct NeverReady<S>(S);

impl<S: Service<Delivery<Number>>> Service<Delivery<Number>> for NeverReady<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Pending
    }

    fn call(&mut self, job: Delivery<Number>) -> S::Future {
        self.0.call(job)
    }
}

/// While the circuit is open, which it is for longer than `span`, nothing is fetched; when its open time is over one job
/// is, and no other before that has ended. After that all are done.
pub(crate) async fn open<S: QueueStore>(store: S, span: Duration, asked: impl Fn() -> u64) {
    let store = Counted::new(store);
    let queue: Queue<Number, _> = Queue::with_store("closed", store.clone()).build().unwrap();
    for number in 0..20 {
        queue.enqueue(Number(number)).await.unwrap();
    }
    let open_for = span + span / 10;
    let circuit = CircuitBreaker::builder("backend").consecutive_failures(1).open_for(open_for).build().unwrap();
    assert!(circuit.run(async { Err::<(), seaworthy::BoxError>("down".into()) }).await.is_err());
    let (calls, may_end) = (Calls::default(), Arc::new(Notify::new()));
    let told = Arc::clone(&may_end);
    let work = calls.noted(move |_, _| {
        let told = Arc::clone(&told);
        async move {
            told.notified().await;
            told.notify_one();
            Ok(())
        }
    });
    let before = asked();
    let consumer = Consumer::new(queue).gate(circuit.clone()).service(circuit.layer().layer(work));
    let running = Running::start(consumer);
    tokio::time::sleep(span).await;
    assert_eq!((asked() - before, store.receives(), calls.len()), (0, 0, 0));
    // The trial, for as long as it takes.
    tokio::time::sleep(open_for - span + millis(500) + span).await;
    assert_eq!((store.receives(), calls.len()), (1, 1));
    may_end.notify_one();
    emptied(&store).await;
    assert_eq!(calls.len(), 20);
    running.end().await;
}
