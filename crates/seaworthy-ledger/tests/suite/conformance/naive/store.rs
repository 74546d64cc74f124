use std::time::Duration;

use bytes::Bytes;
use seaworthy_ledger::Held;
use seaworthy_ledger::store::LedgerStore;
use seaworthy_ledger::store::{Answer, Attempt, Holder, Renewal, Settlement, StepKept};
use seaworthy_ledger::{Entry, EntryState, Key, StoreError};
use tokio::task::yield_now;

use super::super::fault::Fault;
use super::{Naive, Row};

impl LedgerStore for Naive {
    async fn claim(&self, attempt: &Attempt) -> Result<Answer, StoreError> {
        self.enter().await;
        let id = self.id(&attempt.key);
        let refusal = {
            let mut rows = self.rows();
            let row = rows.get_mut(&id).filter(|row| !row.swept);
            let refusal = row.and_then(|row| self.refusal(row, attempt));
            if refusal.is_none() && !self.is(Fault::LooksThenGrants) {
                return Ok(self.granted(&mut rows, &id, attempt));
            }
            refusal
        };
        yield_now().await;
        Ok(refusal.unwrap_or_else(|| self.granted(&mut self.rows(), &id, attempt)))
    }

    async fn renew(&self, leases: &[(Holder, Duration)]) -> Result<Vec<Renewal>, StoreError> {
        self.enter().await;
        let (now, mut rows) = (self.now(), self.rows());
        let renewed = leases.iter().enumerate().map(|(number, (holder, lease))| {
            if self.is(Fault::RenewsAHundred) && number >= 100 {
                return Renewal::Renewed;
            }
            let Some(row) = rows.get_mut(&self.id(&holder.key)) else { return Renewal::Lost };
            let holds = self.holds(row, holder) || self.is(Fault::RenewsForAnybody);
            let live = now < row.until || self.is(Fault::RenewsWhatIsOver);
            if row.swept || row.end.is_some() || !holds || !live {
                return Renewal::Lost;
            }
            match self.fault {
                Fault::RenewsNothing => {}
                Fault::AddsToTheEnd => row.until += *lease,
                _ => (row.lease, row.until) = (*lease, now + *lease),
            }
            Renewal::Renewed
        });
        let mut renewed: Vec<_> = renewed.collect();
        if self.is(Fault::AnswersOutOfOrder) {
            renewed.sort_by_key(|answer| *answer == Renewal::Lost);
        }
        Ok(renewed)
    }

    async fn settle(&self, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
        self.enter().await;
        let id = self.id(&holder.key);
        {
            let mut rows = self.rows();
            let Some(row) = rows.get_mut(&id) else { return Ok(Held::Lost) };
            if let Some(held) = self.settled_before(row, holder, settlement) {
                return Ok(held);
            }
            match self.fault {
                Fault::LooksThenSettles => {}
                Fault::SettlesInTwoSteps => self.end(row, settlement),
                _ => {
                    self.uncount(row, settlement);
                    self.end(row, settlement);
                    return Ok(Held::Yes);
                }
            }
        }
        yield_now().await;
        if let Some(row) = self.rows().get_mut(&id) {
            self.uncount(row, settlement);
            self.end(row, settlement);
        }
        Ok(Held::Yes)
    }

    async fn lookup(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.enter().await;
        let rows = self.rows();
        let Some(row) = rows.get(&self.id(key)).filter(|row| !row.swept) else { return Ok(None) };
        if row.is_failed() && self.is(Fault::HidesFailures) {
            return Ok(None);
        }
        let state = match row.end {
            None => EntryState::Running { left: row.until.saturating_sub(self.now()) },
            Some(_) if row.is_done() => EntryState::Done,
            Some(_) => EntryState::Failed,
        };
        let (first_at, started_at) = (Self::date(row.first_at), Self::date(row.started_at));
        let mut entry = Entry::new(state, row.fence, row.grants, first_at, started_at);
        entry.finished_at = row.end.as_ref().map(|_| Self::date(row.ended_at));
        match &row.end {
            Some(Settlement::Done { result, .. }) => entry.result_len = Some(u64::try_from(result.len()).unwrap()),
            Some(Settlement::Failed { reason, .. } | Settlement::FailedForGood { reason, .. }) => {
                entry.reason = (!self.is(Fault::ForgetsReasons)).then(|| reason.clone());
            }
            _ => {}
        }
        Ok(Some(entry))
    }

    async fn sweep(&self, most: u32) -> Result<u64, StoreError> {
        self.enter().await;
        let (now, mut rows) = (self.now(), self.rows());
        let runs_again = self.is(Fault::SweepsWhatRunsAgain);
        let over = |row: &Row| (row.end.is_some() || runs_again) && row.expires.is_some_and(|at| at <= now);
        let mut over: Vec<_> = rows.values_mut().filter(|row| !row.swept && over(row)).collect();
        over.sort_by_key(|row| row.expires);
        let mut most = usize::try_from(most).unwrap();
        match self.fault {
            Fault::SweepsNothing => most = 0,
            Fault::SweepsMoreThanAsked => most = usize::MAX,
            Fault::SweepsNewestFirst => over.reverse(),
            _ => {}
        }
        let over = over.into_iter().take(most).map(|row| row.swept = true);
        Ok(u64::try_from(over.count()).unwrap())
    }

    async fn stale(&self) -> Result<u64, StoreError> {
        self.enter().await;
        let (now, rows) = (self.now(), self.rows());
        let all = self.is(Fault::CountsAllAsStale);
        let stale = rows.values().filter(|row| row.end.is_none() && (row.until <= now || all));
        Ok(u64::try_from(stale.count()).unwrap())
    }

    async fn step(&self, key: &Key, name: &str) -> Result<Option<Bytes>, StoreError> {
        self.enter().await;
        let rows = self.rows();
        if self.is(Fault::SharesSteps) {
            return Ok(rows.values().find_map(|row| row.steps.get(name)).cloned());
        }
        let row = rows.get(&self.id(key)).filter(|row| !row.swept || self.is(Fault::KeepsStepsForEver));
        Ok(row.and_then(|row| row.steps.get(name)).cloned())
    }

    async fn keep_step(&self, holder: &Holder, name: &str, result: &Bytes) -> Result<StepKept, StoreError> {
        self.enter().await;
        let mut rows = self.rows();
        let anybody = self.is(Fault::StoresStepsOfAnybody);
        let row = rows.get_mut(&self.id(&holder.key)).filter(|row| !row.swept);
        let Some(row) = row.filter(|row| anybody || row.end.is_none() && self.holds(row, holder)) else {
            return Ok(StepKept::Lost);
        };
        if self.is(Fault::OverwritesSteps) {
            row.steps.remove(name);
        }
        Ok(StepKept::Stored(row.steps.entry(name.to_owned()).or_insert_with(|| result.clone()).clone()))
    }
}
