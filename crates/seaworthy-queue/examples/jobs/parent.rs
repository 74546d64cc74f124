//! Enqueues, starts the workers and kills one, deals with the dead letters, and counts.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use seaworthy::BoxError;
use seaworthy_queue::store::{DeadJob, QueueStore};
use seaworthy_queue::{Enqueued, JobId, Queue};

use super::job::{JOBS, Kind, MOST, Provision, count};
use super::place::Place;
use super::tally::Tally;
use super::worker::AT_ONCE;

const WORKERS: usize = 2;
/// Whatever has not ended by then never does.
const LONGEST: Duration = Duration::from_secs(60);

/// Ends with this value, and by itself if this process is killed: its input ends then.
struct Worker {
    child: Child,
    heard: Option<JoinHandle<()>>,
}

impl Worker {
    fn start(place: &Place, tally: &Tally) -> Result<Worker, BoxError> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(place.arguments()?).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let (output, tally) = (child.stdout.take().ok_or("a worker without an output")?, tally.clone());
        let heard = Some(thread::spawn(move || tally.hear(BufReader::new(output))));
        Ok(Worker { child, heard })
    }

    /// When it has ended, all that it said has been counted.
    fn wait(&mut self) -> Result<bool, BoxError> {
        drop(self.child.stdin.take());
        let status = self.child.wait()?;
        self.heard.take().map(JoinHandle::join);
        Ok(status.success())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _gone = self.wait();
    }
}

struct Parent<'a, S> {
    queue: Queue<Provision, S>,
    place: &'a Place,
    tally: Tally,
    workers: Vec<Worker>,
    began: Instant,
    /// Workers that a job has killed.
    died: u32,
}

impl<S: QueueStore> Parent<'_, S> {
    fn tell(&self, what: &str) {
        println!("{:>6.2} s  {what}", self.began.elapsed().as_secs_f64());
    }

    fn start_missing(&mut self) -> Result<(), BoxError> {
        while self.workers.len() < WORKERS {
            self.workers.push(Worker::start(self.place, &self.tally)?);
        }
        Ok(())
    }

    /// Until it is so, while whoever dies is replaced.
    async fn until(&mut self, is_so: impl AsyncFn(&Self) -> Result<bool, BoxError>) -> Result<(), BoxError> {
        while !is_so(self).await? {
            if self.began.elapsed() > LONGEST {
                return Err(format!("no end after {LONGEST:?}: {:?}", self.queue.depth().await?).into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            let before = self.workers.len();
            self.workers.retain_mut(|worker| matches!(worker.child.try_wait(), Ok(None)));
            if self.workers.len() < before {
                self.died += 1;
                self.tell("a worker died of a job; another is started");
            }
            self.start_missing()?;
        }
        Ok(())
    }

    async fn until_nothing_is_live(&mut self) -> Result<(), BoxError> {
        self.until(async |parent| {
            let depth = parent.queue.depth().await?;
            Ok(depth.ready + depth.later + depth.running == 0)
        })
        .await
    }

    async fn dead(&self) -> Result<Vec<DeadJob>, BoxError> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.queue.dead().list(after.as_ref()).await?;
            all.extend(page.jobs);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(all),
            }
        }
    }

    async fn enqueue(&self) -> Result<usize, BoxError> {
        let requests = (0..JOBS).map(Provision::request).collect::<Result<Vec<_>, _>>()?;
        let accepted = self.queue.enqueue_many(requests).await?;
        // As one does who had no answer: nothing changes.
        let again = self.queue.enqueue(Provision::request(0)?).await?;
        expect("a job that is there", again.is_new(), false)?;
        Ok(accepted.iter().filter(|enqueued| Enqueued::is_new(enqueued)).count())
    }
}

