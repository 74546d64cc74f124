use std::time::Duration;

use bytes::Bytes;
use seaworthy_faults::redis::Prefix;
use seaworthy_queue::postgres::{Postgres, migrate};
use seaworthy_queue::redis::{Redis, RedisStore};
use seaworthy_queue::store::{Due, Holder, NewJob, QueueStore, Settlement, Take};
use seaworthy_queue::{Headers, JobId};
use tokio::task::spawn_blocking;

use crate::space::Space;
use crate::tool::{Code, run};

async fn asked(store: &str, queue: &str, words: &[&str]) -> (Code, String) {
    let arguments: Vec<String> = [store, queue].iter().chain(words).map(|word| (*word).to_owned()).collect();
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let code = run(&arguments, &mut out, &mut errors).await;
    assert_eq!(code == Code::Done, !String::from_utf8_lossy(&errors).contains("dead_letters: "), "{errors:?}");
    (code, String::from_utf8(out).unwrap())
}

/// Four dead jobs of two kinds, one of them without a body that can be read.
async fn judged<S: QueueStore>(engine: &S, store: &str, queue: &str) {
    for (number, body) in ["{\"cents\":1}", "not json", "7", "8"].into_iter().enumerate() {
        let id = JobId::new(&format!("j{number}")).unwrap();
        let (headers, body) = (Headers::default(), Bytes::from_static(body.as_bytes()));
        let kind = format!("kind-{}", number % 2).into();
        engine.enqueue(&[NewJob { id, kind, version: 1, headers, body, due: Due::Now }], None).await.unwrap();
        let take = Take { owner: 7, repeats: false, room: 1, visibility: Duration::from_secs(60), max_deliveries: 5 };
        let taken = engine.receive(&take, Duration::ZERO).await.unwrap().jobs.pop().unwrap();
        let holder = Holder { id: taken.id, owner: take.owner, fence: taken.fence };
        let reason = Settlement::Dead { reason: "no luck".into() };
        assert!(engine.settle(&holder, &reason).await.unwrap().is_yes());
    }
    let (code, out) = asked(store, queue, &["list"]).await;
    assert_eq!((code, out.lines().count()), (Code::Done, 4), "{out}");
    let (code, out) = asked(store, queue, &["show", "j1", "nobody"]).await;
    assert!(code == Code::Failed && out.contains("8 bytes that are no JSON: not json"), "{out}");
    assert_eq!(asked(store, queue, &["drop", "j1"]).await.0, Code::Done);
    assert_eq!(asked(store, queue, &["redrive", "j0", "j1"]).await, (Code::Failed, "j0 is back in the queue\n".into()));
    let (code, out) = asked(store, queue, &["redrive", "--all", "--per-second", "100"]).await;
    assert_eq!((code, &*out), (Code::Done, "2 are back in the queue\n"));
    let depth = engine.depth().await.unwrap();
    assert_eq!((depth.ready, depth.dead), (3, 0));
}

/// QU-43: the tool does to dead letters in Postgres and in Redis what it does to those in a file.
#[tokio::test]
async fn on_servers() {
    let space = Space::empty().await;
    let store = space.store().await;
    migrate(&store).await.unwrap();
    judged(&Postgres::new("q", &store), &space.url(), "q").await;
    store.close().await;

    let prefix = spawn_blocking(Prefix::new).await.unwrap();
    let (url, name) = (prefix.url().to_owned(), prefix.key("q"));
    let store = RedisStore::builder(&url).accept_loss().connect().await.unwrap();
    judged(&Redis::new(&name, &store), &url, &name).await;
    spawn_blocking(move || drop(prefix)).await.unwrap();
}
