//! What each setting may be.

use std::time::Duration;

use seaworthy::{Backoff, BoxError, ConfigError, Jitter, Shutdown};
use seaworthy_queue::{Consumer, ConsumerError, Delivery, Job, Memory, Queue, QueueBuilder};
use tower::service_fn;

#[derive(serde::Serialize, serde::Deserialize)]
struct Nothing;

impl Job for Nothing {
    const KIND: &str = "nothing";
}

const NANO: Duration = Duration::from_nanos(1);
const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
const HOUR: Duration = seconds(3_600);

/// The error of a setting: its field, and its value as it is shown.
type Refused = Option<(&'static str, String)>;

/// It is the queue's, and says what is wanted.
fn shown(error: &ConfigError) -> (&'static str, String) {
    assert_eq!(error.name().map(|name| name.as_str()), Some("nothings"), "{error}");
    assert!(error.rule().contains("must "), "{error}");
    let text = error.to_string();
    assert!([error.field(), error.value(), error.rule()].iter().all(|part| text.contains(part)), "{text}");
    (error.field(), error.value().to_owned())
}

fn of_queue(set: impl FnOnce(QueueBuilder<Nothing, Memory>) -> QueueBuilder<Nothing, Memory>) -> Refused {
    set(Queue::memory("nothings")).build().err().map(|error| shown(&error))
}

/// QU-91: the settings of a queue, at their bounds, below and above.
#[test]
fn of_a_queue() {
    let no = |field, value: &str| Some((field, value.to_owned()));
    assert_eq!(of_queue(|queue| queue), None);
    assert_eq!(of_queue(|queue| queue.request_timeout(millis(50))), None);
    assert_eq!(of_queue(|queue| queue.request_timeout(millis(50) - NANO)), no("request_timeout", "49.999999ms"));
    assert_eq!(of_queue(|queue| queue.request_timeout(Duration::MAX)), None, "of who only enqueues");
    assert_eq!(of_queue(|queue| queue.max_payload(0)), no("max_payload", "0"));
    assert_eq!(of_queue(|queue| queue.max_payload(1)), None);
    assert_eq!(of_queue(|queue| queue.max_payload(64 << 20)), None);
    assert_eq!(of_queue(|queue| queue.max_payload((64 << 20) + 1)), no("max_payload", "67108865"));
    assert_eq!(of_queue(|queue| queue.max_len(0)), no("max_len", "0"));
    assert_eq!(of_queue(|queue| queue.max_len(1).max_dead(1)), None);
    assert_eq!(of_queue(|queue| queue.max_len(u64::MAX).max_dead(u64::MAX)), None);
    assert_eq!(of_queue(|queue| queue.max_dead(0)), no("max_dead", "0"));
    assert_eq!(of_queue(|queue| queue.remember(Duration::ZERO)), no("remember", "0ns"));
    assert_eq!(of_queue(|queue| queue.keep_dead(Duration::ZERO)), no("keep_dead", "0ns"));
    assert_eq!(of_queue(|queue| queue.remember(NANO).keep_dead(NANO)), None);
    assert_eq!(of_queue(|queue| queue.remember(Duration::MAX).keep_dead(Duration::MAX)), None);
}

/// Run with a shutdown that is requested already: with settings that can be used it ends well.
async fn of_consumer(
    request_timeout: Duration,
    set: impl FnOnce(Consumer<Nothing>) -> Consumer<Nothing>,
) -> Option<(&'static str, String)> {
    let queue = Queue::memory("nothings").request_timeout(request_timeout).build().unwrap();
    let service = service_fn(|_: Delivery<Nothing>| async { Ok::<_, BoxError>(()) });
    let (stop, stopped) = Shutdown::new();
    stop.fire();
    match set(Consumer::new(queue)).service(service).run(stopped).await {
        Ok(()) => None,
        Err(ConsumerError::Config(error)) => Some(shown(&error)),
        Err(other) => panic!("{other}"),
    }
}

type Setter = Box<dyn FnOnce(Consumer<Nothing>) -> Consumer<Nothing>>;

fn set(set: impl FnOnce(Consumer<Nothing>) -> Consumer<Nothing> + 'static) -> Setter {
    Box::new(set)
}

/// QU-91: the settings of a consumer, at their bounds, below and above. A job timeout may be longer than the
/// visibility.
#[tokio::test(start_paused = true)]
async fn of_a_consumer() {
    let none = "";
    for (field, value, setter) in [
        (none, "", set(|it| it)),
        ("visibility", "999.999999ms", set(|it| it.visibility(seconds(1) - NANO))),
        (none, "", set(|it| it.visibility(seconds(1)))),
        (none, "", set(|it| it.visibility(12 * HOUR))),
        ("visibility", "43200.000000001s", set(|it| it.visibility(12 * HOUR + NANO))),
        ("concurrency", "0", set(|it| it.concurrency(0))),
        (none, "", set(|it| it.concurrency(1))),
        (none, "", set(|it| it.concurrency(10_000))),
        ("concurrency", "10001", set(|it| it.concurrency(10_001))),
        ("max_deliveries", "0", set(|it| it.max_deliveries(0))),
        (none, "", set(|it| it.max_deliveries(1).never_suspect())),
        (none, "", set(|it| it.max_deliveries(1_000))),
        ("max_deliveries", "1001", set(|it| it.max_deliveries(1_001))),
        ("job_timeout", "0ns", set(|it| it.job_timeout(Duration::ZERO))),
        (none, "", set(|it| it.job_timeout(NANO))),
        (none, "", set(|it| it.job_timeout(Duration::MAX))),
        (none, "", set(|it| it.visibility(seconds(1)).job_timeout(HOUR))),
        (none, "", set(|it| it.no_job_timeout())),
        ("defer", "99.999999ms", set(|it| it.defer(millis(100) - NANO))),
        (none, "", set(|it| it.defer(millis(100)))),
        (none, "", set(|it| it.defer(Duration::MAX))),
        ("defer_at_most", "99.999999ms", set(|it| it.defer_at_most(millis(100) - NANO))),
        (none, "", set(|it| it.defer_at_most(millis(100)))),
        (none, "", set(|it| it.defer_at_most(Duration::MAX))),
        ("suspect_after", "0", set(|it| it.suspect_after(0))),
        (none, "", set(|it| it.suspect_after(1))),
        (none, "", set(|it| it.suspect_after(3))),
        ("suspect_after", "4", set(|it| it.suspect_after(4))),
        ("suspect_after", "4294967295", set(|it| it.suspect_after(u32::MAX))),
        ("suspect_after", "2", set(|it| it.max_deliveries(3))),
        (none, "", set(|it| it.drain(Duration::ZERO))),
        (none, "", set(|it| it.drain(Duration::MAX))),
        ("block", "9.999999ms", set(|it| it.block(millis(10) - NANO))),
        (none, "", set(|it| it.block(millis(10)))),
        (none, "", set(|it| it.block(seconds(10)))),
        ("block", "10.000000001s", set(|it| it.block(seconds(10) + NANO))),
        (none, "", set(|it| it.visibility(seconds(3)).block(seconds(1)))),
        ("block", "1.000000001s", set(|it| it.visibility(seconds(3)).block(seconds(1) + NANO))),
        ("retry_backoff", "2s to 1s", set(|it| it.retry_backoff(Backoff::exponential(seconds(2), seconds(1))))),
        (none, "", set(|it| it.retry_backoff(Backoff::constant(Duration::ZERO).jitter(Jitter::None)))),
    ] {
        let refused = of_consumer(millis(50), setter).await;
        let refused = refused.as_ref().map_or((none, ""), |(field, value)| (*field, value.as_str()));
        assert_eq!(refused, (field, value));
    }
}

/// QU-91: three requests to their limits must fit into a visibility.
#[tokio::test(start_paused = true)]
async fn requests_fit_into_the_visibility() {
    assert_eq!(of_consumer(seconds(10) - NANO, |it| it.visibility(seconds(30))).await, None);
    let refused = Some(("visibility", "30s".to_owned()));
    assert_eq!(of_consumer(seconds(10), |it| it.visibility(seconds(30))).await, refused);
    assert_eq!(of_consumer(seconds(11), |it| it.visibility(seconds(30))).await, refused);
    assert_eq!(of_consumer(Duration::MAX, |it| it.visibility(seconds(30))).await, refused);
}

/// QU-35, QU-91: a grace period that is shorter than a shutdown takes is refused.
#[test]
fn a_shutdown_fits_into_the_grace() {
    let consumer = || Consumer::new(Queue::<Nothing>::memory("nothings").build().unwrap());
    assert_eq!(consumer().stop_bound(), seconds(26));
    assert!(consumer().fits(seconds(26)).is_ok());
    let error = consumer().fits(seconds(26) - NANO).unwrap_err();
    assert_eq!(shown(&error), ("grace", "25.999999999s".to_owned()));
    assert_eq!(consumer().drain(Duration::MAX).stop_bound(), Duration::MAX);
}

/// QU-91: how often an engine asks by itself.
#[cfg(feature = "sqlite")]
#[tokio::test]
async fn of_an_engine() {
    let directory = crate::sqlite::Directory::new();
    let store = directory.builder().open().await.unwrap();
    let of_poll =
        |poll| Queue::<Nothing, _>::sqlite("nothings", &store).poll(poll).build().err().map(|error| shown(&error));
    assert_eq!(of_poll(millis(10) - NANO), Some(("poll", "9.999999ms".to_owned())));
    assert_eq!((of_poll(millis(10)), of_poll(seconds(60))), (None, None));
    assert_eq!(of_poll(seconds(60) + NANO), Some(("poll", "60.000000001s".to_owned())));
}

/// QU-71, QU-91: settings of a connection to Redis are looked at before the server is.
#[cfg(feature = "redis")]
#[tokio::test]
async fn of_a_connection() {
    use seaworthy_queue::ErrorClass;
    use seaworthy_queue::redis::RedisStore;

    // Nobody listens there.
    let builder = || RedisStore::builder("redis://127.0.0.1:1/").request_timeout(millis(50));
    let class = |error: seaworthy_queue::StoreError| error.class();
    let refused = [
        builder().request_timeout(millis(50) - NANO),
        builder().wait_replicas(1, millis(1) - NANO),
        builder().wait_replicas(1, millis(50)),
    ];
    for builder in refused {
        let error = builder.connect().await.unwrap_err();
        assert!(error.to_string().contains("must be at least"), "{error}");
        assert_eq!(class(error), ErrorClass::Refused);
    }
    for builder in [builder(), builder().wait_replicas(1, millis(1)), builder().wait_replicas(1, millis(50) - NANO)] {
        assert_eq!(builder.connect().await.map_err(class).unwrap_err(), ErrorClass::Unavailable);
    }
}
