mod basics;
mod blocked;
mod gates;
mod kept;
#[cfg(feature = "ledger")]
mod ledger;
#[cfg(feature = "ledger")]
mod ledger_down;
#[cfg(feature = "ledger")]
mod one_at_a_time;
mod poison;
mod readable;
mod sharing;
mod stopping;

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::{BoxError, Shutdown};
use seaworthy_queue::{Consumer, ConsumerError, DefaultClassifier, Delivery, DeliveryMeta, Job, Queue};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tower::Service;

use crate::doubles::Spy;

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Number(pub(crate) u64);

impl Job for Number {
    const KIND: &str = "number";
}

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn queue() -> (Queue<Number, Spy>, Spy) {
    let spy = Spy::default();
    (Queue::with_store("numbers", spy.clone()).build().unwrap(), spy)
}

pub(crate) async fn enqueue(queue: &Queue<Number, Spy>, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        assert!(queue.enqueue(Number(number)).await.unwrap().is_new());
    }
}

/// What was begun: the number, the attempt, and when.
#[derive(Clone)]
pub(crate) struct Calls {
    began: Instant,
    calls: Arc<Mutex<Vec<(u64, u32, Duration)>>>,
}

impl Calls {
    pub(crate) fn new() -> Calls {
        Calls { began: Instant::now(), calls: Arc::default() }
    }

    pub(crate) fn note(&self, delivery: &Delivery<Number>) {
        self.calls.lock().unwrap().push((delivery.job().0, delivery.attempt(), self.began.elapsed()));
    }

    pub(crate) fn all(&self) -> Vec<(u64, u32, Duration)> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.all().len()
    }
}

/// A service that notes each call, and does `work`.
pub(crate) fn noted<F, W>(
    calls: &Calls,
    work: F,
) -> impl Service<Delivery<Number>, Response = (), Error = BoxError, Future: Send> + Clone + Send + use<F, W>
where
    F: Fn(u64, DeliveryMeta) -> W + Clone + Send + 'static,
    W: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    let calls = calls.clone();
    tower::service_fn(move |delivery: Delivery<Number>| {
        calls.note(&delivery);
        let (job, meta) = delivery.into_parts();
        work(job.0, meta)
    })
}

pub(crate) struct Running {
    pub(crate) stop: seaworthy::ShutdownTrigger,
    pub(crate) task: JoinHandle<Result<(), ConsumerError>>,
}

impl Running {
    pub(crate) fn start<V>(consumer: Consumer<Number, Spy, V, DefaultClassifier>) -> Running
    where
        V: Service<Delivery<Number>, Error = BoxError, Response = (), Future: Send> + Clone + Send + 'static,
    {
        let (stop, stopped) = Shutdown::new();
        Running { stop, task: tokio::spawn(consumer.run(stopped)) }
    }

    pub(crate) async fn end(self) {
        self.stop.fire();
        self.task.await.unwrap().unwrap();
    }
}

pub(crate) async fn pass(seconds: u64) {
    tokio::time::sleep(SECOND * u32::try_from(seconds).unwrap()).await;
}
