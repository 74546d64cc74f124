//! Extends all deliveries of a consumer, apart from their calls, which may block their threads.

use std::sync::Arc;
use std::time::Duration;

use seaworthy_store::limit;
use seaworthy_store::retry_wait::RetryWait;
use seaworthy_store::time::{Instant, now, sleep};

use super::shared::Shared;
use crate::event::Event;
use crate::job::Job;
use crate::store::{Held, Holder, QueueStore};

/// In one request.
const MOST: usize = 500;

/// How long after its timeout a call that is still there is taken for stuck.
const STUCK_AFTER: Duration = Duration::from_secs(1);

/// Until the consumer is gone.
pub(super) async fn extend<M: Job, S: QueueStore>(shared: Arc<Shared<M, S>>) {
    let every = shared.settings.extend_every();
    let mut waits = RetryWait::up_to(every);
    let mut wait = every;
    while shared.over.until(sleep(wait)).await.is_some() {
        wait = every;
        let began = now();
        let held = worth_extending(&shared, began);
        for held in held.chunks(MOST) {
            let holders: Vec<Holder> = held.iter().map(|(_, holder)| holder.clone()).collect();
            let sent = now();
            let limit = shared.queue.settings.request_timeout;
            let request = shared.queue.store.extend(&holders, shared.settings.visibility);
            match shared.answered(limit::within(limit, "extend", request).await) {
                Ok(answers) => note(&shared, held, &answers, sent),
                Err(_told) => wait = waits.after_error().min(every),
            }
        }
        wait = wait.saturating_sub(now().saturating_duration_since(began));
    }
}

/// A call that blocks its thread long after its timeout keeps its job for one visibility more, and then others may have
/// it.
fn worth_extending<M: Job, S: QueueStore>(shared: &Shared<M, S>, now: Instant) -> Vec<(u64, Holder)> {
    let mut stuck = Vec::new();
    let mut held = Vec::new();
    for (number, job) in shared.held.lock().iter_mut() {
        let late = job.timeout_at.map(|at| now.saturating_duration_since(at)).unwrap_or_default();
        if late >= STUCK_AFTER && !std::mem::replace(&mut job.is_stuck, true) {
            stuck.push((job.holder.id.clone(), late));
        }
        if late < STUCK_AFTER.saturating_add(shared.settings.visibility) {
            held.push((*number, job.holder.clone()));
        }
    }
    for (id, since) in &stuck {
        shared.tell(&Event::Stuck { queue: &shared.queue.name, id, since: *since });
    }
    held
}

fn note<M: Job, S: QueueStore>(shared: &Shared<M, S>, held: &[(u64, Holder)], answers: &[Held], sent: Instant) {
    let until = sent + shared.settings.local_end();
    let jobs = shared.held.lock();
    for ((number, _), answer) in held.iter().zip(answers) {
        let Some(job) = jobs.get(number) else { continue };
        match answer {
            Held::Yes => drop(job.until.send_replace(until)),
            // Its settlement may have been carried out, and its answer be on the way, or lost.
            Held::Lost if job.is_settling => {}
            Held::Lost => job.lost.fire(),
        }
    }
}