pub async fn run<S: QueueStore>(queue: Queue<Provision, S>, place: &Place) -> Result<(), BoxError> {
    let (tally, began) = (Tally::default(), Instant::now());
    let mut parent = Parent { queue, place, tally, workers: Vec::new(), began, died: 0 };
    let accepted = parent.enqueue().await?;
    parent.tell(&format!("{accepted} jobs are accepted; {WORKERS} workers are started"));
    parent.start_missing()?;

    parent.until(async |parent| Ok(parent.tally.said().done.len() > 150)).await?;
    // Without a word: what it was doing is found when its visibility is over.
    drop(parent.workers.swap_remove(0));
    parent.tell("a worker was killed in the middle of its jobs; another is started");
    parent.until_nothing_is_live().await?;

    let dead = parent.dead().await?;
    parent.tell(&format!("what is not done is dead: {} jobs", dead.len()));
    let mut reasons = BTreeMap::<String, Vec<&JobId>>::new();
    for job in &dead {
        expect("the attempts of a dead job", job.attempts, MOST)?;
        reasons.entry(job.reason.to_string()).or_default().push(&job.id);
    }
    for (reason, ids) in &reasons {
        println!("          {} after {MOST} attempts: {reason}", ids.len());
    }
    expect("dead letters", dead.len(), count(Kind::Broken) + count(Kind::Deadly))?;
    let deadly = reasons.get("was abandoned each time").map(|ids| ids.as_slice()).unwrap_or_default();
    expect("deadly jobs", deadly.len(), count(Kind::Deadly))?;
    let mut discarded = 0;
    for id in deadly {
        discarded += usize::from(parent.queue.dead().discard(id).await?);
    }
    let redriven = parent.queue.dead().redrive_all(100).await?;
    parent.tell(&format!("{discarded} discarded; what was wrong is mended, and {redriven} are redriven"));
    parent.until_nothing_is_live().await?;

    let mut ended_well = true;
    for worker in &mut parent.workers {
        ended_well &= worker.wait()?;
    }
    parent.workers.clear();
    parent.tell("the workers were told to end, and have");
    expect("whether they ended well", ended_well, true)?;
    report(&parent, accepted, discarded).await
}

async fn report<S: QueueStore>(parent: &Parent<'_, S>, accepted: usize, discarded: usize) -> Result<(), BoxError> {
    let depth = parent.queue.depth().await?;
    let said = parent.tally.said();
    let (mut starts, mut twice, mut most_starts) = (0, 0, 0);
    for number in 0..JOBS {
        let (job, id) = (Provision { number }, format!("tenant-{number}"));
        let (started, done) = (said.starts.get(&id).copied(), said.done.get(&id).copied());
        let lives = if job.kind() == Kind::Broken { 2 } else { 1 };
        let (started, done) = (started.unwrap_or(0), done.unwrap_or(0));
        let is_right = started <= MOST * lives && done <= started && (done > 0) == (job.kind() != Kind::Deadly);
        if !is_right {
            return Err(format!("{id} ({:?}) was started {started} times and done {done} times", job.kind()).into());
        }
        starts += started;
        twice += usize::from(done > 1);
        most_starts = most_starts.max(started.div_ceil(lives));
    }
    println!("\n{accepted} accepted = {} done + {discarded} discarded", said.done.len());
    println!("{starts} starts, no job more often than {most_starts} times without being redriven; {MOST} are allowed");
    println!("{twice} were done twice, because their worker died before it could say so; a ledger would know them");
    println!("{} workers died of the one job that kills, and one was killed", parent.died);
    expect("what is left", (depth.ready, depth.later, depth.running, depth.dead), (0, 0, 0, 0))?;
    expect("jobs", (accepted, said.done.len() + discarded), (JOBS as usize, JOBS as usize))?;
    expect("workers that died", parent.died, MOST)?;
    let in_hand = AT_ONCE as usize * (1 + MOST as usize);
    if twice <= in_hand {
        Ok(())
    } else {
        Err(format!("{twice} were done twice, of {in_hand} that were in hand").into())
    }
}

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, is: T, expected: T) -> Result<(), BoxError> {
    if is == expected { Ok(()) } else { Err(format!("{what}: {is:?}, and {expected:?} were expected").into()) }
}
