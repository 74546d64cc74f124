use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::caught::panicked;
use crate::claim::Claim;
use crate::claim_ref::ClaimRef;
use crate::store::LedgerStore;

/// A claim that is renewed while it is worked under. Dropped, it is failed if the work was begun, and given back
/// otherwise.
pub(crate) struct HeldClaim<S: LedgerStore> {
    claim: Option<Claim<S>>,
    /// There once somebody waits for it.
    lost: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    reason: Option<String>,
}

impl<S: LedgerStore> HeldClaim<S> {
    pub(crate) fn new(mut claim: Claim<S>) -> HeldClaim<S> {
        claim.hold();
        HeldClaim { claim: Some(claim), lost: None, reason: None }
    }

    pub(crate) fn work(&self) -> Option<ClaimRef<S>> {
        self.claim.as_deref().cloned()
    }

    /// The inner service is about to be called.
    pub(crate) fn begin(&mut self) {
        if let Some(claim) = &mut self.claim {
            claim.begin();
        }
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.claim.as_ref().and_then(|claim| claim.lost()).is_some_and(|lost| lost.is_requested())
    }

    /// Ready once it is lost.
    pub(crate) fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.lost.is_none() {
            let Some(lost) = self.claim.as_ref().and_then(|claim| claim.lost()) else { return Poll::Pending };
            self.lost = Some(Box::pin(lost.clone().requested_owned()));
        }
        self.lost.as_mut().map_or(Poll::Pending, |lost| lost.as_mut().poll(cx))
    }

    /// For who settles it.
    pub(crate) fn into_claim(mut self) -> Option<Claim<S>> {
        self.claim.take()
    }

    /// Dropped, it is failed with the panic's message.
    pub(crate) fn fail_with(&mut self, panic: &(dyn Any + Send)) {
        self.reason = Some(panicked(panic));
    }
}

impl<S: LedgerStore> Drop for HeldClaim<S> {
    fn drop(&mut self) {
        let Some(claim) = self.claim.take() else { return };
        if claim.has_begun() {
            claim.fail_in_background(self.reason.take().unwrap_or_else(|| "dropped".to_owned()));
        }
    }
}
