use std::fmt;
use std::mem;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use seaworthy::Shutdown;
use seaworthy_store::time::now;
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::claim_ref::ClaimRef;
use crate::completion::{Completion, shortened};
use crate::error::LedgerError;
use crate::event::Event;
use crate::held::{HeldLease, Renewing};
use crate::held_answer::Held;
use crate::memory::Memory;
use crate::outcome::SettleOutcome;
use crate::renewing::{self, RenewingTask};
use crate::store::{LedgerStore, Renewal, Settlement};
use crate::unsettled::Unsettled;

/// A key that is this process's to work on, until it is settled, lost, or its lease is over.
///
/// A claim that is dropped is given back in the background if [`begin`](Self::begin) was not called; otherwise nobody
/// knows how far the work came, and the key is free when the lease is over.
#[must_use = "a claim that is dropped is given back"]
pub struct Claim<S: LedgerStore = Memory> {
    work: ClaimRef<S>,
    keep: Option<Duration>,
    has_begun: bool,
    is_open: bool,
}

impl<S: LedgerStore> Claim<S> {
    pub(crate) fn new(work: ClaimRef<S>, keep: Option<Duration>) -> Claim<S> {
        Claim { work, keep, has_begun: false, is_open: true }
    }

    /// Says that the work is about to begin, so that a drop does not give the claim back.
    pub fn begin(&mut self) {
        self.has_begun = true;
    }

    /// Renews the lease every third of it, in a task of the ledger's, until the claim is settled or dropped. The
    /// shutdown is requested when the claim is lost: because the store says so, or because no renewal has succeeded
    /// until a fifteenth of the lease before it is over; or because the renewing ended before its time, with its
    /// runtime or a store that panicked. Work that goes on after that may overlap with another's.
    ///
    /// A process that was stopped finds its time over at its first look. A machine that was suspended may not, because
    /// its monotonic clock stood still: then only the fence tells.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled.
    pub fn hold(&mut self) -> Shutdown {
        if let Some(lost) = &self.work.lost {
            return lost.clone();
        }
        // Before anything is changed, because it panics.
        let runtime = Handle::current();
        let (trigger, lost) = Shutdown::new();
        self.work.lost = Some(lost.clone());
        let shared = &self.work.ledger.0;
        let (must_start, is_sooner) = {
            let mut keys = shared.held.lock();
            let Some(lease) = keys.lease_of(&self.work.holder) else {
                // Somebody of a higher rank has it.
                drop(keys);
                trigger.fire();
                return lost;
            };
            let due = lease.sent + lease.span / 3;
            lease.renewing = Some(Renewing { lost: trigger, due });
            let is_sooner = keys.next_look.is_some_and(|next| due < next);
            (!mem::replace(&mut keys.is_renewing, true), is_sooner)
        };
        if must_start {
            if runtime.runtime_flavor() == RuntimeFlavor::CurrentThread {
                shared.warned.call_once(|| shared.notify(&Event::SingleThread { ledger: &shared.name }));
            }
            shared.tasks.spawn_apart(&runtime, renewing::renew(RenewingTask::new(Arc::clone(shared))));
        } else if is_sooner {
            shared.held.changed.notify_one();
        }
        lost
    }

    /// Moves the end of the lease to one lease from now, by the store's clock.
    ///
    /// # Errors
    /// [`LedgerError::Store`] if the store gave no answer, or refused.
    ///
    /// # Cancellation
    /// Dropping it loses nothing; the next renewal does it.
    pub async fn renew(&mut self) -> Result<Held, LedgerError> {
        let (ledger, holder) = (&self.work.ledger, &self.work.holder);
        let sent = now();
        let asked = [(holder.clone(), self.work.lease)];
        let answer = ledger.within("renew", ledger.0.store.renew(&asked)).await?;
        match answer.first() {
            Some(Renewal::Lost) | None => return Ok(Held::Lost),
            // The transaction that holds the row is our own.
            Some(Renewal::Locked) => {}
            Some(Renewal::Renewed) => {
                let mut keys = ledger.0.held.lock();
                if let Some(HeldLease { sent: last, span, renewing, .. }) = keys.lease_of(holder) {
                    *last = sent;
                    if let Some(renewing) = renewing {
                        renewing.due = sent + *span / 3;
                    }
                }
            }
        }
        Ok(Held::Yes)
    }

