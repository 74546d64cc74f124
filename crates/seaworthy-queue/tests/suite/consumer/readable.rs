use bytes::Bytes;
use seaworthy::BoxError;
use seaworthy_queue::store::{Due, NewJob, Producer};
use seaworthy_queue::{Consumer, Delivery, Headers, Job, JobId, Queue};
use serde_json::Value;

use super::{Calls, Number, Running, noted, pass, queue};

fn raw(kind: &str, version: u16, body: &'static str) -> NewJob {
    let (id, body) = (JobId::unique(), Bytes::from_static(body.as_bytes()));
    NewJob { id, kind: kind.into(), version, headers: Headers::default(), body, due: Due::Now }
}

/// QU-17: what cannot be read is dead at once, with the reason, and was not tried; what is newer is put off for 10
/// minutes first.
#[tokio::test(start_paused = true)]
async fn unreadable() {
    let (jobs, spy) = queue();
    let all = [raw("letter", 1, "1"), raw("number", 1, "not json"), raw("number", 2, "1"), raw("number", 1, "7")];
    spy.enqueue(&all, None).await.unwrap();
    let calls = Calls::new();
    let running = Running::start(Consumer::new(jobs.clone()).service(noted(&calls, |_, _| async { Ok(()) })));
    pass(599).await;
    assert_eq!(jobs.depth().await.unwrap().dead, 2);
    pass(60).await;
    assert_eq!(calls.all().iter().map(|(number, ..)| *number).collect::<Vec<_>>(), [7]);
    let dead = jobs.dead().list(None).await.unwrap().jobs;
    let reasons: Vec<&str> = dead.iter().map(|job| &*job.reason).collect();
    assert_eq!(reasons[0], "a job of another kind");
    assert!(reasons[1].starts_with("a job that cannot be read"), "{reasons:?}");
    assert_eq!(reasons[2], "a job of a newer version");
    assert_eq!(dead[2].body, Bytes::from_static(b"1"), "nothing is dropped");
    running.end().await;
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Named {
    name: String,
}

impl Job for Named {
    const KIND: &str = "number";
    const VERSION: u16 = 2;

    fn upgrade(from: u16, body: Value) -> Result<Named, BoxError> {
        assert_eq!(from, 1);
        let number = body.as_u64().ok_or("no number")?;
        Ok(Named { name: number.to_string() })
    }
}

/// QU-17, IN-20: an older body is upgraded.
#[tokio::test(start_paused = true)]
async fn upgraded() {
    let old: Queue<Number> = Queue::memory("numbers").build().unwrap();
    old.enqueue(Number(7)).await.unwrap();
    let new: Queue<Named> = Queue::with_store("numbers", old.store().clone()).build().unwrap();
    new.enqueue(Named { name: "eight".into() }).await.unwrap();
    let (sent, mut names) = tokio::sync::mpsc::unbounded_channel();
    let service = tower::service_fn(move |delivery: Delivery<Named>| {
        let sent = sent.send(delivery.into_parts().0.name);
        async move { sent.map_err(BoxError::from) }
    });
    let (stop, stopped) = seaworthy::Shutdown::new();
    let running = tokio::spawn(Consumer::new(new).service(service).run(stopped));
    assert_eq!((names.recv().await.unwrap(), names.recv().await.unwrap()), ("7".into(), "eight".into()));
    stop.fire();
    running.await.unwrap().unwrap();
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Picky(u64);

impl Job for Picky {
    const KIND: &str = "number";
    const VERSION: u16 = 2;

    fn upgrade(from: u16, body: Value) -> Result<Picky, BoxError> {
        panic!("no way from {from} with {body}")
    }
}

/// QU-17, QU-33: a panic of the code that reads a body is the end of that job alone, at once and with its text.
#[tokio::test(start_paused = true)]
async fn reading_that_panics() {
    let old: Queue<Number> = Queue::memory("numbers").build().unwrap();
    old.enqueue(Number(7)).await.unwrap();
    let new: Queue<Picky> = Queue::with_store("numbers", old.store().clone()).build().unwrap();
    new.enqueue(Picky(8)).await.unwrap();
    let (sent, mut numbers) = tokio::sync::mpsc::unbounded_channel();
    let service = tower::service_fn(move |delivery: Delivery<Picky>| {
        let sent = sent.send(delivery.into_parts().0.0);
        async move { sent.map_err(BoxError::from) }
    });
    let (stop, stopped) = seaworthy::Shutdown::new();
    let running = tokio::spawn(Consumer::new(new.clone()).service(service).run(stopped));
    assert_eq!(numbers.recv().await, Some(8));
    pass(1).await;
    let dead = new.dead().list(None).await.unwrap().jobs;
    let reasons: Vec<&str> = dead.iter().map(|job| &*job.reason).collect();
    assert_eq!(reasons, ["a job that cannot be read: panicked: no way from 1 with 7"]);
    stop.fire();
    running.await.unwrap().unwrap();
}
