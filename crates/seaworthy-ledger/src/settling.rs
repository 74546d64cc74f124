//! How a claim ends, at once or in the background.

use seaworthy_store::retry_wait::RetryWait;
use seaworthy_store::time::{now, sleep};
use tokio::runtime::Handle;

use crate::claim::Claim;
use crate::claim_ref::ClaimRef;
use crate::held_answer::Held;
use crate::outcome::SettleOutcome;
use crate::store::{LedgerStore, Settlement};
use crate::unsettled::Unsettled;

impl<S: LedgerStore> Claim<S> {
    pub(crate) async fn settle(self, settlement: Settlement) -> Result<Held, Unsettled<S>> {
        self.is_settling(true);
        let work = ClaimRef::clone(&self);
        let mut settling = Settling(Some((self, settlement)));
        let Some((_, settlement)) = &settling.0 else { return Ok(Held::Lost) };
        let answer = work.ledger.within(asked(settlement), work.ledger.0.store.settle(&work.holder, settlement)).await;
        let Some((claim, settlement)) = settling.0.take() else { return Ok(Held::Lost) };
        match answer {
            Ok(held) => {
                claim.close(outcome(&settlement, held));
                Ok(held)
            }
            Err(error) => {
                claim.is_settling(false);
                Err(Unsettled::new(claim, settlement, error.into()))
            }
        }
    }

    /// Settles it in a task of the ledger's, and tries again until the lease is over.
    pub(crate) fn settle_in_background(self, settlement: Settlement) {
        // Without a runtime the lease is all there is.
        let Ok(runtime) = Handle::try_current() else { return };
        let tasks = self.ledger.0.tasks.clone();
        tasks.spawn(&runtime, async move {
            let mut claim = self;
            claim.begin();
            let work = ClaimRef::clone(&claim);
            let (shared, mut wait) = (&work.ledger.0, RetryWait::default());
            loop {
                claim.is_settling(true);
                let request = shared.store.settle(&work.holder, &settlement);
                match work.ledger.within(asked(&settlement), request).await {
                    Ok(held) => return claim.close(outcome(&settlement, held)),
                    Err(error) if !error.is_unavailable() => return,
                    Err(_) => {}
                }
                let wait = wait.after_error();
                let end = shared.held.lock().lease_of(&work.holder).map(|lease| lease.sent + lease.span);
                if end.is_none_or(|end| end <= now() + wait) {
                    return;
                }
                sleep(wait).await;
            }
        });
    }
}

fn asked(settlement: &Settlement) -> &'static str {
    match settlement {
        Settlement::Failed { .. } => "fail",
        Settlement::Released { .. } => "release",
        _ => "complete",
    }
}

fn outcome(settlement: &Settlement, held: Held) -> SettleOutcome {
    match (held, settlement) {
        (Held::Lost, _) => SettleOutcome::Lost,
        (Held::Yes, Settlement::Failed { .. }) => SettleOutcome::Failed,
        (Held::Yes, Settlement::Released { .. }) => SettleOutcome::Released,
        (Held::Yes, _) => SettleOutcome::Done,
    }
}

/// A settlement that has begun, and goes on when its future is dropped.
struct Settling<S: LedgerStore>(Option<(Claim<S>, Settlement)>);

impl<S: LedgerStore> Drop for Settling<S> {
    fn drop(&mut self) {
        if let Some((claim, settlement)) = self.0.take() {
            claim.settle_in_background(settlement);
        }
    }
}
