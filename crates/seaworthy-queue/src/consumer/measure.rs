//! What the store has, read now and then for those who watch; and old dead letters, which are removed where that is
//! asked for.

use std::sync::Arc;
use std::time::Duration;

use seaworthy_store::limit;
use seaworthy_store::time::sleep;

use super::shared::Shared;
use crate::event::Event;
use crate::job::Job;
use crate::store::QueueStore;

const EVERY: Duration = Duration::from_secs(15);

/// Until the consumer is gone.
pub(super) async fn measure<M: Job, S: QueueStore>(shared: Arc<Shared<M, S>>) {
    loop {
        let (queue, limit) = (shared.name(), shared.queue.settings.request_timeout);
        if let Ok(depth) = shared.answered(limit::within(limit, "depth", shared.queue.store.depth()).await) {
            shared.tell(&Event::Measured { queue, depth });
        }
        let (keep, most) = (shared.queue.settings.keep_dead, shared.queue.settings.max_dead);
        if keep.is_some() || most.is_some() {
            let sweep = limit::within(limit, "sweep", shared.queue.store.sweep(keep, most));
            if let Ok(jobs @ 1..) = shared.answered(sweep.await) {
                shared.tell(&Event::Swept { queue, jobs });
            }
        }
        if shared.over.until(sleep(EVERY)).await.is_none() {
            return;
        }
    }
}
