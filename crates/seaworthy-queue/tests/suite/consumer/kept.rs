use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::observe::Interest;
use seaworthy::{BoxError, Check, Event, Observer, Shutdown};
use seaworthy_queue::{Consumer, ConsumerError, Queue};

use super::{Calls, Number, Running, enqueue, noted, pass, queue};
use crate::doubles::Spy;

/// QU-30, IN-03: a job of ten visibilities is started once, because it is extended all the while.
#[tokio::test(start_paused = true)]
async fn slow_jobs_are_kept() {
    let (jobs, _) = queue();
    enqueue(&jobs, 0..1).await;
    let calls = Calls::new();
    let service = noted(&calls, |_, _| async {
        pass(300).await;
        Ok(())
    });
    let running = Running::start(Consumer::new(jobs.clone()).service(service.clone()));
    let peer = Running::start(Consumer::new(jobs.clone()).service(service));
    pass(400).await;
    assert_eq!(calls.len(), 1);
    assert_eq!(jobs.depth().await.unwrap().running, 0);
    running.end().await;
    peer.end().await;
}

/// QU-31: a job that cannot be extended is dropped at its local end, before others can have it, and is told so.
#[tokio::test(start_paused = true)]
async fn lost_at_the_local_end() {
    let (jobs, spy) = queue();
    enqueue(&jobs, 0..1).await;
    let (calls, told) = (Calls::new(), Arc::new(AtomicU32::new(0)));
    let count = Arc::clone(&told);
    let service = noted(&calls, move |_, meta| {
        let told = Arc::clone(&count);
        async move {
            let _dropped = Dropped(told, meta.lost());
            pass(1_000).await;
            Ok(())
        }
    });
    spy.fails.extends.store(true, Ordering::Relaxed);
    let running = Running::start(Consumer::new(jobs.clone()).service(service));
    pass(27).await;
    assert_eq!(told.load(Ordering::Relaxed), 0);
    pass(2).await;
    assert_eq!((told.load(Ordering::Relaxed), calls.len()), (1, 1));
    pass(2).await;
    assert_eq!(calls.all()[1].1, 2, "an attempt was spent");
    spy.fails.extends.store(false, Ordering::Relaxed);
    running.end().await;
}

struct Dropped(Arc<AtomicU32>, Shutdown);

