use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::claim::Claim;
use crate::claim_ref::ClaimRef;
use crate::store::LedgerStore;

/// A claim that is renewed while it is worked under. Dropped, it is failed if the work was begun, and given back
/// otherwise.
pub(super) struct HeldClaim<S: LedgerStore> {
    claim: Option<Claim<S>>,
    /// There once somebody waits for it.
    lost: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    reason: Option<String>,
}

impl<S: LedgerStore> HeldClaim<S> {
    pub(super) fn new(mut claim: Claim<S>) -> HeldClaim<S> {
        claim.hold();
        HeldClaim { claim: Some(claim), lost: None, reason: None }
    }

    pub(super) fn work(&self) -> Option<ClaimRef<S>> {
        self.claim.as_deref().cloned()
    }

    /// The inner service is about to be called.
    pub(super) fn begin(&mut self) {
        if let Some(claim) = &mut self.claim {
            claim.begin();
        }
    }

    pub(super) fn is_lost(&self) -> bool {
        self.claim.as_ref().and_then(|claim| claim.lost()).is_some_and(|lost| lost.is_requested())
    }

    /// Ready once it is lost.
    pub(super) fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.lost.is_none() {
            let Some(lost) = self.claim.as_ref().and_then(|claim| claim.lost()) else { return Poll::Pending };
            self.lost = Some(Box::pin(lost.clone().requested_owned()));
        }
        self.lost.as_mut().map_or(Poll::Pending, |lost| lost.as_mut().poll(cx))
    }

    /// For who settles it.
    pub(super) fn into_claim(mut self) -> Option<Claim<S>> {
        self.claim.take()
    }

    /// Dropped, it is failed with the panic's message.
    pub(super) fn fail_with(&mut self, panic: &(dyn Any + Send)) {
        let text = panic.downcast_ref::<&'static str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        self.reason = Some(match text {
            Some(text) => format!("panicked: {text}"),
            None => "panicked".to_owned(),
        });
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
