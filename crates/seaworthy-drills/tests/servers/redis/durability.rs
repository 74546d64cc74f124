use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use seaworthy_faults::redis::{Persistence, Redis as Server};
use seaworthy_queue::ErrorClass;
use seaworthy_queue::redis::{Durability, Redis, RedisStore};
use seaworthy_queue::store::{Entry, Producer};
use tokio::task::{JoinSet, spawn_blocking};

use super::support::{all_of, job, pass, with};

async fn start(persistence: Persistence, settings: &'static [(&str, &str)]) -> Server {
    spawn_blocking(move || Server::start_with(persistence, settings)).await.unwrap()
}

/// QU-69: what the server keeps is asked at connect; what loses jobs in a restart is refused by its name, unless that is
/// accepted.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_keeps() {
    for (persistence, durability, refused) in [
        (Persistence::Always, Durability::OnDisk, None),
        (Persistence::EverySec, Durability::EverySecond, None),
        (Persistence::Rdb, Durability::Snapshots, Some("appendonly no")),
        (Persistence::None, Durability::Memory, Some("save \"\"")),
    ] {
        let server = start(persistence, &[]).await;
        match (RedisStore::connect(&server.url()).await, refused) {
            (Ok(store), None) => assert_eq!(store.durability(), durability),
            (Err(error), Some(setting)) => {
                assert_eq!(error.class(), ErrorClass::Refused);
                assert!(error.to_string().contains(setting), "{error}");
            }
            (other, _) => panic!("{durability}: {other:?}"),
        }
        let store = RedisStore::builder(&server.url()).accept_loss().connect().await.unwrap();
        assert_eq!(store.durability(), durability);
        spawn_blocking(move || drop(server)).await.unwrap();
    }
}

/// QU-69: where CONFIG is forbidden it is unknown, and goes on. QU-70: an eviction policy is seen nevertheless.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_does_not_say() {
    let server = start(Persistence::None, &[]).await;
    server.ask(&["ACL", "SETUSER", "app", "on", ">word", "~*", "+@all", "-config"]);
    let url = format!("redis://app:word@{}/", server.addr());
    let store = RedisStore::connect(&url).await.unwrap();
    assert_eq!(store.durability(), Durability::Unknown);
    server.ask(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    let error = RedisStore::connect(&url).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Refused);
    assert!(error.to_string().contains("allkeys-lru"), "{error}");
    server.ask(&["CONFIG", "SET", "maxmemory-policy", "volatile-lru"]);
    RedisStore::connect(&url).await.unwrap();
    spawn_blocking(move || drop(server)).await.unwrap();
}

/// CO-24: a password is in no error and in no Debug, also one that is wrong, or in a URL that cannot be read.
#[tokio::test(flavor = "multi_thread")]
async fn no_password_is_shown() {
    let server = start(Persistence::Always, &[("requirepass", "right-word")]).await;
    let refused = async |url: &str| {
        let error = RedisStore::connect(url).await.unwrap_err();
        let shown = format!("{} {:?}", all_of(&error), RedisStore::builder(url));
        assert_eq!(error.class(), ErrorClass::Refused, "{error}");
        assert!(!shown.contains("word"), "{shown}");
    };
    let addr = server.addr();
    refused(&format!("redis://:wrong-word@{addr}/")).await;
    refused(&format!("redis://{addr}/")).await;
    refused(&format!("redis://:some-word@{addr}/not-a-number")).await;
    refused("redis//:some-word@x").await;
    let store = RedisStore::connect(&format!("redis://:right-word@{addr}/")).await.unwrap();
    let shown = format!("{store:?} {:#?}", Redis::new("q", &store));
    assert!(!shown.contains("word"), "{shown}");
    spawn_blocking(move || drop(server)).await.unwrap();
}

/// Kills it while eight enqueue. How many were accepted, and how many of them are lost.
async fn killed_under_load(persistence: Persistence) -> (usize, usize) {
    let server = start(persistence, &[]).await;
    let store = RedisStore::builder(&server.url()).accept_loss().connect().await.unwrap();
    let queue = Redis::new("q", &store);
    let stop = Arc::new(AtomicBool::new(false));
    let mut producers = JoinSet::new();
    for producer in 0..8 {
        let (queue, stop) = (queue.clone(), Arc::clone(&stop));
        producers.spawn(async move {
            let mut accepted = Vec::new();
            for number in 0.. {
                let job = job(&format!("{producer}-{number}"));
                match queue.enqueue(std::slice::from_ref(&job), None).await {
                    Ok(entries) => assert_eq!(entries, [Entry::Accepted]),
                    Err(error) => {
                        assert!(error.is_unavailable(), "{error}");
                        break;
                    }
                }
                accepted.push(job);
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
            accepted
        });
    }
    pass(Duration::from_millis(700)).await;
    let (server, ()) = with(server, Server::kill9).await;
    stop.store(true, Ordering::Relaxed);
    let accepted: Vec<_> = producers.join_all().await.into_iter().flatten().collect();
    let (server, ()) = with(server, Server::restart).await;
    let mut lost = 0;
    for jobs in accepted.chunks(500) {
        let entries = queue.enqueue(jobs, None).await.unwrap();
        lost += entries.iter().filter(|&&entry| entry == Entry::Accepted).count();
    }
    spawn_blocking(move || drop(server)).await.unwrap();
    (accepted.len(), lost)
}

/// QU-69: killed with -9 under load, what was accepted is there after a restart with `appendfsync always`, and is not
/// without persistence.
#[tokio::test(flavor = "multi_thread")]
async fn killed() {
    let (accepted, lost) = killed_under_load(Persistence::Always).await;
    println!("always: {lost} of {accepted} lost");
    assert!(accepted > 50, "{accepted}");
    assert_eq!(lost, 0);
    let (accepted, lost) = killed_under_load(Persistence::None).await;
    println!("none: {lost} of {accepted} lost");
    assert!(accepted > 50 && lost == accepted, "{lost} of {accepted}");
}
