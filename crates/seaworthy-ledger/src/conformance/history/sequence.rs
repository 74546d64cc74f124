use std::fmt::Debug;

use bytes::Bytes;
use seaworthy_store::StoreError;

use crate::conformance::Subject;
use crate::conformance::case::{BRIEF, LONG, PAST, named};
use crate::key::Key;
use crate::record::{Entry, EntryState};
use crate::store::{Answer, Attempt, Holder, LedgerStore, Renewal, StepKept};

use super::action::Action;
use super::chance::Chance;
use super::model::{Model, Said, Told};

const STEPS: usize = 40;

/// One history: two keys, their models, and everybody who ever held them.
pub(super) struct Sequence<'a, S: Subject> {
    subject: &'a S,
    store: &'a S::Store,
    chance: Chance,
    told: String,
    rows: [Row; 2],
}

struct Row {
    key: Key,
    model: Model,
    holders: Vec<Holder>,
}

impl<'a, S: Subject> Sequence<'a, S> {
    pub(super) fn new(subject: &'a S, store: &'a S::Store, seed: u64, number: usize) -> Sequence<'a, S> {
        let rows = ["a", "b"].map(|name| Row {
            key: named(&format!("{number} {name}")),
            model: Model::default(),
            holders: Vec::new(),
        });
        let told = format!("seed {seed}, sequence {number}:");
        Sequence { subject, store, chance: Chance::new(seed, number), told, rows }
    }

    pub(super) async fn run(mut self) {
        for _ in 0..STEPS {
            let chance = &mut self.chance;
            let Some(row) = self.rows.get_mut(chance.below(2)) else { return };
            let stranger = Holder { key: row.key.clone(), fence: 1, owner: 0 };
            let action = Action::random(chance, &row.holders, &stranger);
            self.told.push_str(&format!("\n  {:?} {action:?}", row.key));
            let step = Step { subject: self.subject, store: self.store, told: &self.told };
            step.take(row, action).await;
        }
        for row in &self.rows {
            let step = Step { subject: self.subject, store: self.store, told: &self.told };
            step.look(row).await;
        }
    }
}

struct Step<'a, S: Subject> {
    subject: &'a S,
    store: &'a S::Store,
    told: &'a str,
}

impl<S: Subject> Step<'_, S> {
    async fn take(&self, row: &mut Row, action: Action) {
        match action {
            Action::Claim { owner, fingerprint, rank, brief } => {
                self.claim(row, owner, fingerprint, rank, brief).await;
            }
            Action::Renew { holder, brief } => {
                let lease = if brief { BRIEF } else { LONG };
                let renewed = self.answer(self.store.renew(&[(holder.clone(), lease)]).await);
                let expected = row.model.renew(holder.fence, holder.owner);
                self.same(renewed, vec![if expected { Renewal::Renewed } else { Renewal::Lost }]);
                if brief && expected {
                    self.subject.pass(PAST).await;
                    row.model.expire();
                }
            }
            Action::Settle { holder, end } => {
                let held = self.answer(self.store.settle(&holder, &end).await);
                self.same(held.is_yes(), row.model.settle(holder.fence, holder.owner, &end));
            }
            Action::Forget { holder, end } => {
                // Only what this settles ends soon: a row that was settled before is kept as it was to be.
                let was_settled = row.model.has_ended();
                let held = self.answer(self.store.settle(&holder, &end).await);
                let expected = row.model.settle(holder.fence, holder.owner, &end);
                self.same(held.is_yes(), expected);
                if expected && !was_settled {
                    self.subject.pass(PAST).await;
                    self.sweep(&row.key).await;
                    row.model.forget();
                }
            }
            Action::KeepStep { holder, name, result } => {
                let bytes = Bytes::from_static(result.as_bytes());
                let kept = self.answer(self.store.keep_step(&holder, name, &bytes).await);
                let expected = row.model.keep_step(holder.fence, holder.owner, name, result);
                self.same(kept, expected.map_or(StepKept::Lost, |kept| StepKept::Stored(kept.into())));
            }
            Action::Step { name } => {
                let step = self.answer(self.store.step(&row.key, name).await);
                self.same(step, row.model.step(name).map(Bytes::from));
            }
            Action::Look => self.look(row).await,
        }
    }

    async fn claim(
        &self,
        row: &mut Row,
        owner: u128,
        fingerprint: Option<&'static str>,
        rank: Option<i64>,
        brief: bool,
    ) {
        let key = row.key.clone();
        let lease = if brief { BRIEF } else { LONG };
        let attempt = Attempt { key: key.clone(), owner, lease, fingerprint: fingerprint.map(Bytes::from), rank };
        let said = match self.answer(self.store.claim(&attempt).await) {
            Answer::Granted { fence, grants } => Said::Granted(fence, grants),
            Answer::Busy { left } if !left.is_zero() && left <= LONG => Said::Busy,
            Answer::Busy { left } => panic!("IN-08: {}\nbusy for {left:?}", self.told),
            Answer::Done(record) => Said::Done(record.fence, record.kept),
            Answer::Mismatch => Said::Mismatch,
        };
        let expected = row.model.claim(owner, fingerprint, rank);
        if let Said::Granted(fence, _) = expected {
            row.holders.push(Holder { key, fence, owner });
            if brief {
                self.subject.pass(PAST).await;
                row.model.expire();
            }
        }
        self.same(said, expected);
    }

    /// Until the row is gone: another sequence's sweep may have it, and not be done with it.
    async fn sweep(&self, key: &Key) {
        for _ in 0..100 {
            self.answer(self.store.sweep(1_000).await);
            if self.answer(self.store.lookup(key).await).is_none() {
                return;
            }
            self.subject.pass(BRIEF).await;
        }
        panic!("IN-08: {}\na row whose retention is over is there after 100 sweeps", self.told);
    }

    async fn look(&self, row: &Row) {
        let told = self.answer(self.store.lookup(&row.key).await).map(told);
        self.same(told, row.model.lookup());
    }

    fn same<T: PartialEq + Debug>(&self, answered: T, expected: T) {
        assert!(answered == expected, "IN-08: {}\nexpected {expected:?}, answered {answered:?}", self.told);
    }

    fn answer<T>(&self, answer: Result<T, StoreError>) -> T {
        match answer {
            Ok(answer) => answer,
            Err(error) => panic!("IN-08: {}\nexpected an answer, failed with {error}", self.told),
        }
    }
}

fn told(entry: Entry) -> Told {
    let state = match entry.state {
        EntryState::Running { left } if left.is_zero() => "stale",
        EntryState::Running { .. } => "running",
        EntryState::Done => "done",
        EntryState::Failed => "failed",
    };
    let reason = entry.reason.map(String::from);
    Told { state, fence: entry.fence, grants: entry.grants, reason, result_len: entry.result_len }
}
