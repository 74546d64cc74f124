//! A store that can be told to be down, slow, or to lose its answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use seaworthy_ledger::Held;
use seaworthy_ledger::store::{Answer, Attempt, Holder, LedgerStore, Renewal, Settlement, StepKept};
use seaworthy_ledger::{Entry, ErrorClass, Key, Memory, StoreError};
use seaworthy_store::time::sleep;

/// What the store does in place of its work.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Fault {
    #[default]
    None,
    /// Answers at once that it cannot be reached.
    Down,
    /// Answers at once that it is not usable.
    Refused,
    /// Accepts, and never answers; nothing is done.
    Hangs,
    /// Does it, and the answer never comes.
    LosesAnswers,
    /// Does it, and answers later.
    Slow(Duration),
    /// Says that the row is locked by a transaction.
    Locked,
    /// Answers a renewal with fewer answers than it was asked for.
    TooFew,
    /// Panics in place of an answer.
    Panics,
}

#[derive(Clone, Default)]
pub(crate) struct Faulty {
    pub(crate) inner: Memory,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    attempts: Vec<Attempt>,
    fault: Fault,
    /// Of some requests only.
    faults: HashMap<&'static str, Fault>,
    calls: Vec<&'static str>,
    counts: HashMap<&'static str, usize>,
}

impl State {
    fn fault_of(&self, what: &str) -> Fault {
        self.faults.get(what).copied().unwrap_or(self.fault)
    }
}

impl Faulty {
    pub(crate) fn set(&self, fault: Fault) {
        self.state.lock().unwrap().fault = fault;
    }

    /// For these requests only, by the name of the method.
    pub(crate) fn set_for(&self, what: &'static str, fault: Fault) {
        self.state.lock().unwrap().faults.insert(what, fault);
    }

    /// From now on it works.
    pub(crate) fn heal(&self) {
        let mut state = self.state.lock().unwrap();
        state.fault = Fault::None;
        state.faults.clear();
    }

    /// How often it was asked this, whatever came of it.
    pub(crate) fn count(&self, what: &str) -> usize {
        self.state.lock().unwrap().counts.get(what).copied().unwrap_or(0)
    }

    /// What was asked for, since this was last called.
    pub(crate) fn take_calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.state.lock().unwrap().calls)
    }

    /// Carries out every claim that was ever asked for, as a store does that was held up on the way.
    pub(crate) async fn carry_out_late(&self) {
        let attempts = self.state.lock().unwrap().attempts.clone();
        for attempt in attempts {
            let _answer_to_nobody = self.inner.claim(&attempt).await;
        }
    }

    async fn asked<T>(
        &self,
        what: &'static str,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let fault = {
            let mut state = self.state.lock().unwrap();
            state.calls.push(what);
            *state.counts.entry(what).or_default() += 1;
            state.fault_of(what)
        };
        match fault {
            Fault::None | Fault::Locked | Fault::TooFew => work.await,
            Fault::Panics => panic!("told to panic"),
            Fault::Down => Err(StoreError::new(ErrorClass::Unavailable, what, "told to be down")),
            Fault::Refused => Err(StoreError::new(ErrorClass::Refused, what, "told to refuse")),
            Fault::Hangs => std::future::pending().await,
            Fault::LosesAnswers => {
                let _lost = work.await;
                std::future::pending().await
            }
            Fault::Slow(span) => {
                let answer = work.await;
                sleep(span).await;
                answer
            }
        }
    }
}

impl LedgerStore for Faulty {
    async fn claim(&self, attempt: &Attempt) -> Result<Answer, StoreError> {
        self.state.lock().unwrap().attempts.push(attempt.clone());
        self.asked("claim", self.inner.claim(attempt)).await
    }

    async fn renew(&self, leases: &[(Holder, Duration)]) -> Result<Vec<Renewal>, StoreError> {
        let answer = self.asked("renew", self.inner.renew(leases)).await?;
        Ok(match self.state.lock().unwrap().fault_of("renew") {
            Fault::Locked => vec![Renewal::Locked; leases.len()],
            Fault::TooFew => Vec::new(),
            _ => answer,
        })
    }

    async fn settle(&self, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
        self.asked("settle", self.inner.settle(holder, settlement)).await
    }

    async fn lookup(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.asked("lookup", self.inner.lookup(key)).await
    }

    async fn sweep(&self, most: u32) -> Result<u64, StoreError> {
        self.asked("sweep", self.inner.sweep(most)).await
    }

    async fn stale(&self) -> Result<u64, StoreError> {
        self.asked("stale", self.inner.stale()).await
    }

    async fn step(&self, key: &Key, name: &str) -> Result<Option<Bytes>, StoreError> {
        self.asked("step", self.inner.step(key, name)).await
    }

    async fn keep_step(&self, holder: &Holder, name: &str, result: &Bytes) -> Result<StepKept, StoreError> {
        self.asked("keep_step", self.inner.keep_step(holder, name, result)).await
    }
}
