//! What sees to it that a claim is settled when the body of its response has ended.

use std::future::poll_fn;
use std::pin::Pin;

use http_body::Body;
use seaworthy::Shutdown;
use seaworthy_store::tasks::Running;
use seaworthy_store::time::{Instant, sleep_until};
use tokio::sync::oneshot;

use super::keeping::BodyEnd;
use super::not_kept::NotKept;
use super::request_body::in_bytes;
use super::stored::Keep;
use super::unless::unless;
use crate::caught::caught;
use crate::claim::Claim;
use crate::completion::Completion;
use crate::conclude::not_kept;
use crate::store::LedgerStore;

/// Has the claim while the body is on its way. Its handler has had its effect: whatever happens to the body, the work
/// is recorded as done.
pub(super) struct Watch<S: LedgerStore, B> {
    pub(super) claim: Claim<S>,
    pub(super) lost: Shutdown,
    /// When the body must have ended.
    pub(super) until: Instant,
    pub(super) told: oneshot::Receiver<BodyEnd<B>>,
    pub(super) running: Running,
}

impl<S: LedgerStore, B: Body> Watch<S, B> {
    pub(super) async fn run(self) {
        let Watch { claim, lost, until, told, running } = self;
        let over = async {
            let _lost_or_late = unless(sleep_until(until), lost.requested()).await;
        };
        // A body may panic, or be one that never ends.
        let end = caught(unless(over, async {
            match told.await {
                Ok(BodyEnd::Recorded(completion, record)) => (completion, Some(record)),
                Ok(BodyEnd::Left { body, keep }) => (rest_of(body, keep).await, None),
                Ok(BodyEnd::NotKept(reason)) => (Err(reason), None),
                Err(_gone) => (Err(NotKept::ClientLeft), None),
            }
        }));
        let (completion, record) = match end.await {
            Ok(Some(end)) => end,
            Ok(None) => (Err(NotKept::Late), None),
            Err(_payload) => (Err(NotKept::Panicked), None),
        };
        complete(claim, completion).await;
        if let Some(record) = record {
            let _client_is_gone = record.send(());
        }
        drop(running);
    }
}

/// Reads what the client did not.
async fn rest_of<B: Body>(mut body: Pin<Box<B>>, mut keep: Keep) -> Result<Completion, NotKept> {
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        match frame.map(in_bytes).map_err(|_told_to_nobody| NotKept::Failed)?.into_data() {
            Ok(data) => keep.push(&data)?,
            Err(frame) => return keep.finish(frame.trailers_ref()),
        }
    }
    keep.finish(None)
}

/// Records that it was done, and goes on trying if the store cannot be reached.
pub(super) async fn complete<S: LedgerStore>(claim: Claim<S>, completion: Result<Completion, NotKept>) {
    let recorded = match completion {
        Ok(completion) => claim.complete_unchecked(completion).await,
        Err(reason) => match reason.fault() {
            Some(fault) => not_kept(claim, fault).await,
            None => claim.complete(Completion::not_kept()).await,
        },
    };
    let Err(unsettled) = recorded else { return };
    if unsettled.error().is_unavailable() {
        return unsettled.keep_trying();
    }
    // The store does not take the answer. That it was done it may.
    let (claim, _refused) = unsettled.into_parts();
    if let Err(unsettled) = claim.complete(Completion::not_kept()).await {
        unsettled.keep_trying();
    }
}
