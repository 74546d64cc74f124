//! Processes that do jobs, and what they wrote down.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use seaworthy_faults::journal::{Entry, Line};
use seaworthy_faults::worker::{Journals, Worker};
use seaworthy_queue::store::Depth;
use seaworthy_queue::{EnqueueRequest, JobId, Queue};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::job::{QUEUE, Work};
use super::outcome::Outcome;
use super::place::Place;
use super::setup::Setup;
use super::store::JobStore;
use crate::database::Database;

/// To what a process does within a fraction of it.
pub(super) const LIMIT: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(50);
/// After an enqueuing of which nobody knows what became of it.
const AGAIN: Duration = Duration::from_millis(20);

/// What of its place and its processes is not the same in all drills.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Plan {
    /// Whether the server is to be killed, so that it must be the drill's own.
    pub(super) is_killed: bool,
    /// Whether what is done for a job is recorded in a ledger.
    pub(super) has_ledger: bool,
}

/// A queue of a drill's own, and who works on it.
pub(super) struct Crowd<J: JobStore> {
    pub(super) journals: Arc<Journals>,
    pub(super) queue: Queue<Work, J::Store>,
    runtime: Runtime,
    setup: Setup,
    args: Vec<String>,
    workers: Vec<Worker>,
    spawned: usize,
    has_ledger: bool,
    /// What the store is in; it goes after all that use it.
    pub(super) place: Place,
}

impl<J: JobStore> Crowd<J> {
    pub(super) fn new(setup: &Setup, plan: Plan, args: &[&str]) -> Crowd<J> {
        let runtime = Runtime::new().expect("a runtime");
        let journals = Arc::new(Journals::new());
        let place = J::place(&journals, plan.is_killed);
        let store = runtime.block_on(J::open(&place.url()));
        let queue = Queue::with_store(QUEUE, store).build().expect("the defaults");
        let mut args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        args.push(format!("--store={}", place.url()));
        if plan.has_ledger {
            args.push(format!("--ledger={}", place.ledger()));
        }
        let (setup, has_ledger) = (setup.clone(), plan.has_ledger);
        Crowd { journals, queue, runtime, setup, args, workers: Vec::new(), spawned: 0, has_ledger, place }
    }

    /// Accepts so many jobs; their ids begin with the name.
    pub(super) fn accept(&self, name: &str, jobs: usize, work: Work) {
        let job = |number| EnqueueRequest::new(work).id(id(name, number));
        // A server may have been restarted since it was asked last.
        let accepted = loop {
            match self.runtime.block_on(self.queue.enqueue_many((0..jobs).map(job))) {
                Ok(accepted) => break accepted,
                Err(error) => assert!(error.is_unavailable(), "{error:?}"),
            }
            thread::sleep(AGAIN);
        };
        for job in accepted {
            self.journals.write(Entry::accepted(job.id().as_str()));
        }
    }

    /// Accepts so many jobs, one every so often, while the drill goes on. One of which it is not known whether it was
    /// accepted is enqueued again under the same id, until it is.
    pub(super) fn produce(&self, name: &'static str, jobs: usize, work: Work, every: Duration) -> JoinHandle<()> {
        let (queue, journals) = (self.queue.clone(), Arc::clone(&self.journals));
        self.runtime.spawn(async move {
            let mut tick = tokio::time::interval(every);
            for number in 0..jobs {
                tick.tick().await;
                loop {
                    journals.write(Entry::note("asking"));
                    match queue.enqueue(EnqueueRequest::new(work).id(id(name, number))).await {
                        Ok(job) => {
                            journals.write(Entry::accepted(job.id().as_str()));
                            break;
                        }
                        Err(error) => {
                            assert!(error.is_unavailable(), "{error:?}");
                            journals.write(Entry::note("unknown").with("why", error.to_string()));
                            tokio::time::sleep(AGAIN).await;
                        }
                    }
                }
            }
        })
    }

    /// Waits until all of them are accepted.
    pub(super) fn produced(&self, producer: JoinHandle<()>) {
        self.runtime.block_on(producer).unwrap_or_else(|error| panic!("the producer: {error}"));
    }

