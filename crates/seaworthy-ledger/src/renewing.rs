//! One task for each ledger renews what is held; never the task of the work, which may block its thread.

use std::iter;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use seaworthy::ShutdownTrigger;
use seaworthy_store::limit;
use seaworthy_store::time::{Instant, now};

use crate::event::Event;
use crate::held::Keys;
use crate::ledger::Shared;
use crate::outcome::RenewalOutcome;
use crate::store::{Holder, LedgerStore, Renewal};

/// In one statement.
const MOST: usize = 500;
/// After a renewal that failed, or met a locked row.
const AGAIN: Duration = Duration::from_secs(1);

/// Marks the ledger as not renewing when the task is gone, even if a runtime that was shut down never polled it. What
/// it leaves behind is renewed by nobody, and told as lost: its work may be on another runtime.
pub(crate) struct RenewingTask<S: LedgerStore> {
    shared: Arc<Shared<S>>,
    is_over: bool,
}

impl<S: LedgerStore> RenewingTask<S> {
    pub(crate) fn new(shared: Arc<Shared<S>>) -> RenewingTask<S> {
        RenewingTask { shared, is_over: false }
    }
}

impl<S: LedgerStore> Drop for RenewingTask<S> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let lost = {
            let mut keys = self.shared.held.lock();
            keys.is_renewing = false;
            keys.take_lost(|_| true)
        };
        tell(&self.shared, lost);
    }
}

/// Until nothing is held that is to be renewed.
pub(crate) async fn renew<S: LedgerStore>(mut task: RenewingTask<S>) {
    let shared = &Arc::clone(&task.shared);
    loop {
        tell_lost(shared);
        // Under one lock, so that a claim that is held from here on either wakes this task or starts another.
        let next = {
            let mut keys = shared.held.lock();
            keys.next_look = next_look(&keys);
            if keys.next_look.is_none() {
                keys.is_renewing = false;
                task.is_over = true;
            }
            keys.next_look
        };
        let Some(next) = next else { return };
        if next > now() {
            let _sooner = tokio::time::timeout_at(next, shared.held.changed.notified()).await;
            continue;
        }
        let batch = due(shared);
        if batch.is_empty() {
            continue;
        }
        let sent = now();
        let limit = shared.settings.request_timeout.min(batch.iter().map(|(_, span)| *span / 3).min().unwrap_or(AGAIN));
        let request = pin!(limit::within(limit, "renew", shared.store.renew(&batch)));
        let answers = until_answered(shared, request).await;
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) => {
                shared.notify(&Event::RenewFailed { ledger: &shared.name, class: error.class(), keys: batch.len() });
                vec![Renewal::Locked; batch.len()]
            }
        };
        note(shared, &batch, &answers, sent);
    }
}

/// Ends of other leases are told while a renewal hangs.
async fn until_answered<S: LedgerStore, F: Future>(
    shared: &Shared<S>,
    mut request: std::pin::Pin<&mut F>,
) -> F::Output {
    loop {
        let answer = match next_end(shared) {
            Some(end) => tokio::time::timeout_at(end, request.as_mut()).await,
            None => Ok(request.as_mut().await),
        };
        match answer {
            Ok(answer) => return answer,
            Err(_an_end) => tell_lost(shared),
        }
    }
}

fn next_end<S: LedgerStore>(shared: &Shared<S>) -> Option<Instant> {
    let keys = shared.held.lock();
    let renewed = keys.map.values().filter_map(|entry| entry.lease.as_ref()).filter(|lease| lease.renewing.is_some());
    renewed.map(|lease| lease.local_end()).min()
}

fn next_look(keys: &Keys) -> Option<Instant> {
    let looks = keys.map.values().filter_map(|entry| entry.lease.as_ref()).filter_map(|lease| {
        let renewing = lease.renewing.as_ref()?;
        Some(renewing.due.min(lease.local_end()))
    });
    looks.min()
}

/// Fires for each lease that is at its local end.
fn tell_lost<S: LedgerStore>(shared: &Shared<S>) {
    let now = now();
    let lost = shared.held.lock().take_lost(|lease| lease.local_end() <= now);
    tell(shared, lost);
}

fn tell<S: LedgerStore>(shared: &Shared<S>, lost: Vec<(Holder, ShutdownTrigger)>) {
    for (holder, trigger) in lost {
        trigger.fire();
        shared.notify(&Event::Lost { ledger: &shared.name, key: &holder.key, fence: holder.fence });
    }
}

/// Those that are due, and those that soon will be, so that one statement serves them.
fn due<S: LedgerStore>(shared: &Shared<S>) -> Vec<(Holder, Duration)> {
    let now = now();
    let keys = shared.held.lock();
    let due = keys
        .map
        .values()
        .filter_map(|entry| entry.lease.as_ref())
        .filter(|lease| lease.renewing.as_ref().is_some_and(|renewing| renewing.due <= now + lease.span / 6));
    let mut due: Vec<&_> = due.collect();
    due.sort_by_key(|lease| lease.renewing.as_ref().map(|renewing| renewing.due));
    due.truncate(MOST);
    due.into_iter().map(|lease| (lease.holder.clone(), lease.span)).collect()
}

fn note<S: LedgerStore>(shared: &Shared<S>, batch: &[(Holder, Duration)], answers: &[Renewal], sent: Instant) {
    let mut lost = Vec::new();
    {
        let mut keys = shared.held.lock();
        // What a store leaves out is asked again soon, and not in a loop.
        let answers = answers.iter().chain(iter::repeat(&Renewal::Locked));
        for ((holder, span), answer) in batch.iter().zip(answers) {
            // Settled or replaced meanwhile.
            let Some(lease) = keys.lease_of(holder) else { continue };
            match (answer, &mut lease.renewing) {
                (Renewal::Renewed, Some(renewing)) => {
                    lease.sent = sent;
                    // A transaction that settled it was rolled back, or has not begun to.
                    lease.is_settling = false;
                    renewing.due = sent + *span / 3;
                }
                (Renewal::Locked, Some(renewing)) => renewing.due = now() + AGAIN.min(*span / 6),
                // If it was not by the settlement the next renewal says so again.
                (Renewal::Lost, Some(renewing)) if lease.is_settling => renewing.due = now() + AGAIN.min(*span / 6),
                (Renewal::Lost, renewing) => {
                    lost.extend(renewing.take().map(|renewing| (holder.clone(), renewing.lost)));
                }
                (_, None) => {}
            }
        }
    }
    for answer in answers {
        let outcome = match answer {
            Renewal::Renewed => RenewalOutcome::Renewed,
            Renewal::Lost => RenewalOutcome::Lost,
            Renewal::Locked => continue,
        };
        shared.notify(&Event::Renewed { ledger: &shared.name, outcome });
    }
    tell(shared, lost);
}
