//! What every queue is given to do, and what is seen of it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// Of its body, beside the two numbers.
const FILL: usize = 100;

/// The same body for everybody, as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Work {
    number: usize,
    /// When it was enqueued, in microseconds since this process began.
    at: u64,
    fill: String,
}

impl Work {
    pub(crate) fn new(number: usize) -> Work {
        Work { number, at: micros(), fill: "x".repeat(FILL) }
    }
}

impl seaworthy_queue::Job for Work {
    const KIND: &str = "work";
}

fn micros() -> u64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    u64::try_from(BEGAN.get_or_init(Instant::now).elapsed().as_micros()).expect("it does not run for so long")
}

/// Of one round: which jobs were begun, and how long each had waited, by the clock of this process.
pub(crate) struct Sight {
    waits: Vec<OnceLock<u64>>,
    left: AtomicUsize,
    over: Notify,
    again: AtomicUsize,
}

impl Sight {
    pub(crate) fn new(jobs: usize) -> Sight {
        let waits = (0..jobs).map(|_| OnceLock::new()).collect();
        Sight { waits, left: AtomicUsize::new(jobs), over: Notify::new(), again: AtomicUsize::new(0) }
    }

    /// All that there is to do for a job.
    pub(crate) fn begun(&self, work: &Work) {
        let waited = micros().saturating_sub(work.at);
        if self.waits[work.number].set(waited).is_err() {
            self.again.fetch_add(1, Ordering::AcqRel);
        } else if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.over.notify_one();
        }
    }

    /// Until each has been begun.
    pub(crate) async fn all(&self, limit: Duration) {
        if tokio::time::timeout(limit, self.over.notified()).await.is_err() {
            panic!("{} jobs were not begun within {limit:?}", self.left.load(Ordering::Acquire));
        }
        assert_eq!(self.again.load(Ordering::Acquire), 0, "nobody died, so that each was begun once");
    }

    /// In milliseconds, below which this part of them is.
    pub(crate) fn wait(&self, part: f64) -> f64 {
        let mut waits: Vec<u64> = self.waits.iter().filter_map(|waited| waited.get().copied()).collect();
        waits.sort_unstable();
        let at = ((waits.len() - 1) as f64 * part).round() as usize;
        waits[at] as f64 / 1_000.0
    }
}
