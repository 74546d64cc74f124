//! A store that is written as one would at first, with a switch for each mistake.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use seaworthy_queue::conformance::Subject;
use seaworthy_queue::store::{
    Cancelled, DeadJob, DeadLetters, Depth, Due, Entry, Held, Holder, NewJob, Producer, Received, Settlement, Source,
    Take, Taken,
};
use seaworthy_queue::{ErrorClass, Headers, JobId, StoreError};
use tokio::task::yield_now;
use tokio::time::Instant;

/// A mistake that a store can make. With `None` it makes none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    LosesHeaders,
    AcceptsTwice,
    FoldsCase,
    ForgetsDone,
    AcceptsSome,
    IgnoresLimits,
    DeliversEarly,
    CancelsWhatRuns,
    IgnoresRoom,
    NewestFirst,
    NeverComesBack,
    NewBeforeAbandoned,
    NeverDies,
    ForgetsReasons,
    ForgetsAskings,
    RepeatsForAnybody,
    SpendsOnRepeats,
    RepeatsOldLeases,
    SpendsOnDeferrals,
    ForgetsDeferrals,
    KeepsDone,
    SettlesTwice,
    SettlesForAnybody,
    ComparesOwnersOnly,
    ExtendsForAnybody,
    ExtendsNothing,
    RevivesWhatIsOver,
    ListsByName,
    RedrivesCopies,
    RedrivesSpent,
    BeginsFencesAnew,
    SweepsAll,
    LooksThenTakes,
}

#[derive(Clone)]
pub(super) struct With(pub(super) Fault);

impl Subject for With {
    type Store = Naive;

    async fn fresh(&self) -> Naive {
        Naive { fault: self.0, start: Instant::now(), all: Arc::default() }
    }

    async fn pass(&self, span: Duration) {
        tokio::time::advance(span).await;
    }
}

#[derive(Clone)]
pub(super) struct Naive {
    fault: Fault,
    start: Instant,
    all: Arc<Mutex<All>>,
}

#[derive(Default)]
struct All {
    live: BTreeMap<u64, Live>,
    dead: Vec<(DeadJob, u64)>,
    done: HashMap<JobId, Duration>,
    accepted: u64,
}

#[derive(Clone)]
struct Live {
    job: NewJob,
    accepted_at: Duration,
    due: Duration,
    running: Option<(u128, Duration)>,
    spent: u32,
    abandoned: u32,
    fence: u64,
    deferred: Option<Duration>,
    reason: Box<str>,
}

impl Naive {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap()
    }

    /// Since 1970, or thereabouts.
    fn now(&self) -> Duration {
        Duration::from_secs(1_000_000) + self.start.elapsed()
    }

    fn same(&self, one: &JobId, other: &JobId) -> bool {
        one == other || self.is(Fault::FoldsCase) && one.as_str().eq_ignore_ascii_case(other.as_str())
    }

    fn taken(&self, live: &Live) -> Taken {
        let NewJob { id, kind, version, headers, body, .. } = live.job.clone();
        let headers = if self.is(Fault::LosesHeaders) { Headers::default() } else { headers };
        Taken {
            id,
            kind,
            version,
            headers,
            body,
            accepted_at: live.accepted_at,
            attempt: live.spent,
            fence: live.fence,
            abandoned: live.abandoned,
            deferred_for: live.deferred.map(|since| self.now() - since),
            waited: self.now().saturating_sub(live.due),
        }
    }

    fn bury(&self, all: &mut All, live: Live, reason: Box<str>) {
        let NewJob { id, kind, version, headers, body, .. } = live.job;
        let (attempts, accepted_at, died_at) = (live.spent, live.accepted_at, self.now());
        let dead = DeadJob { id, kind, version, headers, body, attempts, reason, accepted_at, died_at };
        all.dead.push((dead, live.fence));
        if self.is(Fault::ListsByName) {
            all.dead.sort_by(|one, other| one.0.id.cmp(&other.0.id));
        }
    }

    fn accept(&self, all: &mut All, job: NewJob, fence: u64) {
        let now = self.now();
        let due = match job.due {
            Due::After(span) if !self.is(Fault::DeliversEarly) => now + span,
            Due::At(moment) if !self.is(Fault::DeliversEarly) => moment.max(now),
            _ => now,
        };
        all.accepted += 1;
        let live = Live {
            job,
            accepted_at: now,
            due,
            running: None,
            spent: 0,
            abandoned: 0,
            fence,
            deferred: None,
            reason: Box::default(),
        };
        all.live.insert(all.accepted, live);
    }

    /// The numbers of what can be handed out, in order.
    fn offered(&self, all: &All) -> Vec<u64> {
        let now = self.now();
        let is_over = |live: &Live| live.running.is_some_and(|(_, until)| until <= now);
        let is_due = |live: &Live| live.running.is_none() && live.due <= now;
        let mut due: Vec<_> = all.live.iter().filter(|(_, live)| is_due(live)).collect();
        due.sort_by_key(|(number, live)| (live.due, **number));
        if self.is(Fault::NewestFirst) {
            due.reverse();
        }
        let due = due.into_iter().map(|(number, _)| *number);
        let over = all.live.iter().filter(|(_, live)| is_over(live) && !self.is(Fault::NeverComesBack));
        let over = over.map(|(number, _)| *number);
        if self.is(Fault::NewBeforeAbandoned) { due.chain(over).collect() } else { over.chain(due).collect() }
    }

    fn hand_out(&self, take: &Take, offered: Vec<u64>) -> Received {
        let mut all = self.all();
        let mut received = Received::default();
        let room = if self.is(Fault::IgnoresRoom) { usize::MAX } else { take.room as usize };
        let until = self.now() + take.visibility;
        if take.repeats && !self.is(Fault::ForgetsAskings) {
            for live in all.live.values_mut() {
                let is_ours = live.running.is_some_and(|(owner, until)| owner == take.owner && self.now() < until);
                if (is_ours || self.is(Fault::RepeatsForAnybody) && live.running.is_some())
                    && received.jobs.len() < room
                {
                    live.spent += u32::from(self.is(Fault::SpendsOnRepeats));
                    if !self.is(Fault::RepeatsOldLeases) {
                        live.running = Some((take.owner, until));
                    }
                    received.jobs.push(self.taken(live));
                }
            }
        }
        for number in offered {
            if received.jobs.len() >= room {
                break;
            }
            let Some(mut live) = all.live.remove(&number) else { continue };
            if live.spent >= take.max_deliveries && !self.is(Fault::NeverDies) {
                received.died.push(live.job.id.clone());
                let reason = std::mem::take(&mut live.reason);
                self.bury(&mut all, live, if reason.is_empty() { "abandoned".into() } else { reason });
                continue;
            }
            live.abandoned += u32::from(live.running.is_some());
            live.running = Some((take.owner, until));
            live.spent += 1;
            live.fence += 1;
            received.jobs.push(self.taken(&live));
            all.live.insert(number, live);
        }
        received
    }

    /// The number of the job, if it is the holder's.
    fn held(&self, all: &All, holder: &Holder, for_anybody: bool) -> Option<u64> {
        let is_it = |live: &Live| {
            let owner = live.running.map(|(owner, _)| owner);
            let is_ours =
                owner == Some(holder.owner) && (live.fence == holder.fence || self.is(Fault::ComparesOwnersOnly));
            live.job.id == holder.id && (is_ours || for_anybody)
        };
        all.live.iter().find(|(_, live)| is_it(live)).map(|(number, _)| *number)
    }
}

