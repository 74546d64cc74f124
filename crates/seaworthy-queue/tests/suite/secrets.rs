//! What nobody is to read in a log.

use std::error::Error;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use seaworthy::observe::Interest;
use seaworthy::{BoxError, Shutdown};
use seaworthy_queue::store::{DeadLetters, Due, NewJob, Producer, Settlement, Source, Take};
use seaworthy_queue::{Consumer, Delivery, EnqueueRequest, Headers, Job, JobId, Memory, Queue};
use tower::service_fn;

use crate::events::Told;

/// In each body, in each value of a header, and in each password.
const SECRET: &str = "hunter2";

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Secret {
    word: String,
}

impl Job for Secret {
    const KIND: &str = "secret";
}

fn secret() -> Secret {
    Secret { word: SECRET.to_owned() }
}

fn headers() -> Headers {
    let mut headers = Headers::default();
    headers.insert("authorization", SECRET).unwrap();
    headers
}

fn id(text: &str) -> JobId {
    JobId::new(text).unwrap()
}

fn raw(name: &str, kind: &str, body: &str) -> NewJob {
    let body = Bytes::copy_from_slice(body.as_bytes());
    NewJob { id: id(name), kind: kind.into(), version: 1, headers: headers(), body, due: Due::Now }
}

/// All that was shown.
#[derive(Clone, Default)]
struct Shown(Arc<Mutex<Vec<String>>>);

impl Shown {
    fn debug(&self, value: &impl Debug) {
        self.0.lock().unwrap().extend([format!("{value:?}"), format!("{value:#?}")]);
    }