impl Drop for Dropped {
    fn drop(&mut self) {
        if self.1.is_requested() {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// QU-16, IN-06: a store that is away ends nothing: calls go on, their settlements are repeated, and jobs are taken again
/// when it is back.
#[tokio::test(start_paused = true)]
async fn a_store_that_is_away() {
    let (jobs, spy) = queue();
    enqueue(&jobs, 0..2).await;
    let calls = Calls::new();
    let service = noted(&calls, |_, _| async {
        pass(4).await;
        Ok(())
    });
    let consumer = Consumer::new(jobs.clone()).concurrency(1).service(service);
    let handle = consumer.handle();
    assert!(!handle.status().is_up(), "it does not run yet");
    let running = Running::start(consumer);
    pass(1).await;
    for flag in [&spy.fails.receives, &spy.fails.extends, &spy.fails.settles] {
        flag.store(true, Ordering::Relaxed);
    }
    pass(10).await;
    assert!(handle.status().is_up(), "not for a visibility");
    for flag in [&spy.fails.receives, &spy.fails.extends, &spy.fails.settles] {
        flag.store(false, Ordering::Relaxed);
    }
    pass(20).await;
    assert_eq!((calls.len(), jobs.depth().await.unwrap().running), (2, 0));
    assert!(calls.all().iter().all(|(_, attempt, _)| *attempt == 1));
    spy.fails.receives.store(true, Ordering::Relaxed);
    pass(60).await;
    assert!(!handle.status().is_up());
    running.end().await;
}

/// QU-16, CO-13: jobs that were handed out although the answer was lost are given by the next asking, and cost nothing.
#[tokio::test(start_paused = true)]
async fn a_lost_answer() {
    let (jobs, spy) = queue();
    enqueue(&jobs, 0..3).await;
    spy.fails.receive_answers.store(true, Ordering::Relaxed);
    let calls = Calls::new();
    let running = Running::start(Consumer::new(jobs.clone()).service(noted(&calls, |_, _| async { Ok(()) })));
    pass(1).await;
    spy.fails.receive_answers.store(false, Ordering::Relaxed);
    pass(8).await;
    let attempts: Vec<u32> = calls.all().iter().map(|(_, attempt, _)| *attempt).collect();
    assert_eq!(attempts, [1, 1, 1]);
    running.end().await;
}

/// QU-25, QU-93: a settlement whose answer was lost is sent again, and taken for done.
#[tokio::test(start_paused = true)]
async fn a_settlement_in_doubt() {
    let (jobs, spy) = queue();
    enqueue(&jobs, 0..1).await;
    spy.fails.settle_answers.store(true, Ordering::Relaxed);
    let calls = Calls::new();
    let running = Running::start(Consumer::new(jobs.clone()).service(noted(&calls, |_, _| async { Ok(()) })));
    pass(1).await;
    spy.fails.settle_answers.store(false, Ordering::Relaxed);
    pass(60).await;
    assert_eq!((calls.len(), jobs.depth().await.unwrap().running), (1, 0));
    assert!(spy.settles.load(Ordering::Relaxed) >= 2);
    running.end().await;
}

/// QU-25, IN-06: a settlement that was carried out, but has no answer for so long that an extension finds the job gone, is
/// told as what it is, and not as a loss.
#[tokio::test(start_paused = true)]
async fn a_settlement_in_doubt_is_no_loss() {
    let kinds = Kinds::default();
    let spy = Spy::default();
    let jobs = Queue::with_store("numbers", spy.clone()).observer(kinds.clone()).build().unwrap();
    enqueue(&jobs, 0..1).await;
    spy.fails.settle_answers.store(true, Ordering::Relaxed);
    let calls = Calls::new();
    let running = Running::start(Consumer::new(jobs.clone()).service(noted(&calls, |_, _| async { Ok(()) })));
    // At 10 s it is to be extended.
    pass(15).await;
    assert_eq!(jobs.depth().await.unwrap().running, 0);
    spy.fails.settle_answers.store(false, Ordering::Relaxed);
    pass(8).await;
    let kinds = kinds.0.lock().unwrap().clone();
    let count = |kind| kinds.iter().filter(|of| **of == kind).count();
    assert_eq!((calls.len(), count("settled"), count("lost")), (1, 1, 0), "{kinds:?}");
    running.end().await;
}

/// What was told.
#[derive(Clone, Default)]
struct Kinds(Arc<Mutex<Vec<&'static str>>>);

impl Observer for Kinds {
    fn on_event(&self, event: &Event<'_>) {
        if let Event::Extension(event) = event {
            self.0.lock().unwrap().push(event.kind());
        }
    }

    fn interest(&self) -> Interest {
        Interest::Calls
    }
}

/// CO-18, QU-16: a store that refuses at the first contact is the consumer's failure; a setting that cannot be, too.
#[tokio::test(start_paused = true)]
async fn refused_at_first() {
    let (jobs, spy) = queue();
    spy.fails.refuses.store(true, Ordering::Relaxed);
    let calls = Calls::new();
    let service = noted(&calls, |_, _| async { Ok::<_, BoxError>(()) });
    let (_stop, stopped) = Shutdown::new();
    let ended = Consumer::new(jobs.clone()).service(service.clone()).run(stopped).await;
    assert!(matches!(ended, Err(ConsumerError::Store(_))), "{ended:?}");
    let (_stop, stopped) = Shutdown::new();
    let ended = Consumer::new(jobs).visibility(Duration::from_secs(15)).service(service).run(stopped).await;
    let Err(ConsumerError::Config(error)) = ended else { panic!("{ended:?}") };
    assert_eq!((error.field(), error.name().map(|name| name.as_str())), ("visibility", Some("numbers")));
}

/// QU-36: a run that is dropped drops its calls.
#[tokio::test(start_paused = true)]
async fn dropped() {
    let queue: Queue<Number> = Queue::memory("numbers").build().unwrap();
    queue.enqueue(Number(1)).await.unwrap();
    let is_gone = Arc::new(AtomicBool::new(false));
    let gone = Arc::clone(&is_gone);
    let service = tower::service_fn(move |_| {
        let guard = Gone(Arc::clone(&gone));
        async move {
            let _guard = guard;
            pass(1_000).await;
            Ok::<_, BoxError>(())
        }
    });
    let (_stop, stopped) = Shutdown::new();
    let running = tokio::spawn(Consumer::new(queue.clone()).service(service).run(stopped));
    pass(1).await;
    running.abort();
    pass(1).await;
    assert!(is_gone.load(Ordering::Relaxed));
    let depth = queue.depth().await.unwrap();
    assert_eq!((depth.ready, depth.running), (1, 0));
}

struct Gone(Arc<AtomicBool>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
