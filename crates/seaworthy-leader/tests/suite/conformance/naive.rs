//! A store that is written as one would at first, with a switch for each mistake.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use seaworthy::Name;
use seaworthy_leader::conformance::{ElectorSubject, Subject};
use seaworthy_leader::store::{Acquired, Answers, Bid, Candidate, LeaseStore, Renewal, Row, RowTime, Tenure};
use seaworthy_leader::{LeaseElector, StoreError};
use seaworthy_store::time::{Instant, now, sleep};
use tokio::task::yield_now;

/// A mistake that a store can make. With `None` it makes none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    NeverTakesOver,
    NeverFrees,
    GrantsWhileHeld,
    RepeatsEpochs,
    ForgetsSeen,
    DeletesReleased,
    ForgetsTerms,
    KeepsEpochOfLostAnswers,
    FoldsCase,
    RenewsNothing,
    AddsToTheEnd,
    RenewsForAnybody,
    ComparesTermsOnly,
    RenewsWhatIsOver,
    RenewalsMakeRows,
    ReleasesForAnybody,
    AcquiresTooLate,
    RenewsTooLate,
    StopsTheClock,
    AnswersOutOfOrder,
    RenewsAHundred,
    LooksThenGrants,
    HidesHints,
    TellsTheWholeLease,
    ShowsWhatIsOver,
    LengthensWhenRefused,
    RenewalsForgetHolders,
    StaysLockedWhenDropped,
}

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

impl ElectorSubject for With {
    type Elector = LeaseElector<Naive>;

    async fn candidates(&self, number: usize) -> Vec<LeaseElector<Naive>> {
        let store = self.fresh().await;
        (0..number).map(|_| LeaseElector::with_store(store.clone()).build().unwrap()).collect()
    }

    async fn pass(&self, span: Duration) {
        sleep(span).await;
    }
}

#[derive(Clone)]
pub(super) struct Naive {
    fault: Fault,
    start: Instant,
    rows: Arc<Mutex<HashMap<String, NaiveRow>>>,
    locked: Arc<AtomicBool>,
}

#[derive(Clone, Default)]
struct NaiveRow {
    epoch: u64,
    term: u128,
    holder: String,
    hint: Option<String>,
    ttl: Duration,
    until: Duration,
}

impl Naive {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<String, NaiveRow>> {
        self.rows.lock().unwrap()
    }

    fn now(&self) -> Duration {
        now().saturating_duration_since(self.start)
    }

    fn at(&self) -> RowTime {
        let now = if self.is(Fault::StopsTheClock) { Duration::ZERO } else { self.now() };
        RowTime(i64::try_from(now.as_micros()).unwrap())
    }

    fn id(&self, name: &Name) -> String {
        if self.is(Fault::FoldsCase) { name.to_lowercase() } else { name.to_string() }
    }