    /// An error, with all that it came from.
    fn error(&self, error: &(dyn Error + 'static)) {
        let mut next = Some(error);
        while let Some(error) = next {
            self.0.lock().unwrap().extend([format!("{error:?}"), error.to_string()]);
            next = error.source();
        }
    }

    fn judge(&self, least: usize) {
        let all = self.0.lock().unwrap();
        assert!(all.len() >= least, "{}", all.len());
        let telling: Vec<_> = all.iter().filter(|text| text.contains(SECRET)).collect();
        assert!(telling.is_empty(), "{telling:#?}");
    }
}

/// SE-06, CO-24: what is in a body or a header is shown by nothing that a job is in, from its request to its death; ids,
/// kinds, and the names of headers are, and how long the rest is.
#[tokio::test(start_paused = true)]
async fn of_values() {
    let shown = Shown::default();
    let request = EnqueueRequest::new(secret()).headers(headers()).id(id("a"));
    shown.debug(&request);
    shown.debug(&headers());
    let text = format!("{:?}", raw("a", "secret", SECRET));
    for part in ["\"secret\"", "authorization", "body: 7 bytes"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    shown.debug(&raw("a", "secret", SECRET));
    let store = Memory::default();
    store.enqueue(&[raw("a", "secret", SECRET)], None).await.unwrap();
    let visibility = Duration::from_secs(60);
    let take = Take { owner: 1, repeats: false, room: 1, visibility, max_deliveries: 5 };
    let received = store.receive(&take, Duration::ZERO).await.unwrap();
    shown.debug(&received);
    let taken = &received.jobs[0];
    assert_eq!((&*taken.body, taken.headers.get("authorization")), (SECRET.as_bytes(), Some(SECRET)), "it is there");
    let holder = seaworthy_queue::store::Holder { id: id("a"), owner: 1, fence: taken.fence };
    shown.debug(&holder);
    assert!(store.settle(&holder, &Settlement::Dead { reason: "over".into() }).await.unwrap().is_yes());
    let queue = Queue::<Secret, _>::with_store("steps", store.clone());
    shown.debug(&queue);
    let queue = queue.build().unwrap();
    shown.debug(&queue);
    shown.debug(&queue.dead());
    let page = queue.dead().list(None).await.unwrap();
    assert_eq!(&*page.jobs[0].body, SECRET.as_bytes(), "it is there");
    shown.debug(&page);
    shown.debug(&store.get(&id("a")).await.unwrap());
    shown.debug(&Consumer::new(queue));
    shown.debug(&store);
    shown.judge(22);
}

/// SE-06, CO-24: nor is it in an error, a reason, or anything that an observer is told, whatever becomes of the job.
#[tokio::test(start_paused = true)]
async fn of_a_life() {
    let (shown, told, store) = (Shown::default(), Told::default(), Memory::default());
    let queue = Queue::<Secret, _>::with_store("steps", store.clone()).max_payload(64).max_len(20);
    let queue = queue.keep_dead(Duration::from_secs(3_600)).observer(told.observer(Interest::Calls)).build().unwrap();
    for (name, kind, body) in [
        ("good", "secret", format!("{{\"word\":\"{SECRET}\"}}")),
        ("other", "password", format!("\"{SECRET}\"")),
        ("text", "secret", SECRET.to_owned()),
        ("shape", "secret", format!("\"{SECRET}\"")),
        ("value", "secret", format!("{{\"word\":[\"{SECRET}\"]}}")),
        ("field", "secret", format!("{{\"{SECRET}\":1}}")),
    ] {
        store.enqueue(&[raw(name, kind, &body)], None).await.unwrap();
    }
    let (stop, stopped) = Shutdown::new();
    let seen = shown.clone();
    let service = service_fn(move |delivery: Delivery<Secret>| {
        seen.debug(&delivery);
        seen.debug(delivery.meta());
        assert_eq!(delivery.into_parts().0.word, SECRET, "it is there");
        async { Err::<(), BoxError>("as the test wants it".into()) }
    });
    let running = tokio::spawn(Consumer::new(queue.clone()).service(service).run(stopped));
    tokio::time::sleep(Duration::from_secs(600)).await;
    let dead = queue.dead().list(None).await.unwrap().jobs;
    assert_eq!(dead.len(), 6);
    dead.iter().for_each(|job| shown.0.lock().unwrap().push(job.reason.to_string()));
    assert_eq!(queue.dead().redrive_all(10).await.unwrap(), 6);
    stop.fire();
    running.await.unwrap().unwrap();
    let lines = told.lines();
    assert!(lines.len() > 20, "{}", lines.len());
    lines.iter().for_each(|line| shown.debug(line));

    let long = |word: &str| EnqueueRequest::new(Secret { word: word.repeat(20) });
    shown.error(&queue.enqueue(long(SECRET)).await.unwrap_err());
    let mut headers = Headers::default();
    shown.error(&headers.insert("authorization", &SECRET.repeat(200)).unwrap_err());
    shown.error(&headers.insert("authorization", &format!("{SECRET}\n")).unwrap_err());
    let late = EnqueueRequest::new(secret()).headers(headers).after(Duration::MAX);
    shown.error(&queue.enqueue(late).await.unwrap_err());
    let twice = || EnqueueRequest::new(secret()).id(id("twice"));
    shown.error(&queue.enqueue_many([twice(), twice()]).await.unwrap_err());
    let many = (0..30).map(|_| EnqueueRequest::new(secret()));
    let error = queue.enqueue_many(many).await.unwrap_err();
    assert!(error.is_full(), "{error}");
    shown.error(&error);
    shown.judge(100);
}

/// SE-06, CO-24: what a URL has in it is in no error and no Debug, whether it can be read or not; nobody listens there.
#[cfg(any(feature = "postgres", feature = "redis"))]
#[tokio::test]
async fn of_urls() {
    let shown = Shown::default();
    for rest in ["127.0.0.1:1/jobs", "127.0.0.1:none/jobs", "[/jobs", "127.0.0.1:1/jobs?unknown=hunter2"] {
        #[cfg(feature = "redis")]
        {
            use seaworthy_queue::redis::RedisStore;
            let url = format!("redis://{SECRET}:{SECRET}@{rest}");
            shown.debug(&RedisStore::builder(&url));
            let builder = RedisStore::builder(&url).request_timeout(Duration::from_millis(200));
            shown.error(&builder.connect().await.unwrap_err());
        }
        #[cfg(feature = "postgres")]
        {
            use seaworthy_queue::postgres::PgStore;
            let url = format!("postgres://{SECRET}:{SECRET}@{rest}");
            shown.debug(&PgStore::builder(&url));
            let builder = PgStore::builder(&url).request_timeout(Duration::from_millis(200));
            shown.error(&builder.connect().await.unwrap_err());
        }
    }
    shown.judge(16);
}
