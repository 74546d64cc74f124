use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use seaworthy_store::{StoreError, random};

use super::Subject;
use crate::headers::Headers;
use crate::job_id::JobId;
use crate::store::{
    DeadLetters, Depth, Due, Entry, Held, Holder, NewJob, Producer, Received, Settlement, Source, Take, Taken,
};

/// So long that it does not end while a check runs.
pub(super) const LONG: Duration = Duration::from_secs(3_600);
/// So short that it is over after [`PAST`].
pub(super) const BRIEF: Duration = Duration::from_millis(50);
pub(super) const PAST: Duration = Duration::from_millis(120);
/// Whoever has not answered by then never does.
const ANSWER: Duration = Duration::from_secs(30);

/// One check, the statement it holds the store to, and the store.
pub(super) struct Case<S: Subject> {
    number: &'static str,
    subject: S,
    pub(super) store: S::Store,
}

pub(super) fn id(text: &str) -> JobId {
    match JobId::new(text) {
        Ok(id) => id,
        Err(error) => panic!("{error}"),
    }
}

pub(super) fn job(text: &str) -> NewJob {
    let body = Bytes::from(format!("\"{text}\""));
    NewJob { id: id(text), kind: "kind".into(), version: 1, headers: Headers::default(), body, due: Due::Now }
}

/// For one job, under an owner of its own, for a long time.
pub(super) fn take() -> Take {
    Take { owner: random::unique(), repeats: false, room: 1, visibility: LONG, max_deliveries: 1_000 }
}

pub(super) fn holder(take: &Take, taken: &Taken) -> Holder {
    Holder { id: taken.id.clone(), owner: take.owner, fence: taken.fence }
}

pub(super) const ACK: Settlement = Settlement::Ack { remember: None };

pub(super) fn retry(after: Duration) -> Settlement {
    Settlement::Retry { after, reason: "no luck".into() }
}

pub(super) fn dead(reason: &str) -> Settlement {
    Settlement::Dead { reason: reason.into() }
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

    pub(super) async fn enqueue(&self, jobs: &[NewJob]) -> Vec<Entry> {
        let entries = self.ask("enqueuing", self.store.enqueue(jobs, None)).await;
        self.expect("answers to an enqueuing", entries.len(), jobs.len());
        entries
    }

    /// All of them new.
    pub(super) async fn accept(&self, jobs: &[NewJob]) {
        let entries = self.enqueue(jobs).await;
        self.expect("enqueuing what is new", entries, vec![Entry::Accepted; jobs.len()]);
    }

    pub(super) async fn receive(&self, take: &Take) -> Received {
        let received = self.ask("a taking", self.store.receive(take, Duration::ZERO)).await;
        let most = usize::try_from(take.room).unwrap_or(usize::MAX);
        self.check("jobs for this room", received.jobs.len(), received.jobs.len() <= most);
        received
    }

    /// The ids of what was given.
    pub(super) async fn ids(&self, take: &Take) -> Vec<String> {
        self.receive(take).await.jobs.iter().map(|job| job.id.to_string()).collect()
    }

    /// One job, which has to be there.
    pub(super) async fn one(&self, what: &str, take: &Take) -> Taken {
        match self.receive(take).await.jobs.pop() {
            Some(taken) => taken,
            None => panic!("{}: {what}: expected a job, and there was none", self.number),
        }
    }

    pub(super) async fn none(&self, what: &str) {
        self.expect(what, self.ids(&take()).await, Vec::new());
    }

    pub(super) async fn settle(&self, holder: &Holder, settlement: &Settlement) -> Held {
        self.ask("a settlement", self.store.settle(holder, settlement)).await
    }

    pub(super) async fn extend(&self, holder: &Holder, visibility: Duration) -> Held {
        let held = self.ask("an extension", self.store.extend(std::slice::from_ref(holder), visibility)).await;
        self.expect("answers to an extension", held.len(), 1);
        held.first().copied().unwrap_or(Held::Lost)
    }

    pub(super) async fn depth(&self) -> Depth {
        self.ask("a count", self.store.depth()).await
    }

    pub(super) async fn dead_ids(&self) -> Vec<String> {
        let dead = self.ask("a list", self.store.list(None, 100)).await;
        dead.iter().map(|job| job.id.to_string()).collect()
    }
}
