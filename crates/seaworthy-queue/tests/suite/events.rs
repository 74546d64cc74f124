//! What observers are told.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::observe::{Interest, MeasureValue, Severity};
use seaworthy::{Backoff, BoxError, Event, Observer, Shutdown, Status};
use seaworthy_queue::{Consumer, Delivery, EnqueueRequest, Job, JobError, JobId, Queue};
use tokio::time::sleep;
use tower::service_fn;

use crate::doubles::Spy;

/// What an observer was told.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<Line>>>);

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) kind: &'static str,
    pub(crate) severity: Severity,
    pub(crate) text: String,
    pub(crate) series: Vec<String>,
}

impl Told {
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn kinds(&self) -> BTreeSet<&'static str> {
        self.lines().iter().map(|line| line.kind).collect()
    }

    pub(crate) fn texts(&self, kind: &str) -> Vec<String> {
        self.lines().into_iter().filter(|line| line.kind == kind).map(|line| line.text).collect()
    }

    pub(crate) fn observer(&self, interest: Interest) -> impl Observer + 'static {
        Recorder(self.clone(), interest)
    }
}

struct Recorder(Told, Interest);

impl Observer for Recorder {
    fn on_event(&self, event: &Event<'_>) {
        let Event::Extension(event) = event else { return };
        assert_eq!((event.component(), event.name().map(|name| name.as_str())), ("queue", Some("steps")));
        let mut line = Line { kind: event.kind(), severity: event.severity(), text: String::new(), series: Vec::new() };
        event.fields(&mut |name, value| line.text += &format!("{name}={value} "));
        event.measures(&mut |measure| {
            let labels: Vec<_> = measure.labels().iter().map(|(name, value)| format!("{name}={value}")).collect();
            let value = match measure.value() {
                MeasureValue::Time(_) => "time".to_owned(),
                value => format!("{value:?}"),
            };
            line.series.push(format!("{}{{{}}} {value}", measure.metric().name(), labels.join(",")));
        });
        self.0.0.lock().unwrap().push(line);
    }

    fn interest(&self) -> Interest {
        self.1
    }
}

/// What becomes of a job.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
enum Step {
    Done,
    Fails,
    IsPutOff,
    NeverEnds,
}

impl Job for Step {
    const KIND: &str = "step";
}

async fn step(delivery: Delivery<Step>) -> Result<(), BoxError> {
    match delivery.job() {
        Step::Done => Ok(()),
        Step::Fails => Err("no luck".into()),
        Step::IsPutOff if delivery.deferred_for().is_none() => Err(JobError::defer(second(1)).into()),
        Step::IsPutOff => Ok(()),
        Step::NeverEnds => std::future::pending().await,
    }
}