impl Producer for Naive {
    async fn enqueue(&self, jobs: &[NewJob], max_len: Option<u64>) -> Result<Vec<Entry>, StoreError> {
        let mut all = self.all();
        let now = self.now();
        all.done.retain(|_, until| now < *until);
        let is_known = |all: &All, id: &JobId| {
            !self.is(Fault::AcceptsTwice)
                && (all.live.values().any(|live| self.same(&live.job.id, id))
                    || all.dead.iter().any(|(dead, _)| dead.id == *id)
                    || all.done.contains_key(id))
        };
        let new = jobs.iter().filter(|job| !is_known(&all, &job.id)).count();
        let is_full = max_len.is_some_and(|most| new > 0 && (all.live.len() + new) as u64 > most);
        if is_full && !self.is(Fault::IgnoresLimits) {
            if self.is(Fault::AcceptsSome) {
                self.accept(&mut all, jobs[0].clone(), 0);
            }
            return Err(StoreError::new(ErrorClass::Full, "enqueue", "full"));
        }
        let mut entries = Vec::new();
        for job in jobs {
            let known = is_known(&all, &job.id);
            entries.push(if known { Entry::Already } else { Entry::Accepted });
            if !known {
                self.accept(&mut all, job.clone(), 0);
            }
        }
        Ok(entries)
    }

    async fn cancel(&self, id: &JobId) -> Result<Cancelled, StoreError> {
        let mut all = self.all();
        let found = all.live.iter().find(|(_, live)| live.job.id == *id);
        let Some((number, is_running)) = found.map(|(number, live)| (*number, live.running.is_some())) else {
            return Ok(Cancelled::Unknown);
        };
        if is_running && !self.is(Fault::CancelsWhatRuns) {
            return Ok(Cancelled::Running);
        }
        all.live.remove(&number);
        Ok(Cancelled::Removed)
    }
}

impl Source for Naive {
    async fn receive(&self, take: &Take, _block: Duration) -> Result<Received, StoreError> {
        let offered = self.offered(&self.all());
        if self.is(Fault::LooksThenTakes) {
            yield_now().await;
            return Ok(self.hand_out(take, offered));
        }
        let offered = self.offered(&self.all());
        Ok(self.hand_out(take, offered))
    }

    async fn extend(&self, holders: &[Holder], visibility: Duration) -> Result<Vec<Held>, StoreError> {
        let mut all = self.all();
        let until = self.now() + visibility;
        let mut extend = |holder: &Holder| {
            let number = self.held(&all, holder, self.is(Fault::ExtendsForAnybody));
            let live = number.and_then(|number| all.live.get_mut(&number));
            let Some(live) = live else { return Held::Lost };
            let Some((owner, old)) = live.running else { return Held::Lost };
            if old <= self.now() && !self.is(Fault::RevivesWhatIsOver) {
                return Held::Lost;
            }
            if !self.is(Fault::ExtendsNothing) {
                live.running = Some((owner, until));
            }
            Held::Yes
        };
        Ok(holders.iter().map(&mut extend).collect())
    }

