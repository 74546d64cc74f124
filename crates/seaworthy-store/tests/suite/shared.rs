//! What needs no store.

use std::collections::HashSet;
use std::error::Error;
use std::time::Duration;

use seaworthy_store::process_name::process_name;
use seaworthy_store::retry_wait::RetryWait;
use seaworthy_store::tasks::Tasks;
use seaworthy_store::time::{now, sleep};
use seaworthy_store::{ErrorClass, StoreError, TableNames, limit};
use tokio::runtime::Handle;

/// CO-13: a request that never ends is given up at its limit, as unavailable; one that ends in time is not.
#[tokio::test(start_paused = true)]
async fn co_13_a_limit() {
    let limit = Duration::from_secs(2);
    let begun = now();
    let error = limit::within(limit, "claim", std::future::pending::<Result<(), _>>()).await.unwrap_err();
    assert_eq!((error.class(), error.asked(), begun.elapsed()), (ErrorClass::Unavailable, "claim", limit));
    assert_eq!(error.to_string(), "claim: the store is unavailable: no answer within 2s");
    let slow = async {
        sleep(limit - Duration::from_millis(1)).await;
        Ok(7)
    };
    assert_eq!(limit::within(limit, "claim", slow).await.unwrap(), 7);
}

/// CO-14: an error says what was asked, its class and why, and its source is the driver's.
#[test]
fn co_14_texts() {
    let cases = [
        (ErrorClass::Unavailable, "renew: the store is unavailable: gone"),
        (ErrorClass::Refused, "renew: the store is not usable: gone"),
        (ErrorClass::Corrupt, "renew: the store is corrupt: gone"),
        (ErrorClass::Full, "renew: the store is full: gone"),
    ];
    for (class, text) in cases {
        let error = StoreError::new(class, "renew", "gone");
        assert_eq!((error.to_string().as_str(), error.is_unavailable()), (text, class == ErrorClass::Unavailable));
        assert!(error.source().is_none());
        let caused = error.caused_by(std::io::Error::other("deeper"));
        assert_eq!((caused.to_string().as_str(), caused.source().unwrap().to_string().as_str()), (text, "deeper"));
    }
}

/// CO-15: a loop that meets errors at once asks at most 40 times a minute, whatever it does.
#[tokio::test(start_paused = true)]
async fn co_15_no_spin() {
    for _ in 0..20 {
        let (mut wait, begun, mut asked) = (RetryWait::default(), now(), 0);
        while begun.elapsed() < Duration::from_secs(60) {
            asked += 1;
            let wait = wait.after_error();
            assert!(wait >= Duration::from_millis(25) && wait <= Duration::from_secs(5));
            sleep(wait).await;
        }
        assert!((12..=40).contains(&asked), "{asked}");
    }
}

/// CO-15: 30 s without an error, and it begins anew; less, and it does not. A cap of one's own is kept to.
#[tokio::test(start_paused = true)]
async fn co_15_begins_anew() {
    let mut wait = RetryWait::default();
    let grow = |wait: &mut RetryWait| (0..10).map(|_| wait.after_error()).max().unwrap();
    assert!(grow(&mut wait) > Duration::from_secs(1));
    sleep(Duration::from_secs(29)).await;
    assert!(wait.after_error() > Duration::from_secs(1));
    sleep(Duration::from_secs(5 + 30)).await;
    assert!(wait.after_error() <= Duration::from_millis(100));
    let cap = Duration::from_millis(500);
    assert!(grow(&mut RetryWait::up_to(cap)) <= cap);
}

/// CO-16, CO-17: what was spawned is counted until it has ended, whether it returns, panics or is never begun.
#[tokio::test(start_paused = true)]
async fn co_17_counted() {
    let tasks = Tasks::default();
    tasks.idle().await;
    let runtime = Handle::current();
    tasks.spawn(&runtime, sleep(Duration::from_secs(3)));
    tasks.clone().spawn_apart(&runtime, async { panic!("of the work") });
    assert_eq!(tasks.running(), 2);
    let begun = now();
    tasks.idle().await;
    assert_eq!((tasks.running(), begun.elapsed()), (0, Duration::from_secs(3)));
    let gone = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let handle = gone.handle().clone();
    gone.shutdown_background();
    tasks.spawn(&handle, async {});
    tasks.spawn_apart(&handle, async {});
    tasks.idle().await;
}

/// CO-17: work that is spawned apart begins although its spawner blocks its thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "a thread is blocked for real")]
async fn co_17_apart() {
    let (begun, seen) = std::sync::mpsc::channel();
    let blocked = tokio::spawn(async move {
        Tasks::default().spawn_apart(&Handle::current(), async move { begun.send(()).unwrap() });
        std::thread::sleep(Duration::from_millis(100));
        seen.try_recv().is_ok()
    });
    assert!(blocked.await.unwrap());
}

/// CO-17: it begins although all threads for work that blocks are taken, too.
#[test]
fn co_17_apart_from_what_blocks() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).max_blocking_threads(1).build().unwrap();
    let (free, wait) = std::sync::mpsc::channel::<()>();
    runtime.spawn_blocking(move || wait.recv());
    let (begun, seen) = std::sync::mpsc::channel();
    Tasks::default().spawn_apart(runtime.handle(), async move { begun.send(()).unwrap() });
    assert!(seen.recv_timeout(Duration::from_secs(10)).is_ok());
    drop(free);
}

/// CO-19: tables have checked names; nothing else is ever put into a statement.
#[test]
fn co_19_names() {
    let names = TableNames::default();
    assert_eq!(names.fill("SELECT 1 FROM {p}ledger"), "SELECT 1 FROM seaworthy_ledger");
    let moved = names.clone().schema("app_1").unwrap().prefix("_jobs_").unwrap();
    assert_eq!(moved.fill("CREATE INDEX {i}a ON {p}b"), "CREATE INDEX _jobs_a ON app_1._jobs_b");
    assert_eq!((moved.schema_name(), names.schema_name()), (Some("app_1"), None));
    for wrong in ["", "A", "a-b", "a b", "a;b", "\"a\"", "é", "1a", &"a".repeat(41)] {
        let error = names.clone().prefix(wrong).unwrap_err();
        assert_eq!((error.field(), error.value()), ("prefix", format!("{wrong:?}").as_str()));
        assert_eq!(names.clone().schema(wrong).unwrap_err().field(), "schema");
    }
    assert!(names.prefix(&"a".repeat(40)).is_ok());
}

/// CO-25: a process has a name for rows and logs, short, in one line, and new each time.
#[test]
fn co_25_process_name() {
    let names: HashSet<String> = (0..100).map(|_| process_name()).collect();
    assert_eq!(names.len(), 100);
    for name in names {
        assert!(name.len() <= 80 && !name.chars().any(char::is_control), "{name}");
        let mut parts = name.rsplitn(3, '-');
        let (hex, pid) = (parts.next().unwrap(), parts.next().unwrap());
        assert!(hex.len() == 8 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(pid, std::process::id().to_string());
        assert!(!parts.next().unwrap().is_empty());
    }
}
