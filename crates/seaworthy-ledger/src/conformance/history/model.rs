use std::collections::HashMap;

use crate::record::Kept;
use crate::store::Settlement;

/// What the contract says of one key, told from the list of its grants: nothing is kept that can be counted.
#[derive(Debug, Default)]
pub(super) struct Model {
    grants: Vec<Grant>,
    steps: HashMap<&'static str, &'static str>,
}

#[derive(Debug)]
struct Grant {
    owner: u128,
    fingerprint: Option<&'static str>,
    rank: Option<i64>,
    lease_is_over: bool,
    answer_was_lost: bool,
    end: Option<Settlement>,
}

/// What a claim is answered; times are left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Granted(u64, u32),
    Busy,
    Done(u64, Kept),
    Mismatch,
}

/// What a lookup tells; times are left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) state: &'static str,
    pub(super) fence: u64,
    pub(super) grants: u32,
    pub(super) reason: Option<String>,
    pub(super) result_len: Option<u64>,
}

impl Model {
    pub(super) fn claim(&mut self, owner: u128, fingerprint: Option<&'static str>, rank: Option<i64>) -> Said {
        let known = self.grants.iter().rev().find_map(|grant| grant.fingerprint);
        let differs = known.is_some() && fingerprint.is_some() && known != fingerprint;
        let fence = self.fence();
        if let Some(last) = self.grants.last_mut() {
            let failed = last.end.as_ref().is_some_and(|end| !is_final(end));
            if differs && !failed {
                return Said::Mismatch;
            }
            if let Some(end) = last.end.as_ref().filter(|end| is_final(end)) {
                return Said::Done(fence, kept(end));
            }
            if !failed {
                let outranked = match (rank, last.rank) {
                    (Some(new), Some(old)) => new > old,
                    (Some(_), None) => true,
                    (None, _) => false,
                };
                let (asked, before) = (format!("{owner:032x}"), format!("{:032x}", last.owner));
                last.answer_was_lost = asked.get(..24) == before.get(..24) && asked > before;
                if !(last.lease_is_over || last.answer_was_lost || outranked) {
                    return Said::Busy;
                }
            }
        }
        if differs {
            self.steps.clear();
        }
        let end = None;
        self.grants.push(Grant { owner, fingerprint, rank, lease_is_over: false, answer_was_lost: false, end });
        Said::Granted(self.fence(), self.counted())
    }

    pub(super) fn fence(&self) -> u64 {
        self.grants.iter().map(|_| 1).sum()
    }

    fn counted(&self) -> u32 {
        let uncounted = |grant: &Grant| grant.answer_was_lost || matches!(grant.end, Some(Settlement::Released { .. }));
        self.grants.iter().map(|grant| u32::from(!uncounted(grant))).sum()
    }

    /// The grant, if it is this one that the key had last.
    fn held(&mut self, fence: u64, owner: u128) -> Option<&mut Grant> {
        let is_last = self.fence() == fence;
        self.grants.last_mut().filter(|grant| is_last && grant.owner == owner)
    }

    pub(super) fn renew(&mut self, fence: u64, owner: u128) -> bool {
        self.held(fence, owner).is_some_and(|grant| !grant.lease_is_over && grant.end.is_none())
    }

    /// Time has passed, and the lease of the last grant was short.
    pub(super) fn expire(&mut self) {
        if let Some(last) = self.grants.last_mut() {
            last.lease_is_over = true;
        }
    }

    pub(super) fn settle(&mut self, fence: u64, owner: u128, end: &Settlement) -> bool {
        let Some(grant) = self.held(fence, owner) else { return false };
        let first = grant.end.get_or_insert_with(|| end.clone());
        is_final(first) == is_final(end)
    }

    /// Whether the last grant has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.grants.last().is_some_and(|grant| grant.end.is_some())
    }

    pub(super) fn forget(&mut self) {
        *self = Model::default();
    }

    pub(super) fn step(&self, name: &str) -> Option<&'static str> {
        self.steps.get(name).copied()
    }

    pub(super) fn keep_step(
        &mut self,
        fence: u64,
        owner: u128,
        name: &'static str,
        result: &'static str,
    ) -> Option<&'static str> {
        self.held(fence, owner).filter(|grant| grant.end.is_none())?;
        Some(self.steps.entry(name).or_insert(result))
    }

    pub(super) fn lookup(&self) -> Option<Told> {
        let last = self.grants.last()?;
        let (mut reason, mut result_len) = (None, None);
        match &last.end {
            Some(Settlement::Done { result, .. }) => result_len = Some(result.iter().map(|_| 1).sum()),
            Some(Settlement::Failed { reason: why, .. } | Settlement::FailedForGood { reason: why, .. }) => {
                reason = Some(why.to_string());
            }
            Some(Settlement::DoneNotKept { .. } | Settlement::Released { .. }) | None => {}
        }
        let state = match &last.end {
            None if last.lease_is_over => "stale",
            None => "running",
            Some(end) if is_final(end) => "done",
            Some(_) => "failed",
        };
        Some(Told { state, fence: self.fence(), grants: self.counted(), reason, result_len })
    }
}

fn is_final(end: &Settlement) -> bool {
    !matches!(end, Settlement::Failed { .. } | Settlement::Released { .. })
}

fn kept(end: &Settlement) -> Kept {
    match end {
        Settlement::Done { result, content_type, .. } => {
            Kept::Result { bytes: result.clone(), content_type: content_type.clone() }
        }
        Settlement::FailedForGood { reason, .. } => Kept::Failed(reason.clone()),
        Settlement::DoneNotKept { .. } | Settlement::Failed { .. } | Settlement::Released { .. } => Kept::Nothing,
    }
}
