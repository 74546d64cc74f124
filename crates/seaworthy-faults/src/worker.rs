//! Processes that work, and that a test kills, stops and waits for.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};

use crate::clock;
use crate::guard::{self, Ending, Guard};
use crate::journal::{Entry, Journal, Line, Writer};
use crate::table::{self, Row};

/// A directory for the journals of one test's workers. It is removed with this value.
#[derive(Debug)]
pub struct Journals {
    guard: Guard,
    own: Arc<Writer>,
    spawned: AtomicU64,
}

impl Journals {
    /// Makes the directory, and in it the test's own journal.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    #[expect(clippy::new_without_default, reason = "it makes a directory, which no default should do")]
    pub fn new() -> Journals {
        let guard = Guard::of_directory("journals");
        let own = Arc::new(Writer::open(&guard.directory().join("test.jsonl"), "test"));
        Journals { guard, own, spawned: AtomicU64::new(0) }
    }

    /// Where they are. There is room for other files of the test, which are removed with them.
    pub fn directory(&self) -> &Path {
        self.guard.directory()
    }

    /// Writes what the test itself does.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn write(&self, entry: Entry) {
        self.own.write(entry);
    }

    /// Reads what all have written until now.
    ///
    /// # Panics
    ///
    /// If a journal is broken.
    pub fn read(&self) -> Journal {
        Journal::read(self.directory()).unwrap_or_else(|error| panic!("journals: {error}"))
    }

    /// Waits until there is a line of which this is true, and returns the first.
    ///
    /// # Panics
    ///
    /// If there is none within the limit.
    pub fn wait_for(&self, limit: Duration, is_it: impl Fn(&Line) -> bool) -> Line {
        let until = Instant::now() + limit;
        loop {
            let journal = self.read();
            if let Some(line) = journal.lines().iter().find(|line| is_it(line)) {
                return line.clone();
            }
            let last = journal.lines().last();
            assert!(Instant::now() < until, "no such line within {limit:?}; the last of all is {last:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// A journal for one more process.
    fn next(&self, name: &str) -> PathBuf {
        let number = self.spawned.fetch_add(1, Ordering::Relaxed);
        self.directory().join(format!("{name}-{number}.jsonl"))
    }
}

/// A process of a test, which is killed with this value.
///
/// It is told where its journal is by `--journal=PATH --worker=NAME` after its own arguments; [`Writer::from_args`] and
/// [`Points::from_args`](crate::points::Points::from_args) read that. How it ended is written into the test's journal.
///
/// ```no_run
/// use std::time::Duration;
///
/// use seaworthy_faults::worker::{Journals, Worker};
///
/// let journals = Journals::new();
/// // In a test: env!("CARGO_BIN_EXE_drill-worker").
/// let worker = Worker::spawn("target/debug/drill-worker", "a", ["claim", "--die-at=after-claim"], &journals);
/// journals.wait_for(Duration::from_secs(10), |line| line.entry.is_note("claimed"));
/// worker.kill9();
/// ```
#[derive(Debug)]
pub struct Worker {
    name: String,
    row: Row,
    log: PathBuf,
    shared: Arc<Shared>,
    waiter: Option<JoinHandle<()>>,
    guard: Guard,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    ended: Condvar,
    journal: Arc<Writer>,
    name: String,
}

#[derive(Debug)]
struct State {
    child: Child,
    status: Option<ExitStatus>,
    /// When it was killed, which is before it was dead.
    killed_at: Option<Duration>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the process, and writes down when and how it ended.
    fn wait_for_end(&self, pid: Pid) {
        // Not waited for yet, its number stays its own. Until it is, a signal cannot reach anybody else.
        let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        let now = clock::now();
        let mut state = self.lock();
        let status = state.child.wait().unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let process = state.child.id();
        let ended = Entry::Ended { of: self.name.clone(), process, how: status.to_string() };
        self.journal.write_at(state.killed_at.map_or(now, |killed| killed.min(now)), ended);
        state.status = Some(status);
        drop(state);
        self.ended.notify_all();
    }
}

impl Worker {
    /// Starts a program under this name.
    ///
    /// # Panics
    ///
    /// If there is no such program.
    pub fn spawn(
        program: impl AsRef<Path>,
        name: &str,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
        journals: &Journals,
    ) -> Worker {
        let program = program.as_ref();
        assert!(program.is_file(), "no worker {}", program.display());
        let journal = journals.next(name);
        let log = journal.with_extension("log");
        let mut journal_arg = std::ffi::OsString::from("--journal=");
        journal_arg.push(&journal);
        let mut command = Command::new(program);
        command.args(args).arg(journal_arg).arg(format!("--worker={name}"));
        let file = File::create(&log).unwrap_or_else(|error| panic!("{}: {error}", log.display()));
        let copy = file.try_clone().expect("a file can be had twice");
        let mut waiting = guard::waiting(&command);
        waiting.stdout(file).stderr(copy);

        let mut guard = Guard::of_process();
        let child = guard.spawn(waiting, Ending::Kill);
        let pid = Pid::from_child(&child);
        let row = table::look(child.id()).unwrap_or(Row { pid: child.id(), parent: 0, state: 'S', began: 0 });
        let state = Mutex::new(State { child, status: None, killed_at: None });
        let journal = journals.own.clone();
        let shared = Arc::new(Shared { state, ended: Condvar::new(), journal, name: name.to_owned() });
        let waits = shared.clone();
        let waiter = thread::Builder::new().name(format!("seaworthy-{name}")).spawn(move || waits.wait_for_end(pid));
        let waiter = Some(waiter.unwrap_or_else(|error| panic!("no thread for a worker: {error}")));
        Worker { name: name.to_owned(), row, log, shared, waiter, guard }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.row.pid
    }

    /// What it has written to its standard output and error.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Kills it and waits until it is gone. If it is already, nothing happens.
    pub fn kill9(&self) -> ExitStatus {
        self.signal(Signal::KILL);
        self.wait_as_long_as_it_takes()
    }

    /// Stops it, and waits until it is: it does nothing more, its connections stay open, its leases run out.
    pub fn stop(&self) {
        self.signal(Signal::STOP);
        table::wait_until("the worker is stopped", || table::is_stopped(&self.row));
    }

    /// Lets it go on, and waits until it does.
    pub fn cont(&self) {
        self.signal(Signal::CONT);
        table::wait_until("the worker goes on", || !table::is_stopped(&self.row) || !table::is_alive(&self.row));
    }

    /// Asks it to end, as a deployment does; [`Worker::wait`] says when it has.
    pub fn term(&self) {
        self.signal(Signal::TERM);
    }

    /// Waits for its end, and returns how it ended.
    ///
    /// # Panics
    ///
    /// If it takes longer than the limit, with what it wrote.
    pub fn wait(&self, limit: Duration) -> ExitStatus {
        let state = self.shared.lock();
        let waited = self.shared.ended.wait_timeout_while(state, limit, |state| state.status.is_none());
        let status = waited.unwrap_or_else(PoisonError::into_inner).0.status;
        status.unwrap_or_else(|| panic!("{} has not ended within {limit:?}:\n{}", self.name, self.output()))
    }

    /// Waits for its end, which is to be a good one.
    ///
    /// # Panics
    ///
    /// If it takes longer than the limit or ends otherwise, with what it wrote.
    pub fn wait_ok(&self, limit: Duration) {
        let status = self.wait(limit);
        assert!(status.success(), "{}: {status}\n{}", self.name, self.output());
    }

    /// Waits until it has aborted at the point that it was told of.
    ///
    /// # Panics
    ///
    /// If it takes longer than the limit or ends otherwise, with what it wrote.
    pub fn wait_aborted(&self, limit: Duration) {
        let status = self.wait(limit);
        let is_abort = status.signal() == Some(Signal::ABORT.as_raw());
        assert!(is_abort, "{} did not come to its point: {status}\n{}", self.name, self.output());
    }

    /// Whether it has not ended.
    pub fn is_running(&self) -> bool {
        self.shared.lock().status.is_none()
    }

    fn signal(&self, signal: Signal) {
        let mut state = self.shared.lock();
        if state.status.is_none() {
            if signal == Signal::KILL {
                state.killed_at = Some(clock::now());
            }
            table::signal(&self.row, signal);
        }
    }

    fn wait_as_long_as_it_takes(&self) -> ExitStatus {
        let state = self.shared.lock();
        let waited = self.shared.ended.wait_while(state, |state| state.status.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).status.expect("that was waited for")
    }
}

impl Drop for Worker {
    /// Kills it.
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        if let Some(waiter) = self.waiter.take() {
            // If it has died by a panic, that was printed.
            let _ = waiter.join();
        }
        self.guard.forget();
        self.guard.end(None);
    }
}