    async fn settle(&self, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
        let mut all = self.all();
        let now = self.now();
        let Some(number) = self.held(&all, holder, self.is(Fault::SettlesForAnybody)) else {
            return Ok(if self.is(Fault::SettlesTwice) { Held::Yes } else { Held::Lost });
        };
        let Some(mut live) = all.live.remove(&number) else { return Ok(Held::Lost) };
        let gives_back = u32::from(!self.is(Fault::SpendsOnDeferrals));
        live.running = None;
        match settlement {
            Settlement::Ack { remember } => {
                if let Some(span) = remember.filter(|_| !self.is(Fault::ForgetsDone)) {
                    all.done.insert(holder.id.clone(), now + span);
                }
                if self.is(Fault::KeepsDone) {
                    all.live.insert(number, live);
                }
                return Ok(Held::Yes);
            }
            Settlement::Retry { after, reason } => {
                live.due = now + *after;
                live.deferred = None;
                if !self.is(Fault::ForgetsReasons) {
                    live.reason = reason.clone();
                }
            }
            Settlement::Defer { after } => {
                live.due = now + *after;
                live.spent -= gives_back;
                if !self.is(Fault::ForgetsDeferrals) {
                    live.deferred.get_or_insert(now);
                }
            }
            Settlement::Dead { reason } => {
                self.bury(&mut all, live, reason.clone());
                return Ok(Held::Yes);
            }
            _ => {
                live.due = now;
                live.spent -= gives_back;
            }
        }
        all.live.insert(number, live);
        Ok(Held::Yes)
    }

    async fn depth(&self) -> Result<Depth, StoreError> {
        let all = self.all();
        let now = self.now();
        let count = |is_it: &dyn Fn(&Live) -> bool| all.live.values().filter(|live| is_it(live)).count() as u64;
        let oldest = all.live.values().filter(|live| live.running.is_none()).map(|live| live.due).min();
        Ok(Depth {
            ready: count(&|live| live.running.is_none() && live.due <= now),
            later: count(&|live| live.running.is_none() && live.due > now),
            running: count(&|live| live.running.is_some()),
            dead: all.dead.len() as u64,
            oldest_ready: oldest.map(|due| now.saturating_sub(due)).unwrap_or_default(),
        })
    }
}

impl DeadLetters for Naive {
    async fn list(&self, after: Option<&JobId>, most: u32) -> Result<Vec<DeadJob>, StoreError> {
        let all = self.all();
        let from =
            after.and_then(|after| all.dead.iter().position(|(dead, _)| dead.id == *after)).map_or(0, |at| at + 1);
        Ok(all.dead[from..].iter().take(most as usize).map(|(dead, _)| dead.clone()).collect())
    }

    async fn get(&self, id: &JobId) -> Result<Option<DeadJob>, StoreError> {
        Ok(self.all().dead.iter().find(|(dead, _)| dead.id == *id).map(|(dead, _)| dead.clone()))
    }

    async fn redrive(&self, id: &JobId) -> Result<bool, StoreError> {
        let mut all = self.all();
        let Some(at) = all.dead.iter().position(|(dead, _)| dead.id == *id) else { return Ok(false) };
        let (dead, fence) = all.dead[at].clone();
        if !self.is(Fault::RedrivesCopies) {
            all.dead.remove(at);
        }
        let mut headers = dead.headers;
        let times = headers.get("redriven").and_then(|times| times.parse::<u32>().ok()).unwrap_or(0) + 1;
        headers.insert("redriven", &times.to_string()).unwrap();
        let job =
            NewJob { id: dead.id, kind: dead.kind, version: dead.version, headers, body: dead.body, due: Due::Now };
        self.accept(&mut all, job, if self.is(Fault::BeginsFencesAnew) { 0 } else { fence });
        if self.is(Fault::RedrivesSpent)
            && let Some(mut last) = all.live.last_entry()
        {
            last.get_mut().spent = dead.attempts;
        }
        Ok(true)
    }

    async fn discard(&self, id: &JobId) -> Result<bool, StoreError> {
        let mut all = self.all();
        let len = all.dead.len();
        all.dead.retain(|(dead, _)| dead.id != *id);
        Ok(all.dead.len() < len)
    }

    async fn sweep(&self, keep: Option<Duration>, most: Option<u64>) -> Result<u64, StoreError> {
        let mut all = self.all();
        let (now, len) = (self.now(), all.dead.len());
        if self.is(Fault::SweepsAll) {
            all.dead.clear();
            return Ok(len as u64);
        }
        if let Some(keep) = keep {
            all.dead.retain(|(dead, _)| now - dead.died_at <= keep);
        }
        let over = most.map_or(0, |most| all.dead.len().saturating_sub(most as usize));
        all.dead.drain(..over);
        Ok((len - all.dead.len()) as u64)
    }
}
