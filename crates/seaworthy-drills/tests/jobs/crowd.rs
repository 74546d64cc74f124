//! Processes that do jobs, and what they wrote down.

use std::any::Any;
use std::thread;
use std::time::{Duration, Instant};

use seaworthy_drills::jobs::{End, JobStore, QUEUE, Work};
use seaworthy_faults::journal::{Entry, Journal, Line};
use seaworthy_faults::worker::{Journals, Worker};
use seaworthy_queue::store::Depth;
use seaworthy_queue::{EnqueueRequest, JobId, Queue};
use tokio::runtime::Runtime;

/// To what a process does within a fraction of it.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A queue of a test's own, and who works on it.
pub(crate) struct Crowd<J: JobStore> {
    pub(crate) journals: Journals,
    runtime: Runtime,
    url: String,
    args: Vec<String>,
    queue: Queue<Work, J::Store>,
    workers: Vec<Worker>,
    spawned: usize,
    /// What the store is in; it goes after all that use it.
    _place: Box<dyn Any>,
}

impl<J: JobStore> Crowd<J> {
    pub(crate) fn new(journals: Journals, url: String, args: &[&str], place: impl Any) -> Crowd<J> {
        let runtime = Runtime::new().expect("a runtime");
        let store = runtime.block_on(J::open(&url));
        let queue = Queue::with_store(QUEUE, store).build().expect("the defaults");
        let args = args.iter().map(|&arg| arg.to_owned()).collect();
        Crowd { journals, runtime, url, args, queue, workers: Vec::new(), spawned: 0, _place: Box::new(place) }
    }

    /// Accepts so many jobs that take so long and end like this; their ids begin with the name.
    pub(crate) fn accept(&self, name: &str, jobs: usize, millis: u64, end: End) {
        let job = |number| {
            let id = JobId::new(&format!("{name}-{number}")).expect("an id");
            EnqueueRequest::new(Work { millis, end }).id(id)
        };
        let accepted = self.runtime.block_on(self.queue.enqueue_many((0..jobs).map(job))).expect("up");
        for job in accepted {
            assert!(job.is_new());
            self.journals.write(Entry::accepted(job.id().as_str()));
        }
    }

    /// One more.
    pub(crate) fn spawn(&mut self) {
        let mut args = vec!["consume".to_owned(), format!("--store={}", self.url)];
        args.extend(self.args.iter().cloned());
        let name = format!("worker-{}", self.spawned);
        self.spawned += 1;
        self.workers.push(Worker::spawn(env!("CARGO_BIN_EXE_drill-worker"), &name, args, &self.journals));
    }

    pub(crate) fn worker(&self, at: usize) -> &Worker {
        &self.workers[at]
    }

    pub(crate) fn workers(&self) -> usize {
        self.workers.len()
    }

    /// Another in its place.
    pub(crate) fn replace(&mut self, at: usize) -> Worker {
        self.spawn();
        self.workers.remove(at)
    }

    /// Those that have ended by themselves are replaced, as a supervisor does. How many.
    pub(crate) fn supervise(&mut self) -> usize {
        let gone: Vec<usize> = (0..self.workers.len()).filter(|at| !self.workers[*at].is_running()).rev().collect();
        for at in &gone {
            drop(self.replace(*at));
        }
        gone.len()
    }

    pub(crate) fn depth(&self) -> Depth {
        // A server may be away for a moment.
        loop {
            match self.runtime.block_on(self.queue.depth()) {
                Ok(depth) => return depth,
                Err(error) => assert!(error.is_unavailable(), "{error:?}"),
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Until all that was accepted is done or dead, while a supervisor looks.
    pub(crate) fn finish(&mut self, limit: Duration) -> usize {
        let until = Instant::now() + limit;
        let mut restarted = 0;
        loop {
            restarted += self.supervise();
            let depth = self.depth();
            if depth.ready + depth.later + depth.running == 0 {
                return restarted;
            }
            assert!(Instant::now() < until, "not within {limit:?}: {depth:?}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends all of them in order, and returns the ids of the dead and how often each was tried.
    pub(crate) fn end(mut self) -> (Journal, Vec<(String, u32)>) {
        for worker in &self.workers {
            let is_ready = |line: &Line| line.worker == worker.name() && line.entry.is_note("ready");
            self.journals.wait_for(LIMIT, is_ready);
            worker.term();
        }
        for worker in self.workers.drain(..) {
            worker.wait_ok(LIMIT);
        }
        let (mut dead, mut after) = (Vec::new(), None);
        loop {
            let page = self.runtime.block_on(self.queue.dead().list(after.as_ref())).expect("up");
            dead.extend(page.jobs.iter().map(|job| (job.id.to_string(), job.attempts)));
            match page.next {
                Some(next) => after = Some(next),
                None => return (self.journals.read(), dead),
            }
        }
    }
}
