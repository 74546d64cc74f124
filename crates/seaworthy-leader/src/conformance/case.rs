use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use seaworthy::Name;
use seaworthy_store::{StoreError, random};

use super::Subject;
use crate::store::{Acquired, Bid, Candidate, LeaseStore, Renewal, Row, RowTime, Tenure};

/// So long that it does not end while a check runs.
pub(super) const LONG: Duration = Duration::from_secs(3_600);
/// So short that it is over after [`PAST`].
pub(super) const BRIEF: Duration = Duration::from_millis(5);
pub(super) const PAST: Duration = Duration::from_millis(50);
/// Whoever has not answered by then never does.
const ANSWER: Duration = Duration::from_secs(30);
/// Later than anything is begun.
pub(super) const WHENEVER: RowTime = RowTime(i64::MAX);

/// One check, the statement it holds the store to, and the store.
pub(super) struct Case<S: Subject> {
    number: &'static str,
    subject: S,
    pub(super) store: S::Store,
}

/// A lease that does not end.
pub(super) const CANDIDATE: Candidate<'static> = Candidate { holder: "candidate", hint: Some("hint"), ttl: LONG };

/// By a new term of somebody who has seen nothing.
pub(super) fn bid(name: &str) -> Bid {
    Bid { name: Name::from(name.to_owned()), term: random::unique(), seen: 0 }
}

impl<S: Subject> Case<S> {
    pub(super) async fn of(subject: &S, number: &'static str) -> Case<S> {
        Case { number, subject: subject.clone(), store: subject.fresh().await }
    }

    pub(super) async fn pass(&self, span: Duration) {
        self.subject.pass(span).await;
    }

    pub(super) fn expect<T: PartialEq + Debug>(&self, what: &str, answered: T, expected: T) {
        assert!(answered == expected, "{}: {what}: expected {expected:?}, answered {answered:?}", self.number);
    }

    pub(super) fn check(&self, what: &str, answered: impl Debug, holds: bool) {
        assert!(holds, "{}: {what}: answered {answered:?}", self.number);
    }

    pub(super) async fn ask<T>(&self, asked: &str, request: impl Future<Output = Result<T, StoreError>>) -> T {
        match tokio::time::timeout(ANSWER, request).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => panic!("{}: {asked}: expected an answer, failed with {error}", self.number),
            Err(_) => panic!("{}: {asked}: expected an answer, and got none in {ANSWER:?}", self.number),
        }
    }

    pub(super) async fn acquire_all(
        &self,
        candidate: &Candidate<'_>,
        bids: &[Bid],
        begin_by: RowTime,
    ) -> Vec<Acquired> {
        let answers = self.ask("an acquisition", self.store.acquire(candidate, bids, begin_by)).await;
        self.expect("answers to an acquisition", answers.each.len(), bids.len());
        answers.each
    }

    pub(super) async fn acquire(&self, ttl: Duration, bid: &Bid) -> Acquired {
        let candidate = Candidate { ttl, ..CANDIDATE };
        let answers = self.acquire_all(&candidate, std::slice::from_ref(bid), WHENEVER).await;
        answers.into_iter().next().unwrap_or(Acquired::Late)
    }

    /// What is granted, as it is to be.
    pub(super) async fn granted(&self, what: &str, ttl: Duration, bid: &Bid, epoch: u64, before: u64) -> Tenure {
        self.expect(what, self.acquire(ttl, bid).await, Acquired::Granted { epoch, before });
        Tenure { name: bid.name.clone(), epoch, term: bid.term }
    }

    pub(super) async fn held(&self, what: &str, bid: &Bid) -> Row {
        match self.acquire(LONG, bid).await {
            Acquired::Held(row) => row,
            other => panic!("{}: {what}: expected Held, answered {other:?}", self.number),
        }
    }

    pub(super) async fn renew_all(&self, tenures: &[Tenure], ttl: Duration, begin_by: RowTime) -> Vec<Renewal> {
        let answers = self.ask("a renewal", self.store.renew(tenures, ttl, begin_by)).await;
        self.expect("answers to a renewal", answers.each.len(), tenures.len());
        answers.each
    }

    pub(super) async fn renew(&self, tenure: &Tenure, ttl: Duration) -> Renewal {
        let answers = self.renew_all(std::slice::from_ref(tenure), ttl, WHENEVER).await;
        answers.first().copied().unwrap_or(Renewal::Late)
    }

    pub(super) async fn release(&self, tenure: &Tenure) {
        self.ask("a release", self.store.release(&tenure.name, tenure.term)).await;
    }

    pub(super) async fn read(&self, name: &Name) -> Option<Row> {
        let answers = self.ask("a reading", self.store.read(std::slice::from_ref(name))).await;
        self.expect("answers to a reading", answers.each.len(), 1);
        answers.each.into_iter().next().flatten()
    }

    pub(super) async fn clock(&self) -> RowTime {
        self.ask("a reading of nothing", self.store.read(&[])).await.at
    }
}
