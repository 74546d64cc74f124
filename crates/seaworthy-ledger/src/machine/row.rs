use std::mem;
use std::time::Duration;

use bytes::Bytes;

use crate::held_answer::Held;
use crate::record::Kept;
use crate::store::{Attempt, Holder, Settlement};

use super::steps::Steps;

/// The end of what never ends: no clock reaches it.
const NEVER: Duration = Duration::MAX;

/// What is known of one key. Moments are counted from when the store was made.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) fence: u64,
    owner: u128,
    pub(crate) grants: u32,
    rank: Option<i64>,
    fingerprint: Option<Bytes>,
    pub(crate) first_at: Duration,
    pub(crate) started_at: Duration,
    pub(crate) state: State,
    steps: Steps,
}

#[derive(Debug)]
pub(crate) enum State {
    /// At `until` and after it the lease is over.
    Running {
        until: Duration,
    },
    Done {
        at: Duration,
        expires: Duration,
        kept: Kept,
    },
    Failed {
        at: Duration,
        expires: Duration,
        reason: Option<Box<str>>,
    },
}

/// What a claim comes to.
#[derive(Debug)]
pub(crate) enum Claimed {
    Granted,
    Busy { left: Duration },
    Done,
    Mismatch,
}

/// What a row has no use for any more: its fingerprint, its steps. To be dropped where no lock is held, because bytes
/// may have an owner whose drop is foreign code.
pub(crate) type Leftover = (Option<Bytes>, Option<Steps>);

impl Row {
    /// The first grant of a key that is unknown.
    pub(crate) fn granted(attempt: &Attempt, now: Duration) -> Row {
        Row {
            fence: 1,
            owner: attempt.owner,
            grants: 1,
            rank: attempt.rank,
            fingerprint: attempt.fingerprint.clone(),
            first_at: now,
            started_at: now,
            state: State::Running { until: now.saturating_add(attempt.lease) },
            steps: Steps::default(),
        }
    }

    pub(crate) fn claim(&mut self, attempt: &Attempt, now: Duration, leftover: &mut Leftover) -> Claimed {
        let mismatch = self.is_mismatch(attempt);
        let mut answer_was_lost = false;
        match self.state {
            // Whatever it was asked with before came to nothing.
            State::Failed { .. } => {}
            _ if mismatch => return Claimed::Mismatch,
            State::Done { .. } => return Claimed::Done,
            State::Running { until } => {
                answer_was_lost = attempt.repeats(self.owner);
                if now < until && !answer_was_lost && attempt.rank <= self.rank {
                    return Claimed::Busy { left: until - now };
                }
            }
        }
        if mismatch {
            leftover.1 = Some(mem::take(&mut self.steps));
        }
        if attempt.fingerprint.is_some() {
            leftover.0 = mem::replace(&mut self.fingerprint, attempt.fingerprint.clone());
        }
        self.fence = self.fence.saturating_add(1);
        if !answer_was_lost {
            self.grants = self.grants.saturating_add(1);
        }
        self.owner = attempt.owner;
        self.rank = attempt.rank;
        self.started_at = now;
        self.state = State::Running { until: now.saturating_add(attempt.lease) };
        Claimed::Granted
    }

    /// Who has no fingerprint matches everything.
    fn is_mismatch(&self, attempt: &Attempt) -> bool {
        matches!((&self.fingerprint, &attempt.fingerprint), (Some(ours), Some(theirs)) if ours != theirs)
    }

    /// Fences start again after retention, so the owner is compared, too.
    fn is_held_by(&self, holder: &Holder) -> bool {
        self.fence == holder.fence && self.owner == holder.owner
    }

    /// Whoever is late has to claim again, although nobody took it.
    pub(crate) fn renew(&mut self, holder: &Holder, lease: Duration, now: Duration) -> Held {
        let held = self.is_held_by(holder);
        match &mut self.state {
            State::Running { until } if held && now < *until => {
                *until = now.saturating_add(lease);
                Held::Yes
            }
            _ => Held::Lost,
        }
    }

    /// A lease that is over was not taken while the fence is the holder's, so it does not matter here.
    pub(crate) fn settle(&mut self, holder: &Holder, settlement: &Settlement, now: Duration) -> Held {
        if !self.is_held_by(holder) {
            return Held::Lost;
        }
        let settled_alike = match self.state {
            State::Running { .. } => {
                if let Settlement::Released { .. } = settlement {
                    self.grants = self.grants.saturating_sub(1);
                }
                self.state = State::settled(settlement, now);
                return Held::Yes;
            }
            State::Done { .. } => is_final(settlement),
            State::Failed { .. } => !is_final(settlement),
        };
        if settled_alike { Held::Yes } else { Held::Lost }
    }

    pub(crate) fn is_stale(&self, now: Duration) -> bool {
        matches!(self.state, State::Running { until } if until <= now)
    }

    pub(crate) fn step(&self, name: &str) -> Option<&Bytes> {
        self.steps.get(name)
    }

    /// What is stored now; none if the claim was lost.
    pub(crate) fn keep_step(&mut self, holder: &Holder, name: &str, result: &Bytes) -> Option<Bytes> {
        let runs = matches!(self.state, State::Running { .. });
        (runs && self.is_held_by(holder)).then(|| self.steps.keep(name, result))
    }
}

fn is_final(settlement: &Settlement) -> bool {
    match settlement {
        Settlement::Done { .. } | Settlement::DoneNotKept { .. } | Settlement::FailedForGood { .. } => true,
        Settlement::Failed { .. } | Settlement::Released { .. } => false,
    }
}

impl State {
    fn settled(settlement: &Settlement, at: Duration) -> State {
        let expires = |keep: &Option<Duration>| keep.map_or(NEVER, |keep| at.saturating_add(keep));
        match settlement {
            Settlement::Done { result, content_type, keep } => State::Done {
                at,
                expires: expires(keep),
                kept: Kept::Result { bytes: result.clone(), content_type: content_type.clone() },
            },
            Settlement::DoneNotKept { keep } => State::Done { at, expires: expires(keep), kept: Kept::Nothing },
            Settlement::FailedForGood { reason, keep } => {
                State::Done { at, expires: expires(keep), kept: Kept::Failed(reason.clone()) }
            }
            Settlement::Failed { reason, keep } => {
                State::Failed { at, expires: expires(keep), reason: Some(reason.clone()) }
            }
            Settlement::Released { keep } => State::Failed { at, expires: expires(keep), reason: None },
        }
    }

    /// When it may be removed; none while it runs.
    pub(crate) fn expires(&self) -> Option<Duration> {
        match self {
            State::Running { .. } => None,
            State::Done { expires, .. } | State::Failed { expires, .. } => Some(*expires),
        }
    }
}
