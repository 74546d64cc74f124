//! A store that is written as one would at first, with a switch for each mistake.

mod store;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use seaworthy_ledger::Held;
use seaworthy_ledger::conformance::Subject;
use seaworthy_ledger::store::{Answer, Attempt, Holder, Settlement};
use seaworthy_ledger::{Kept, Key, Record};
use seaworthy_store::time::{Instant, now, sleep};
use tokio::task::yield_now;

use super::fault::Fault;

#[derive(Clone)]
pub(super) struct With(pub(super) Fault);

impl Subject for With {
    type Store = Naive;

    async fn fresh(&self) -> Naive {
        Naive { fault: self.0, start: now(), rows: Arc::default(), locked: Arc::default() }
    }

    async fn pass(&self, span: Duration) {
        tokio::time::advance(span).await;
    }
}

#[derive(Clone)]
pub(super) struct Naive {
    fault: Fault,
    start: Instant,
    rows: Arc<Mutex<HashMap<String, Row>>>,
    locked: Arc<AtomicBool>,
}

#[derive(Clone, Default)]
struct Row {
    fence: u64,
    owner: u128,
    grants: u32,
    rank: Option<i64>,
    fingerprint: Option<Bytes>,
    first_at: Duration,
    started_at: Duration,
    lease: Duration,
    until: Duration,
    end: Option<Settlement>,
    ended_at: Duration,
    expires: Option<Duration>,
    swept: bool,
    steps: HashMap<String, Bytes>,
}

fn is_final(end: &Settlement) -> bool {
    !matches!(end, Settlement::Failed { .. } | Settlement::Released { .. })
}

fn keep(end: &Settlement) -> Option<Duration> {
    match end {
        Settlement::Done { keep, .. }
        | Settlement::DoneNotKept { keep }
        | Settlement::FailedForGood { keep, .. }
        | Settlement::Failed { keep, .. }
        | Settlement::Released { keep } => *keep,
        other => panic!("{other:?}"),
    }
}

impl Row {
    fn is_done(&self) -> bool {
        self.end.as_ref().is_some_and(is_final)
    }

    fn is_failed(&self) -> bool {
        self.end.as_ref().is_some_and(|end| !is_final(end))
    }
}

impl Naive {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<String, Row>> {
        self.rows.lock().unwrap()
    }

    fn now(&self) -> Duration {
        now().saturating_duration_since(self.start)
    }

    fn date(moment: Duration) -> SystemTime {
        SystemTime::UNIX_EPOCH + moment
    }

    fn id(&self, key: &Key) -> String {
        match self.fault {
            Fault::FoldsCase => format!("{}/{}", key.scope(), key.value()).to_lowercase(),
            Fault::JoinsScopeAndValue => format!("{}{}", key.scope(), key.value()),
            _ => format!("{}/{}", key.scope(), key.value()),
        }
    }

    /// A lock that a future keeps when it is dropped.
    async fn enter(&self) {
        if self.is(Fault::StaysLockedWhenDropped) {
            while self.locked.swap(true, Ordering::SeqCst) {
                sleep(Duration::from_millis(1)).await;
            }
            yield_now().await;
            self.locked.store(false, Ordering::SeqCst);
        }
    }

