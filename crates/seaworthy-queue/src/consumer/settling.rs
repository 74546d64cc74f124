//! What the store is told of a delivery that has ended, until it has answered.

use std::time::Duration;

use seaworthy_store::retry_wait::RetryWait;
use seaworthy_store::time::sleep;
use seaworthy_store::{limit, random};

use super::settings::SHORTEST_DEFERRAL;
use super::shared::Shared;
use super::work::{Entry, lost};
use crate::delivery::Settle;
use crate::event::{Event, Outcome};
use crate::job::{DecodeError, Job};
use crate::store::{Held, QueueStore, Settlement, Taken};

/// Of a reason that is kept.
const LONGEST_REASON: usize = 1_024;
/// How often a job of a newer version is looked at again, and for how long.
const NEWER: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10 * 60));

pub(super) fn unreadable(error: &DecodeError, taken: &Taken) -> Settle {
    let (again, longest) = NEWER;
    match error {
        // Until a deployment that is under way has finished.
        DecodeError::Newer if taken.deferred_for.is_none_or(|since| since < longest) => {
            Settle::Defer { after: Some(again) }
        }
        error => Settle::Dead { reason: error.to_string() },
    }
}

/// As the store is told.
pub(super) async fn settle<M: Job, S: QueueStore>(
    shared: &Shared<M, S>,
    entry: &Entry,
    said: Settle,
    elapsed: Duration,
) {
    let settings = &shared.settings;
    let put_off_for = entry.meta.deferred_for().unwrap_or_default();
    let said = match said {
        Settle::Defer { after } if put_off_for >= settings.defer_at_most => {
            Settle::Retry { after, reason: "was put off for too long".to_owned() }
        }
        said => said,
    };
    let (settlement, outcome) = match said {
        Settle::Leave => return shared.tell(&Event::Lost { queue: shared.name(), id: &entry.holder.id }),
        Settle::Ack => (Settlement::Ack { remember: shared.queue.settings.remember }, Outcome::Ack),
        Settle::Defer { after } => {
            let after = after.unwrap_or(settings.defer).max(SHORTEST_DEFERRAL);
            (Settlement::Defer { after }, Outcome::Defer)
        }
        Settle::Retry { reason, .. } if entry.meta.is_last_attempt() => {
            (Settlement::Dead { reason: cut(&reason) }, Outcome::Dead)
        }
        Settle::Retry { after, reason } => {
            let backoff = || settings.backoff.delay(entry.meta.attempt().saturating_sub(1), &mut random::fraction);
            (Settlement::Retry { after: after.unwrap_or_else(backoff), reason: cut(&reason) }, Outcome::Retry)
        }
        Settle::Dead { reason } => (Settlement::Dead { reason: cut(&reason) }, Outcome::Dead),
    };
    send(shared, entry, &settlement, outcome, elapsed).await;
}

fn cut(reason: &str) -> Box<str> {
    reason[..reason.floor_char_boundary(LONGEST_REASON)].replace('\0', " ").into()
}

/// Until the store has answered, or the delivery is not ours any more: it is delivered again then.
pub(super) async fn send<M: Job, S: QueueStore>(
    shared: &Shared<M, S>,
    entry: &Entry,
    settlement: &Settlement,
    outcome: Outcome,
    elapsed: Duration,
) {
    let (queue, id) = (shared.name(), &entry.holder.id);
    if let Some(held) = shared.held.lock().get_mut(&entry.number) {
        held.is_settling = true;
    }
    let mut waits = RetryWait::default();
    let mut is_in_doubt = false;
    loop {
        let limit = shared.queue.settings.request_timeout;
        let request = limit::within(limit, "settle", shared.queue.store.settle(&entry.holder, settlement));
        match shared.answered(request.await) {
            // While it is ours nobody else can have taken it, so that it was settled by the asking before.
            Ok(held) if held == Held::Yes || is_in_doubt => {
                let reason = match settlement {
                    Settlement::Retry { reason, .. } | Settlement::Dead { reason } => reason,
                    _ => "",
                };
                shared.tell(&Event::Settled { queue, id, outcome, elapsed, reason });
                if outcome == Outcome::Dead {
                    shared.tell(&Event::Died { queue, id, reason });
                }
                return;
            }
            Ok(_) => return shared.tell(&Event::Lost { queue, id }),
            Err(_told) => is_in_doubt = true,
        }
        let wait = waits.after_error();
        let is_ours = tokio::select! {
            biased;
            () = lost(entry) => false,
            () = sleep(wait) => true,
        };
        if !is_ours {
            return shared.tell(&Event::Lost { queue, id });
        }
    }
}
