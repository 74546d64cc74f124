use std::fmt::Debug;
use std::time::Duration;

use bytes::Bytes;
use seaworthy_store::{StoreError, random};

use crate::held_answer::Held;
use crate::key::Key;
use crate::record::{Entry, Kept, Record};
use crate::store::{Answer, Attempt, Holder, LedgerStore, Renewal, Settlement, StepKept};

use super::Subject;

/// So long that it does not end while a check runs.
pub(super) const LONG: Duration = Duration::from_secs(24 * 3600);
/// So short that it is over after [`PAST`].
pub(super) const BRIEF: Duration = Duration::from_millis(5);
pub(super) const PAST: Duration = Duration::from_millis(50);

/// One check, the statement it holds the store to, and the store.
pub(super) struct Case<S: Subject> {
    number: &'static str,
    subject: S,
    pub(super) store: S::Store,
}

pub(super) fn named(value: &str) -> Key {
    match Key::new("conformance", value) {
        Ok(key) => key,
        Err(error) => panic!("the suite's own key: {error}"),
    }
}

/// By a new owner, with a lease that does not end.
pub(super) fn ask(key: &Key) -> Attempt {
    Attempt { key: key.clone(), owner: random::unique(), lease: LONG, fingerprint: None, rank: None }
}

pub(super) fn done(result: &'static str) -> Settlement {
    let result = Bytes::from_static(result.as_bytes());
    Settlement::Done { result, content_type: "text/plain".into(), keep: Some(LONG) }
}

pub(super) fn failed(reason: &str) -> Settlement {
    Settlement::Failed { reason: reason.into(), keep: Some(LONG) }
}

pub(super) fn released() -> Settlement {
    Settlement::Released { keep: Some(LONG) }
}

/// One of each kind, those that are final first.
pub(super) fn each_settlement() -> [Settlement; 5] {
    [
        done("another result"),
        Settlement::DoneNotKept { keep: Some(LONG) },
        Settlement::FailedForGood { reason: "another end".into(), keep: Some(LONG) },
        failed("another reason"),
        released(),
    ]
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

    fn answered<T>(&self, asked: &str, answer: Result<T, StoreError>) -> T {
        match answer {
            Ok(answer) => answer,
            Err(error) => panic!("{}: {asked}: expected an answer, failed with {error}", self.number),
        }
    }

    pub(super) async fn claim(&self, attempt: &Attempt) -> Answer {
        self.answered("a claim", self.store.claim(attempt).await)
    }

    /// What is granted, as it is to be.
    pub(super) async fn granted(&self, what: &str, attempt: &Attempt, fence: u64, grants: u32) -> Holder {
        self.expect(what, self.claim(attempt).await, Answer::Granted { fence, grants });
        Holder { key: attempt.key.clone(), fence, owner: attempt.owner }
    }

    /// A first claim.
    pub(super) async fn first(&self, key: &Key) -> Holder {
        self.granted("a claim of a key that is unknown", &ask(key), 1, 1).await
    }

    pub(super) async fn busy(&self, what: &str, attempt: &Attempt) -> Duration {
        match self.claim(attempt).await {
            Answer::Busy { left } => left,
            other => panic!("{}: {what}: expected Busy, answered {other:?}", self.number),
        }
    }

    pub(super) async fn recorded(&self, what: &str, attempt: &Attempt, fence: u64, kept: &Kept) -> Record {
        match self.claim(attempt).await {
            Answer::Done(record) => {
                self.expect(what, (record.fence, &record.kept), (fence, kept));
                // What a record shows of itself is the length.
                self.check(what, "other bytes", record.kept == *kept);
                record
            }
            other => panic!("{}: {what}: expected Done, answered {other:?}", self.number),
        }
    }

    pub(super) async fn renew(&self, holder: &Holder, lease: Duration) -> Renewal {
        let answers = self.renew_all(&[(holder.clone(), lease)]).await;
        self.expect("answers to one renewal", answers.len(), 1);
        answers.first().copied().unwrap_or(Renewal::Lost)
    }

    pub(super) async fn renew_all(&self, leases: &[(Holder, Duration)]) -> Vec<Renewal> {
        self.answered("a renewal", self.store.renew(leases).await)
    }

    pub(super) async fn settle(&self, holder: &Holder, settlement: &Settlement) -> Held {
        self.answered("a settlement", self.store.settle(holder, settlement).await)
    }

    /// Settles what is held.
    pub(super) async fn settled(&self, holder: &Holder, settlement: &Settlement) {
        self.expect("settling what is held", self.settle(holder, settlement).await, Held::Yes);
    }

    pub(super) async fn lookup(&self, key: &Key) -> Option<Entry> {
        self.answered("a lookup", self.store.lookup(key).await)
    }

    pub(super) async fn entry(&self, key: &Key) -> Entry {
        match self.lookup(key).await {
            Some(entry) => entry,
            None => panic!("{}: a lookup of a key that is there: answered None", self.number),
        }
    }

    pub(super) async fn sweep(&self, most: u32) -> u64 {
        self.answered("a sweep", self.store.sweep(most).await)
    }

    pub(super) async fn stale(&self) -> u64 {
        self.answered("a count of what is stale", self.store.stale().await)
    }

    pub(super) async fn step(&self, key: &Key, name: &str) -> Option<Bytes> {
        self.answered("a step", self.store.step(key, name).await)
    }

    pub(super) async fn keep_step(&self, holder: &Holder, name: &str, result: &'static str) -> StepKept {
        let result = Bytes::from_static(result.as_bytes());
        self.answered("a step to be stored", self.store.keep_step(holder, name, &result).await)
    }

    /// Lets a lease of [`BRIEF`] end, as its holder.
    pub(super) async fn let_expire(&self, holder: &Holder) {
        self.expect("a renewal of what is held", self.renew(holder, BRIEF).await, Renewal::Renewed);
        self.pass(PAST).await;
    }
}