    /// None if it is granted.
    fn refusal(&self, row: &mut Row, attempt: &Attempt) -> Option<Answer> {
        let (now, failed) = (self.now(), row.is_failed());
        let differs = matches!((&row.fingerprint, &attempt.fingerprint), (Some(old), Some(new)) if old != new);
        if differs && !self.is(Fault::ForgetsFingerprints) && (!failed || self.is(Fault::MismatchesFailed)) {
            return Some(Answer::Mismatch);
        }
        if let Some(end) = row.end.as_ref().filter(|end| is_final(end) && !self.is(Fault::GrantsDone)) {
            let kept = match end.clone() {
                Settlement::Done { result, content_type, .. } => {
                    let cut = if self.is(Fault::CutsResults) { result.len().min(65_535) } else { result.len() };
                    let content_type = if self.is(Fault::ForgetsContentTypes) { "".into() } else { content_type };
                    Kept::Result { bytes: result.slice(..cut), content_type }
                }
                Settlement::FailedForGood { reason, .. } => Kept::Failed(reason),
                _ => Kept::Nothing,
            };
            return Some(Answer::Done(Record { fence: row.fence, finished_at: Self::date(row.ended_at), kept }));
        }
        let over = now >= row.until && !self.is(Fault::NeverTakesStale);
        let known = attempt.repeats(row.owner) && !self.is(Fault::ForgetsOwners)
            || row.owner == attempt.owner && self.is(Fault::TakesLateAskings);
        let outranks = match self.fault {
            Fault::IgnoresRanks => false,
            Fault::TakesEqualRanks => attempt.rank.is_some() && attempt.rank >= row.rank,
            _ => attempt.rank > row.rank,
        };
        let free = row.end.is_some() && !(failed && self.is(Fault::NeverTakesFailed));
        if free || over || known || outranks || self.is(Fault::GrantsWhileBusy) {
            return None;
        }
        if self.is(Fault::LengthensWhenRefused) {
            row.until = now + row.lease;
        }
        let left = if self.is(Fault::TellsTheWholeLease) { row.lease } else { row.until.saturating_sub(now) };
        Some(Answer::Busy { left })
    }

    fn grant(&self, row: &mut Row, attempt: &Attempt) -> Answer {
        let now = self.now();
        let lost_answer = row.fence > 0 && row.end.is_none() && attempt.repeats(row.owner);
        let differs = matches!((&row.fingerprint, &attempt.fingerprint), (Some(old), Some(new)) if old != new);
        if differs && !self.is(Fault::KeepsStepsOfOthers) {
            row.steps.clear();
        }
        if !(differs && self.is(Fault::KeepsOldFingerprints)) {
            row.fingerprint = attempt.fingerprint.clone().or_else(|| row.fingerprint.take());
        }
        if row.fence == 0 || self.is(Fault::MovesTheFirstStart) {
            row.first_at = now;
        }
        row.fence += u64::from(row.fence == 0 || !self.is(Fault::RepeatsFences));
        row.grants += u32::from(!lost_answer || self.is(Fault::CountsLostAnswers));
        row.owner = attempt.owner;
        row.rank = attempt.rank;
        row.started_at = now;
        row.lease = attempt.lease;
        row.until = now + attempt.lease;
        row.end = None;
        Answer::Granted { fence: row.fence, grants: row.grants }
    }

    fn holds(&self, row: &Row, holder: &Holder) -> bool {
        let same_fence = row.fence == holder.fence;
        same_fence && (row.owner == holder.owner || self.is(Fault::ComparesFencesOnly))
            || self.is(Fault::SettlesForAnybody)
    }

    /// None if it is to be written.
    fn settled_before(&self, row: &Row, holder: &Holder, settlement: &Settlement) -> Option<Held> {
        if row.swept || !self.holds(row, holder) {
            return Some(Held::Lost);
        }
        if self.is(Fault::RefusesLateCompletions) && row.end.is_none() && self.now() >= row.until {
            return Some(Held::Lost);
        }
        let end = row.end.as_ref().filter(|_| !self.is(Fault::SettlesAgain))?;
        let alike = is_final(end) == is_final(settlement) && !self.is(Fault::LosesTheSecondSettling);
        Some(if alike { Held::Yes } else { Held::Lost })
    }

    fn uncount(&self, row: &mut Row, settlement: &Settlement) {
        let counts = self.is(Fault::CountsWhatWasReleased) || !matches!(settlement, Settlement::Released { .. });
        row.grants = row.grants.saturating_sub(u32::from(!counts));
    }

    fn end(&self, row: &mut Row, settlement: &Settlement) {
        row.ended_at = self.now();
        let keep = keep(settlement).or(self.is(Fault::ForgetsForEver).then_some(Duration::ZERO));
        row.expires = keep.map(|keep| row.ended_at + keep);
        row.end = Some(settlement.clone());
    }

    fn granted(&self, rows: &mut HashMap<String, Row>, id: &str, attempt: &Attempt) -> Answer {
        let row = rows.entry(id.to_owned()).or_default();
        if row.swept {
            let old = std::mem::take(row);
            if self.is(Fault::FencesGoOn) {
                row.fence = old.fence;
            }
            if self.is(Fault::KeepsStepsForEver) {
                row.steps = old.steps;
            }
        }
        self.grant(row, attempt)
    }
}
