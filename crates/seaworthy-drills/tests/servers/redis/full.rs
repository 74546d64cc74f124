use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seaworthy::{BoxError, Shutdown};
use seaworthy_faults::redis::{Persistence, Redis as Server};
use seaworthy_queue::redis::{Redis, RedisStore};
use seaworthy_queue::store::{DeadLetters, Depth, Due, Held, NewJob, Producer, Settlement, Source};
use seaworthy_queue::{Consumer, Delivery, ErrorClass, Job, Queue};
use tokio::task::spawn_blocking;

use super::support::{ACK, accept, all, dead, holder, id, job, pass, retry, take, until};

fn large(number: u32, due: Due) -> NewJob {
    NewJob { body: vec![b'x'; 20_000].into(), due, ..job(&format!("j{number}")) }
}

/// QU-95, IN-19: a server whose memory is over accepts nothing and changes nothing by that; what it has is delivered and
/// settled, in each way; when there is room it accepts again.
#[tokio::test(flavor = "multi_thread")]
async fn memory_is_over() {
    let server = spawn_blocking(|| Server::start_with(Persistence::None, &[("maxmemory", "6mb")])).await.unwrap();
    let store = RedisStore::builder(&server.url()).accept_loss().connect().await.unwrap();
    let queue = Redis::new("q", &store);
    // All steps are known to the server, whose scripts need memory, too.
    accept(&queue, &[job("dead")]).await;
    let asked = take(1);
    let held = holder(&asked, &all(&queue, &asked).await[0]);
    assert_eq!(queue.settle(&held, &dead("x")).await.unwrap(), Held::Yes);
    let mut accepted = 0;
    let full = loop {
        let due = if accepted % 4 == 0 { Due::After(Duration::from_millis(1)) } else { Due::Now };
        match queue.enqueue(&[large(accepted, due)], None).await {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(full.class(), ErrorClass::Full, "{full}");
    assert!(accepted >= 100, "{accepted}");
    // So that it is over by far, and not by a buffer that comes and goes.
    server.ask(&["CONFIG", "SET", "maxmemory", "4mb"]);
    let later = NewJob { due: Due::After(Duration::from_secs(9)), ..large(accepted, Due::Now) };
    let many: Vec<_> = (0..50).map(|number| large(accepted + number, Due::Now)).collect();
    for jobs in [&[later][..], &many] {
        assert_eq!(queue.enqueue(jobs, None).await.unwrap_err().class(), ErrorClass::Full);
    }
    assert_eq!(queue.redrive(&id("dead")).await.unwrap_err().class(), ErrorClass::Full);
    assert_eq!(queue.get(&id("dead")).await.unwrap().unwrap().attempts, 1, "it is where it was");
    let depth = queue.depth().await.unwrap();
    assert_eq!((depth.ready + depth.later, depth.running, depth.dead), (u64::from(accepted), 0, 1));

    let settlements = [retry(Duration::ZERO), Settlement::Defer { after: Duration::ZERO }, Settlement::Release];
    for settlement in settlements.into_iter().chain([retry(Duration::from_millis(1)), dead("never")]) {
        let asked = take(20);
        let taken = all(&queue, &asked).await;
        assert_eq!(taken.len(), 20);
        for taken in &taken {
            assert_eq!(queue.settle(&holder(&asked, taken), &settlement).await.unwrap(), Held::Yes);
        }
    }
    let mut done = 0;
    while queue.depth().await.unwrap().ready > 0 {
        let asked = take(64);
        for taken in all(&queue, &asked).await {
            assert_eq!(queue.settle(&holder(&asked, &taken), &ACK).await.unwrap(), Held::Yes);
            done += 1;
        }
    }
    assert_eq!(done + 20, accepted, "20 are dead");
    assert!(queue.redrive(&id("dead")).await.unwrap());
    accept(&queue, &many).await;
    spawn_blocking(move || drop(server)).await.unwrap();
}

/// IN-19: a queue whose server has no more memory is `Full`; when its consumer has made room 100 of 100 jobs are accepted
/// and done, and nothing was started again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn room_again() {
    let server = spawn_blocking(|| Server::start_with(Persistence::None, &[("maxmemory", "4mb")])).await.unwrap();
    let store = RedisStore::builder(&server.url()).accept_loss().connect().await.unwrap();
    let queue: Queue<Text, _> = Queue::redis("q", &store).build().unwrap();
    let calls = Arc::new(AtomicU32::new(0));
    let called = Arc::clone(&calls);
    let service = tower::service_fn(move |_: Delivery<Text>| {
        called.fetch_add(1, Ordering::Relaxed);
        async { Ok::<_, BoxError>(()) }
    });
    let consumer = Consumer::new(queue.clone()).service(service);
    let handle = consumer.handle();
    let (stop, stopped) = Shutdown::new();
    let running = tokio::spawn(consumer.run(stopped));
    queue.enqueue(Text(String::new())).await.unwrap();
    until("it is done", async || calls.load(Ordering::Relaxed) == 1).await;
    handle.pause();
    // The look that was under way.
    pass(Duration::from_millis(1_200)).await;
    let mut accepted = 1;
    let full = loop {
        match queue.enqueue(Text("x".repeat(20_000))).await {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert!(full.is_full() && accepted > 50, "{full}, after {accepted}");
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    handle.resume();
    until("there is room", async || queue.depth().await.unwrap() == Depth::default()).await;
    for _ in 0..100 {
        queue.enqueue(Text("y".repeat(1_000))).await.unwrap();
    }
    until("all are done", async || calls.load(Ordering::Relaxed) == accepted + 100).await;
    stop.fire();
    running.await.unwrap().unwrap();
    assert_eq!(queue.depth().await.unwrap(), Depth::default());
    spawn_blocking(move || drop(server)).await.unwrap();
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Text(String);

impl Job for Text {
    const KIND: &str = "text";
}
