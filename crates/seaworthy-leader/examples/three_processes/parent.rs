//! Starts the processes, does to them what happens to processes, and looks at what they have left in the file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use seaworthy::BoxError;
use seaworthy_leader::sqlite::{Sqlite, SqliteStore};
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Executor, query_as, query_scalar};

use super::worker::{NOW_MS, connect, settings};

const LEADS: Duration = Duration::from_secs(4);
const TTL: Duration = Duration::from_secs(3);

/// What is ticked, and what has become of it, in the order in which it was accepted.
const TABLES: &str = "
CREATE TABLE my_table (id text PRIMARY KEY, data text, epoch integer NOT NULL);
INSERT INTO my_table VALUES ('guarded', '', 0), ('fenced', '', 0);
CREATE TABLE accepted (number integer PRIMARY KEY, id text NOT NULL, epoch integer NOT NULL, at integer NOT NULL);
CREATE TRIGGER accepts AFTER UPDATE ON my_table BEGIN
    INSERT INTO accepted (id, epoch, at) VALUES (new.id, new.epoch, now_ms);
END;
CREATE TABLE term (epoch integer PRIMARY KEY, worker text NOT NULL, began integer NOT NULL);
CREATE TABLE refused (epoch integer NOT NULL, worker text NOT NULL, at integer NOT NULL);";

struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// Ends with this value, and by itself if this process is killed: its input ends then. It is in a process group of its
/// own, so that the system continues it, and so ends it, if the parent dies while it is stopped.
struct Worker {
    name: &'static str,
    child: Child,
}

impl Worker {
    fn start(file: &Path, name: &'static str) -> Result<Worker, BoxError> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(file).arg(name).stdin(Stdio::piped());
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        Ok(Worker { name, child: command.spawn()? })
    }

    fn send(&self, signal: Signal) -> Result<(), BoxError> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// A stretch of leadership: epoch, worker, and when it began.
type TermRow = (i64, String, i64);

struct Observed {
    connection: SqliteConnection,
    start: i64,
    bound: Duration,
    is_late: bool,
}

impl Observed {
    async fn now(&mut self) -> Result<i64, BoxError> {
        let now = AssertSqlSafe(format!("SELECT {NOW_MS}"));
        Ok(query_scalar(now).fetch_one(&mut self.connection).await?)
    }

    fn seconds(&self, at: i64) -> String {
        format!("{:.2}", Duration::from_millis(u64::try_from(at - self.start).unwrap_or(0)).as_secs_f64())
    }

    /// Waits for a term above this epoch.
    async fn term_after(&mut self, epoch: i64) -> Result<TermRow, BoxError> {
        let newer = "SELECT epoch, worker, began FROM term WHERE epoch > $1 ORDER BY epoch LIMIT 1";
        for _ in 0..600 {
            if let Some(term) = query_as(newer).bind(epoch).fetch_optional(&mut self.connection).await? {
                return Ok(term);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("nobody leads for 30 s".into())
    }

    /// Waits for who takes over from a leader that something happened to at that time.
    async fn takeover(&mut self, what: &str, at: i64, old: &TermRow) -> Result<TermRow, BoxError> {
        let next = self.term_after(old.0).await?;
        let took = Duration::from_millis(u64::try_from(next.2 - at).unwrap_or(0));
        let (from, to, bound) = (&old.1, &next.1, self.bound);
        println!("{:>8} s  {from} {what}; {to} leads {took:?} later, the bound is {bound:?}", self.seconds(at));
        self.is_late |= took > bound;
        Ok(next)
    }
}

pub async fn run() -> Result<(), BoxError> {
    let directory = Directory(std::env::temp_dir().join(format!("seaworthy-three-processes-{}", std::process::id())));
    fs::create_dir(&directory.0)?;
    let file = directory.0.join("leader.db");
    let store = SqliteStore::open(&file).await?;
    Sqlite::new(&store).migrate().await?;
    let bound = settings(&store).failover_bound();
    let mut connection = connect(&file).await?;
    connection.execute(AssertSqlSafe(TABLES.replace("now_ms", NOW_MS))).await?;
    let mut observed = Observed { connection, start: 0, bound, is_late: false };
    observed.start = observed.now().await?;

    let mut workers = Vec::new();
    for name in ["one", "two", "three"] {
        workers.push(Worker::start(&file, name)?);
    }
    let mut take = |term: &TermRow| {
        let place = workers.iter().position(|worker| worker.name == term.1);
        place.map(|place| workers.swap_remove(place)).ok_or_else(|| format!("{} leads, and is gone", term.1))
    };

    let first = observed.term_after(0).await?;
    tokio::time::sleep(LEADS).await;
    let killed = observed.now().await?;
    drop(take(&first)?);
    let second = observed.takeover("was killed", killed, &first).await?;

    tokio::time::sleep(LEADS).await;
    let stopped = take(&second)?;
    // Under the lock of the file, so that the one that is stopped does not have it: nobody could write then.
    observed.connection.execute("BEGIN IMMEDIATE").await?;
    let at = observed.now().await?;
    stopped.send(Signal::STOP)?;
    observed.connection.execute("ROLLBACK").await?;
    let third = observed.takeover("was stopped", at, &second).await?;
    tokio::time::sleep(TTL).await;
    let at = observed.now().await?;
    println!("{:>8} s  {} goes on", observed.seconds(at), second.1);
    stopped.send(Signal::CONT)?;

    tokio::time::sleep(LEADS).await;
    let ended = observed.now().await?;
    let mut ending = take(&third)?;
    drop(ending.child.stdin.take());
    let ends_well = tokio::task::spawn_blocking(move || ending.child.wait());
    observed.takeover("was told to end", ended, &third).await?;
    if !ends_well.await??.success() {
        return Err("it did not end well".into());
    }
    tokio::time::sleep(LEADS).await;
    drop(stopped);
    report(&mut observed).await
}

async fn report(observed: &mut Observed) -> Result<(), BoxError> {
    println!("\nwho led, and what it wrote:");
    let terms = "SELECT term.epoch, worker, began, max(began, max(at)), count(*)
        FROM term JOIN accepted ON accepted.epoch = term.epoch GROUP BY term.epoch ORDER BY term.epoch";
    let terms: Vec<(i64, String, i64, i64, i64)> = query_as(terms).fetch_all(&mut observed.connection).await?;
    for (epoch, worker, from, to, ticks) in terms {
        let (from, to) = (observed.seconds(from), observed.seconds(to));
        println!("  epoch {epoch}: {worker:<5} from {from:>6} s to {to:>6} s, {ticks} writes");
    }
    let refused: Vec<TermRow> =
        query_as("SELECT epoch, worker, at FROM refused").fetch_all(&mut observed.connection).await?;
    for (epoch, worker, at) in &refused {
        println!("  refused: a write of {worker} with epoch {epoch}, at {} s", observed.seconds(*at));
    }
    let older = "SELECT count(*) FROM accepted AS later JOIN accepted AS earlier USING (id)
        WHERE earlier.number < later.number AND earlier.epoch > later.epoch";
    let older: i64 = query_scalar(older).fetch_one(&mut observed.connection).await?;
    match (older, refused.len(), observed.is_late) {
        (0, 1.., false) => Ok(()),
        (1.., ..) => Err(format!("{older} times an older epoch was accepted after a newer one").into()),
        (_, 0, _) => Err("nothing was refused".into()),
        _ => Err("a takeover took longer than the bound".into()),
    }
}
