//! Many jobs, and many connections that end.

use std::env;
use std::process::Command;

use seaworthy_queue::store::QueueStore;
use seaworthy_queue::{Consumer, EnqueueRequest, Queue};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::support::{Calls, Number, Running, SECOND, emptied, millis};

/// Names the child's store.
const STORE: &str = "SEAWORTHY_LEAKS_STORE";

/// Runs a test that is the whole of a process, because its file descriptors are counted.
pub(crate) async fn in_a_process(place: String, test: &'static str) {
    let child = spawn_blocking(move || {
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", test, "--ignored", "--nocapture"]).env(STORE, place).output().unwrap()
    });
    let child = child.await.unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said} {}", String::from_utf8_lossy(&child.stderr));
    for line in said.lines().filter(|line| line.contains(" reconnections")) {
        println!("{line}");
    }
}

/// The store of such a process.
pub(crate) fn place() -> String {
    env::var(STORE).unwrap()
}

/// What a process has.
#[derive(Clone, Copy, Debug)]
struct Has {
    connections: u64,
    descriptors: u64,
    tasks: u64,
    kilobytes: u64,
}

fn has(connections: u64) -> Has {
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().count();
    let tasks = Handle::current().metrics().num_alive_tasks();
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = pages.split(' ').nth(1).unwrap().parse().unwrap();
    let count = |count: usize| u64::try_from(count).unwrap();
    Has { connections, descriptors: count(descriptors), tasks: count(tasks), kilobytes: pages * 4 }
}

/// After so many jobs and so many connections that were ended there are as many connections, file descriptors and tasks
/// as before, and no more memory by a twentieth. `end_all` ends all connections of the store, and says how many.
pub(crate) async fn none<S: QueueStore>(
    store: S,
    (jobs, reconnections): (u64, u64),
    end_all: impl AsyncFn() -> u64,
    connections: impl AsyncFn() -> u64,
) {
    let queue: Queue<Number, S> = Queue::with_store("leaks", store.clone()).request_timeout(SECOND).build().unwrap();
    let calls = Calls::default();
    let consumer = Consumer::new(queue.clone()).visibility(5 * SECOND);
    let running = Running::start(consumer.service(calls.noted(|_, _| async { Ok(()) })));
    let work = async |jobs: u64| {
        for from in (0..jobs).step_by(100) {
            let batch = (from..jobs.min(from + 100)).map(|number| EnqueueRequest::new(Number(number)));
            queue.enqueue_many(batch).await.unwrap();
        }
        emptied(&store).await;
    };
    let reconnect = async |times: u64| {
        let mut ended = 0;
        while ended < times {
            ended += end_all().await;
            // One is told what has become of its connection, the next has another.
            let mut failed = 0;
            while store.depth().await.is_err() {
                failed += 1;
                assert!(failed < 50, "a connection that was ended is used again");
                tokio::time::sleep(millis(2)).await;
            }
        }
        ended
    };
    work(jobs / 4).await;
    reconnect(reconnections / 4).await;
    work(jobs / 4).await;
    tokio::time::sleep(millis(500)).await;
    let before = has(connections().await);
    work(jobs / 4).await;
    let ended = reconnect(reconnections).await;
    work(jobs * 3 / 4).await;
    let mut after = before;
    for _ in 0..100 {
        tokio::time::sleep(millis(50)).await;
        after = has(connections().await);
        if is_near(before.connections, after.connections) && is_near(before.tasks, after.tasks) {
            break;
        }
    }
    println!("{} jobs, {ended} reconnections: {before:?}, then {after:?}", calls.len());
    assert!(calls.len() as u64 >= jobs + jobs / 2 && ended >= reconnections);
    assert!(is_near(before.connections, after.connections), "{before:?} {after:?}");
    assert!(is_near(before.descriptors, after.descriptors), "{before:?} {after:?}");
    assert!(is_near(before.tasks, after.tasks), "{before:?} {after:?}");
    // A page here and there is the allocator's.
    assert!(after.kilobytes <= before.kilobytes * 21 / 20 + 512, "{before:?} {after:?}");
    running.end().await;
}

fn is_near(one: u64, other: u64) -> bool {
    one.abs_diff(other) <= 2
}