    pub(super) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    pub(super) fn spawn_task<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.runtime.spawn(future)
    }

    /// So many more processes.
    pub(super) fn spawn(&mut self, workers: usize) {
        for _ in 0..workers {
            let name = format!("worker-{}", self.spawned);
            self.spawned += 1;
            let args = std::iter::once("consume").chain(self.args.iter().map(String::as_str));
            self.workers.push(Worker::spawn(&self.setup.program, &name, args, &self.journals));
        }
    }

    /// A process that keeps all others from writing to a file, until it is dropped.
    pub(super) fn lock(&self) -> Worker {
        let args = ["lock".to_owned(), format!("--store={}", self.place.url())];
        let locker = Worker::spawn(&self.setup.program, "locker", args, &self.journals);
        self.journals.wait_for(LIMIT, |line| line.pid == locker.pid() && line.entry.is_note("locked"));
        locker
    }

    pub(super) fn workers(&self) -> &[Worker] {
        &self.workers
    }

    /// Another in its place.
    pub(super) fn replace(&mut self, at: usize) -> Worker {
        self.spawn(1);
        self.workers.remove(at)
    }

    /// Kills it and starts another in its place.
    pub(super) fn kill(&mut self, at: usize) {
        self.workers[at].kill9();
        drop(self.replace(at));
    }

    /// Kills all of them and the server, as nearly at once as signals can be sent.
    pub(super) fn kill_all_and_the_server(&mut self) {
        thread::scope(|scope| {
            for worker in &self.workers {
                scope.spawn(|| worker.kill9());
            }
            self.place.kill9();
        });
        self.workers.clear();
    }

    /// Those that have ended by themselves are replaced, as a supervisor does. How many.
    pub(super) fn supervise(&mut self) -> usize {
        let gone: Vec<usize> = (0..self.workers.len()).filter(|at| !self.workers[*at].is_running()).rev().collect();
        for at in &gone {
            drop(self.replace(*at));
        }
        gone.len()
    }

    pub(super) fn depth(&self) -> Depth {
        // A server may be away for a moment.
        loop {
            match self.runtime.block_on(self.queue.depth()) {
                Ok(depth) => return depth,
                Err(error) => assert!(error.is_unavailable(), "{error:?}"),
            }
            thread::sleep(LOOK);
        }
    }

    /// Waits until this is so of what the queue has, while a supervisor looks. How many it has replaced.
    pub(super) fn until(&mut self, limit: Duration, is_so: impl Fn(&Depth) -> bool) -> usize {
        let until = Instant::now() + limit;
        let mut restarts = 0;
        loop {
            restarts += self.supervise();
            let depth = self.depth();
            if is_so(&depth) {
                return restarts;
            }
            assert!(Instant::now() < until, "not within {limit:?}: {depth:?}");
            thread::sleep(LOOK);
        }
    }

    /// Waits until a handler of one of these processes was called.
    pub(super) fn started(&self) -> Line {
        self.journals.wait_for(LIMIT, |line| matches!(line.entry, Entry::Start { .. }))
    }

    /// Until all that was accepted is done or dead. Then ends all processes in order.
    pub(super) fn end(mut self, limit: Duration) -> Outcome {
        let restarts = self.until(limit, |depth| depth.ready + depth.later + depth.running == 0);
        for worker in &self.workers {
            self.journals.wait_for(LIMIT, |line| line.worker == worker.name() && line.entry.is_note("ready"));
            worker.term();
        }
        for worker in self.workers.drain(..) {
            worker.wait_ok(LIMIT);
        }
        let dead = self.dead();
        let recorded = if self.has_ledger { self.recorded() } else { Vec::new() };
        Outcome { journal: self.journals.read(), dead, recorded, restarts }
    }

    fn dead(&self) -> Vec<(String, u32)> {
        let (mut dead, mut after) = (Vec::new(), None);
        loop {
            let page = self.runtime.block_on(self.queue.dead().list(after.as_ref())).expect("up");
            dead.extend(page.jobs.iter().map(|job| (job.id.to_string(), job.attempts)));
            match page.next {
                Some(next) => after = Some(next),
                None => return dead,
            }
        }
    }

    fn recorded(&self) -> Vec<(String, u64)> {
        self.runtime.block_on(async {
            let database = J::Base::open(&self.place.ledger()).await;
            let mut connection = database.connect().await;
            database.effects(&mut connection).await
        })
    }
}

fn id(name: &str, number: usize) -> JobId {
    JobId::new(&format!("{name}-{number}")).expect("an id")
}