const fn second(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

async fn enqueue(queue: &Queue<Step, Spy>, id: &str, step: Step) {
    queue.enqueue(EnqueueRequest::new(step).id(JobId::new(id).unwrap())).await.unwrap();
}

/// All that can happen to a queue, but for a call that blocks its thread.
async fn life(interest: Interest) -> Told {
    let (told, spy) = (Told::default(), Spy::default());
    let queue = Queue::with_store("steps", spy.clone()).keep_dead(second(20)).observer(told.observer(interest));
    let queue = queue.build().unwrap();
    let is_up = Arc::new(AtomicBool::new(true));
    let check = Arc::clone(&is_up);
    let (stop, stopped) = Shutdown::new();
    let consumer = Consumer::new(queue.clone())
        .max_deliveries(2)
        .never_suspect()
        .retry_backoff(Backoff::constant(second(1)))
        .drain(Duration::ZERO)
        .require(move || Status::from(check.load(Ordering::Relaxed)))
        .service(service_fn(step));
    let running = tokio::spawn(consumer.run(stopped));
    enqueue(&queue, "a", Step::Done).await;
    enqueue(&queue, "b", Step::Fails).await;
    enqueue(&queue, "c", Step::IsPutOff).await;
    sleep(second(5)).await;
    assert!(queue.dead().redrive(&JobId::new("b").unwrap()).await.unwrap());
    assert!(!queue.dead().redrive(&JobId::new("a").unwrap()).await.unwrap());
    is_up.store(false, Ordering::Relaxed);
    sleep(second(3)).await;
    is_up.store(true, Ordering::Relaxed);
    sleep(second(4)).await;
    spy.fails.receives.store(true, Ordering::Relaxed);
    sleep(second(8)).await;
    spy.fails.receives.store(false, Ordering::Relaxed);
    // It is dead for the second time, and removed after 20 s.
    sleep(second(60)).await;
    enqueue(&queue, "d", Step::NeverEnds).await;
    spy.fails.extends.store(true, Ordering::Relaxed);
    sleep(second(29)).await;
    spy.fails.extends.store(false, Ordering::Relaxed);
    sleep(second(5)).await;
    stop.fire();
    running.await.unwrap().unwrap();
    assert_eq!((queue.depth().await.unwrap().ready, queue.depth().await.unwrap().dead), (1, 0));
    told
}

/// QU-40, QU-92, CO-23: each thing that happens is told, with what it is about.
#[tokio::test(start_paused = true)]
async fn told_with_their_fields() {
    let told = life(Interest::Calls).await;
    let has = |kind, expected: &[&str]| {
        let texts = told.texts(kind);
        assert_eq!(texts.len(), expected.len(), "{kind}: {texts:?}");
        for (text, expected) in texts.iter().zip(expected) {
            assert!(text.starts_with(expected), "{kind}: {texts:?}, and not {expected:?}");
        }
    };
    assert!(told.texts("received").iter().all(|text| text.starts_with("jobs=")));
    let attempts =
        ["a attempt=1", "b attempt=1", "c attempt=1", "c attempt=1", "b attempt=2", "b attempt=1", "b attempt=2"];
    let mut started: Vec<String> = attempts.map(|of| format!("id={of} waited=")).into_iter().collect();
    started.extend(["id=d attempt=1 waited=".to_owned(), "id=d attempt=2 waited=".to_owned()]);
    let mut texts = told.texts("started");
    started.sort();
    texts.sort();
    assert!(texts.iter().zip(&started).all(|(text, of)| text.starts_with(of)) && texts.len() == 9, "{texts:?}");
    let settled = told.texts("settled");
    for (outcome, times) in [("ack", 2), ("retry", 2), ("dead", 2), ("defer", 1), ("release", 1)] {
        let of = settled.iter().filter(|text| text.contains(&format!(" outcome={outcome} elapsed="))).count();
        assert_eq!(of, times, "{outcome}: {settled:?}");
    }
    assert_eq!(settled.iter().filter(|text| text.ends_with("reason=no luck ")).count(), 4, "{settled:?}");
    has("died", &["id=b reason=no luck ", "id=b reason=no luck "]);
    has("redriven", &["id=b "]);
    has("swept", &["jobs=1 "]);
    has("lost", &["id=d "]);
    has("gate_closed", &[""]);
    has("gate_opened", &["closed="]);
    // While jobs are asked for, and with each extension that fails beside that.
    let (down, up) = (told.texts("store_down"), told.texts("store_up"));
    assert!(down.len() >= 2 && down.iter().all(|text| text == "class=unavailable "), "{down:?}");
    assert!(up.len() == down.len() && up.iter().all(|text| text.starts_with("down=")), "{down:?} and {up:?}");
    assert!(told.texts("still_down").iter().all(|text| text.starts_with("class=unavailable down=")));
    assert!(told.texts("measured").iter().any(|text| text == "ready=0 later=0 running=0 dead=1 oldest_ready=0ns "));
}

/// CO-23: an observer of changes hears nothing of what goes well; what changes is at info, and what somebody should
/// look at above that.
#[tokio::test(start_paused = true)]
async fn changes_only() {
    let told = life(Interest::Changes).await;
    let levels: BTreeSet<_> = told.lines().iter().map(|line| (line.kind, format!("{:?}", line.severity))).collect();
    let expected = [
        ("died", "Error"),
        ("gate_closed", "Info"),
        ("gate_opened", "Info"),
        ("lost", "Warn"),
        ("measured", "Debug"),
        ("redriven", "Info"),
        ("store_down", "Warn"),
        ("store_up", "Info"),
        ("swept", "Info"),
    ];
    assert_eq!(levels, expected.map(|(kind, level)| (kind, level.to_owned())).into_iter().collect());
}

/// QU-92: the series and the events are those of docs/metrics.md; each has the values that it is to have.
#[tokio::test(start_paused = true)]
async fn series() {
    let told = life(Interest::Calls).await;
    let text = include_str!("../../docs/metrics.md");
    let (metrics, events) = text.split_once("## Events").unwrap();
    let documented: BTreeSet<&str> = named(metrics).filter(|name| name.starts_with("seaworthy_queue_")).collect();
    let lines = told.lines();
    let series: BTreeSet<&str> = lines.iter().flat_map(|line| &line.series).map(String::as_str).collect();
    let names: BTreeSet<&str> = series.iter().filter_map(|line| line.split('{').next()).collect();
    assert_eq!(names, documented);
    let of_events: BTreeSet<&str> = named(events).collect();
    let mut kinds = told.kinds();
    // Its test takes its time.
    assert!(kinds.insert("stuck"));
    assert_eq!(kinds, of_events);
    for expected in [
        "ready{queue=steps} Level(0.0)",
        "dead{queue=steps} Level(1.0)",
        "running{queue=steps} Level(1.0)",
        "delivered_total{queue=steps,attempt=1} Count(1)",
        "delivered_total{queue=steps,attempt=2} Count(1)",
        "settled_total{queue=steps,outcome=ack} Count(1)",
        "settled_total{queue=steps,outcome=release} Count(1)",
        "job_seconds{queue=steps,outcome=dead} time",
        "wait_seconds{queue=steps} time",
        "lost_total{queue=steps} Count(1)",
        "gate_closed_seconds{queue=steps} time",
        "store_errors_total{queue=steps,class=unavailable} Count(1)",
    ] {
        assert!(series.contains(&*format!("seaworthy_queue_{expected}")), "{expected} is not among {series:#?}");
    }
}

/// What stands in backticks in the first columns of tables.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let firsts = text.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    firsts.flat_map(|first| first.split('`').skip(1).step_by(2))
}

/// QU-92: an observer that panics stops nothing.
#[tokio::test(start_paused = true)]
async fn observers_that_panic() {
    let queue = Queue::memory("steps").observer(|_: &Event<'_>| panic!("as the test wants it")).build().unwrap();
    queue.enqueue(Step::Done).await.unwrap();
    queue.enqueue(Step::Fails).await.unwrap();
    let (stop, stopped) = Shutdown::new();
    let consumer = Consumer::new(queue.clone()).service(service_fn(step));
    let running = tokio::spawn(consumer.run(stopped));
    sleep(second(600)).await;
    let depth = queue.depth().await.unwrap();
    assert_eq!((depth.ready + depth.later + depth.running, depth.dead), (0, 1));
    assert_eq!(queue.dead().redrive_all(1).await.unwrap(), 1);
    stop.fire();
    running.await.unwrap().unwrap();
}
