//! A holder that is a process, and is stopped.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use seaworthy_queue::store::{Held, QueueStore};

use super::stale::{Operation, untouched};
use super::support::{LONG, accept, holder, millis, one, take};

/// Names the child's store.
const STORE: &str = "SEAWORTHY_STALE_STORE";

const HOLDS: &str = "holds all of them";

/// A process of its own takes a job for each operation, and is stopped until they are somebody else's; it is told to go on
/// while it stands. All that it asks for then is refused. `holds` is the test that is what the process does. How many
/// were refused.
pub(crate) async fn refused<S: QueueStore>(new: &S, url: &str, holds: &str, lease: Duration) -> usize {
    for number in 0..Operation::ALL.len() {
        accept(new, &format!("job-{number}")).await;
    }
    let mut process = Process(
        Command::new(env::current_exe().unwrap())
            .args(["--exact", holds, "--ignored", "--nocapture"])
            .env(STORE, url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains(HOLDS)), "it ended before");
    process.signal("-STOP");
    process.0.stdin.take().unwrap().write_all(b"go on\n").unwrap();
    tokio::time::sleep(lease).await;
    let mut owned = Vec::new();
    for _ in Operation::ALL {
        let (held, taken) = one(new, LONG).await;
        assert_eq!((taken.attempt, taken.abandoned), (2, 1), "{}", taken.id);
        owned.push(held);
    }
    process.signal("-CONT");
    let said: Vec<String> = lines.map(Result::unwrap).filter(|line| line.contains("was ")).collect();
    assert!(process.0.wait().unwrap().success(), "{said:?}");
    // One at a time, so that what is left over of one is not taken for another's.
    let (last, others) = owned.split_last().unwrap();
    for held in others {
        assert_eq!(Operation::Ack.ask(new, held).await.unwrap(), Held::Yes);
    }
    untouched(new, last).await;
    said.iter().filter(|line| line.ends_with("was refused")).count()
}

/// What the process does. Nothing, unless it was started by [`refused`].
pub(crate) async fn hold<S: QueueStore>(open: impl AsyncFnOnce(&str) -> S, lease: Duration) {
    let store = open(&env::var(STORE).unwrap()).await;
    let room = u32::try_from(Operation::ALL.len()).unwrap();
    let asked = take(room, lease);
    let jobs = store.receive(&asked, Duration::ZERO).await.unwrap().jobs;
    assert_eq!(jobs.len(), Operation::ALL.len());
    println!("{HOLDS}");
    let mut told = String::new();
    std::io::stdin().read_line(&mut told).unwrap();
    for (operation, taken) in Operation::ALL.into_iter().zip(&jobs) {
        let held = operation.ask(&store, &holder(&asked, taken)).await.unwrap();
        println!("{operation:?} was {}", if held.is_yes() { "obeyed" } else { "refused" });
    }
}

struct Process(Child);

impl Process {
    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
        std::thread::sleep(millis(50));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It is gone already, unless the test has failed.
        let _gone = (self.0.kill(), self.0.wait());
    }
}