    /// Records that the work was done, for good. A lease that is over, but was taken by nobody, is completed all the
    /// same.
    ///
    /// # Errors
    /// If the store gave no answer or refused, or the result is too large; the claim is in the error. Dropped with that
    /// it is left to its lease, because the work was begun.
    ///
    /// # Cancellation
    /// Once it has begun it goes on in the background, to the end of the lease.
    pub async fn complete(mut self, completion: impl Into<Completion>) -> Result<Held, Unsettled<S>> {
        self.begin();
        let completion = completion.into();
        let checked = self.work.ledger.0.settings.check_result(completion.size());
        let settlement = completion.into_settlement(self.keep);
        if let Err(error) = checked {
            return Err(Unsettled::new(self, settlement, error));
        }
        self.settle(settlement).await
    }

    /// The same for a result that was held to a limit of its own.
    #[cfg(feature = "http")]
    pub(crate) async fn complete_unchecked(mut self, completion: Completion) -> Result<Held, Unsettled<S>> {
        self.begin();
        let settlement = completion.into_settlement(self.keep);
        self.settle(settlement).await
    }

    /// Makes the key free at once and keeps the reason, of which 1,024 bytes are stored.
    ///
    /// # Errors
    /// If the store gave no answer or refused; the claim is in the error.
    ///
    /// # Cancellation
    /// Once it has begun it goes on in the background, to the end of the lease.
    pub async fn fail(mut self, reason: impl Into<String>) -> Result<Held, Unsettled<S>> {
        self.begin();
        let (reason, keep) = (shortened(reason.into()), self.keep);
        self.settle(Settlement::Failed { reason, keep }).await
    }

    /// Makes the key free at once, for work that was not begun: it does not count as a grant.
    ///
    /// # Errors
    /// If the store gave no answer or refused; the claim is in the error.
    ///
    /// # Cancellation
    /// Once it has begun it goes on in the background, to the end of the lease.
    pub async fn release(self) -> Result<Held, Unsettled<S>> {
        let keep = self.keep;
        self.settle(Settlement::Released { keep }).await
    }

    /// A renewal that the store serves after the settlement may be answered before it.
    pub(crate) fn is_settling(&self, is_settling: bool) {
        // What is not renewed is not told, and need not be looked for.
        if self.work.lost.is_some()
            && let Some(lease) = self.work.ledger.0.held.lock().lease_of(&self.work.holder)
        {
            lease.is_settling = is_settling;
        }
    }

    /// Says that the claim was settled by other means: in a transaction that has committed. Nothing is asked of the
    /// store.
    pub fn settled(self) {
        self.close(SettleOutcome::Done);
    }

    pub(crate) fn close(mut self, outcome: SettleOutcome) {
        self.forget();
        let shared = &self.work.ledger.0;
        shared.notify(&Event::Settled { ledger: &shared.name, key: &self.work.holder.key, outcome });
    }

    /// From here on it is not renewed.
    fn forget(&mut self) {
        self.is_open = false;
        let shared = &self.work.ledger.0;
        if shared.held.forget(&self.work.holder) {
            shared.notify(&Event::Holding { ledger: &shared.name, step: -1 });
        }
    }

    /// For stores of a caller's transaction.
    pub(crate) fn checked(&self, completion: Completion) -> Result<Settlement, LedgerError> {
        self.work.ledger.0.settings.check_result(completion.size())?;
        Ok(completion.into_settlement(self.keep))
    }

    /// How long its outcome is kept.
    pub(crate) fn keep(&self) -> Option<Duration> {
        self.keep
    }

    /// [`fail`](Self::fail) for who cannot wait: in a drop, or while a panic goes on.
    pub(crate) fn fail_in_background(self, reason: String) {
        let (reason, keep) = (shortened(reason), self.keep);
        self.settle_in_background(Settlement::Failed { reason, keep });
    }

    /// Whether [`begin`](Self::begin) was called.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun
    }
}

impl<S: LedgerStore> Drop for Claim<S> {
    fn drop(&mut self) {
        if !self.is_open {
            return;
        }
        if self.has_begun || Handle::try_current().is_err() {
            self.forget();
            return;
        }
        self.is_open = false;
        let claim = Claim { work: self.work.clone(), keep: self.keep, has_begun: true, is_open: true };
        claim.settle_in_background(Settlement::Released { keep: self.keep });
    }
}

impl<S: LedgerStore> Deref for Claim<S> {
    type Target = ClaimRef<S>;

    fn deref(&self) -> &ClaimRef<S> {
        &self.work
    }
}

impl<S: LedgerStore> fmt::Debug for Claim<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("key", &self.work.holder.key)
            .field("fence", &self.work.holder.fence)
            .field("has_begun", &self.has_begun)
            .finish_non_exhaustive()
    }
}