    fn shown(&self, row: &NaiveRow) -> Row {
        let left = if self.is(Fault::TellsTheWholeLease) { row.ttl } else { row.until.saturating_sub(self.now()) };
        let hint = row.hint.as_deref().filter(|_| !self.is(Fault::HidesHints)).map(Box::from);
        Row { holder: row.holder.as_str().into(), epoch: row.epoch, hint, left }
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

    async fn bid(&self, candidate: &Candidate<'_>, bid: &Bid) -> Acquired {
        let before = self.rows().get(&self.id(&bid.name)).cloned().unwrap_or_default();
        if self.is(Fault::LooksThenGrants) {
            yield_now().await;
        }
        let is_over = before.until <= self.now() && !(self.is(Fault::NeverTakesOver) && before.term != 0);
        let is_mine = before.term == bid.term && !self.is(Fault::ForgetsTerms);
        if !is_over && !is_mine && !self.is(Fault::GrantsWhileHeld) {
            if self.is(Fault::LengthensWhenRefused) {
                self.rows().get_mut(&self.id(&bid.name)).unwrap().until += Duration::from_secs(1);
            }
            return Acquired::Held(self.shown(&before));
        }
        let seen = if self.is(Fault::ForgetsSeen) { 0 } else { bid.seen };
        let keeps =
            (self.is(Fault::RepeatsEpochs) || (self.is(Fault::KeepsEpochOfLostAnswers) && is_mine)) && before.epoch > 0;
        let epoch = if keeps { before.epoch } else { before.epoch.max(seen) + 1 };
        let row = NaiveRow {
            epoch,
            term: bid.term,
            holder: candidate.holder.to_owned(),
            hint: candidate.hint.map(str::to_owned),
            ttl: candidate.ttl,
            until: self.now() + candidate.ttl,
        };
        self.rows().insert(self.id(&bid.name), row);
        Acquired::Granted { epoch, before: before.epoch }
    }

    fn renewal(&self, tenure: &Tenure, ttl: Duration) -> Renewal {
        let mut rows = self.rows();
        if self.is(Fault::RenewalsMakeRows) {
            let made = NaiveRow { until: self.now() + ttl, ..NaiveRow::default() };
            rows.entry(self.id(&tenure.name)).or_insert(made);
        }
        let Some(row) = rows.get_mut(&self.id(&tenure.name)) else { return Renewal::Lost };
        let is_term = row.term == tenure.term || self.is(Fault::RenewsForAnybody);
        let is_epoch = row.epoch == tenure.epoch || self.is(Fault::ComparesTermsOnly);
        let is_live = row.until > self.now() || self.is(Fault::RenewsWhatIsOver);
        if !is_term || !is_epoch || !is_live {
            return Renewal::Lost;
        }
        if self.is(Fault::RenewalsForgetHolders) {
            row.hint = None;
        }
        if self.is(Fault::AddsToTheEnd) {
            row.until += ttl;
        } else if !self.is(Fault::RenewsNothing) {
            row.until = self.now() + ttl;
        }
        Renewal::Renewed
    }
}

impl LeaseStore for Naive {
    async fn acquire(
        &self,
        candidate: &Candidate<'_>,
        bids: &[Bid],
        begin_by: RowTime,
    ) -> Result<Answers<Acquired>, StoreError> {
        self.enter().await;
        let at = self.at();
        let mut each = Vec::new();
        for bid in bids {
            let is_late = at > begin_by && !self.is(Fault::AcquiresTooLate);
            each.push(if is_late { Acquired::Late } else { self.bid(candidate, bid).await });
        }
        Ok(Answers { at, each })
    }

    async fn renew(
        &self,
        tenures: &[Tenure],
        ttl: Duration,
        begin_by: RowTime,
    ) -> Result<Answers<Renewal>, StoreError> {
        self.enter().await;
        let at = self.at();
        let is_late = at > begin_by && !self.is(Fault::RenewsTooLate);
        let renewed = tenures.iter().enumerate().map(|(n, tenure)| match n {
            _ if is_late => Renewal::Late,
            100.. if self.is(Fault::RenewsAHundred) => Renewal::Lost,
            _ => self.renewal(tenure, ttl),
        });
        let mut each: Vec<_> = renewed.collect();
        if self.is(Fault::AnswersOutOfOrder) {
            each.reverse();
        }
        Ok(Answers { at, each })
    }

    async fn release(&self, name: &Name, term: u128) -> Result<(), StoreError> {
        self.enter().await;
        let mut rows = self.rows();
        let id = self.id(name);
        let Some(row) = rows.get_mut(&id) else { return Ok(()) };
        if (row.term == term || self.is(Fault::ReleasesForAnybody)) && !self.is(Fault::NeverFrees) {
            row.until = row.until.min(self.now());
            row.term = 0;
            if self.is(Fault::DeletesReleased) {
                rows.remove(&id);
            }
        }
        Ok(())
    }

    async fn read(&self, names: &[Name]) -> Result<Answers<Option<Row>>, StoreError> {
        self.enter().await;
        let rows = self.rows();
        let read = |name| {
            let row = rows.get(&self.id(name))?;
            (row.until > self.now() || self.is(Fault::ShowsWhatIsOver)).then(|| self.shown(row))
        };
        Ok(Answers { at: self.at(), each: names.iter().map(read).collect() })
    }
}
