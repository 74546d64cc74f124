//! What this process was handed, and until when it is certainly its own.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use seaworthy_store::time::{Instant, now};

use crate::store::{Holder, Settlement};

/// Beyond this many, those that are over are dropped before another is added.
const MANY: usize = 1_024;

/// The deliveries of this process that are not settled.
#[derive(Default)]
pub(super) struct Leases(Mutex<Known>);

#[derive(Default)]
struct Known {
    leases: HashMap<Holder, Lease>,
    /// Those that are over are dropped when there are more.
    most: usize,
}

struct Lease {
    /// Not later than by the server's clock: counted from before it was asked.
    until: Instant,
    /// What it was settled with, as long as no answer came.
    sent: Option<Settlement>,
}

impl Leases {
    fn with<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Handed out, or extended, by what was asked at `asked`.
    pub(super) fn begin(&self, holder: Holder, asked: Instant, visibility: Duration) {
        // A year is as good as for ever, and no overflow.
        let until = asked + visibility.min(Duration::from_secs(366 * 24 * 60 * 60));
        self.with(|known| {
            if known.leases.len() >= known.most.max(MANY) {
                let now = now();
                known.leases.retain(|_, lease| now < lease.until);
                known.most = known.leases.len() * 2;
            }
            known.leases.entry(holder).or_insert(Lease { until, sent: None }).until = until;
        });
    }

    /// It is about to be settled. Whether the same was sent before, and had no answer.
    pub(super) fn settling(&self, holder: &Holder, settlement: &Settlement) -> bool {
        self.with(|known| {
            let Some(lease) = known.leases.get_mut(holder) else { return false };
            let before = lease.sent.replace(settlement.clone());
            before.is_some_and(|before| before == *settlement)
        })
    }

    /// An answer came. Whether the lease was certainly not over: then nobody else can have ended it.
    pub(super) fn settled(&self, holder: &Holder) -> bool {
        self.with(|known| known.leases.remove(holder)).is_some_and(|lease| now() < lease.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job_id::JobId;

    const SECOND: Duration = Duration::from_secs(1);
    const ACK: Settlement = Settlement::Ack { remember: None };

    fn holder(fence: u64) -> Holder {
        Holder { id: JobId::new("a").unwrap(), owner: 7, fence }
    }

    /// QU-93: what is not there any more was done by us only if we had sent the same, and while the lease lasts.
    #[tokio::test(start_paused = true)]
    async fn the_only_explanation() {
        let leases = Leases::default();
        assert!(!leases.settling(&holder(1), &ACK) && !leases.settled(&holder(1)), "nobody was handed it");
        leases.begin(holder(1), now(), SECOND);
        assert!(!leases.settling(&holder(1), &ACK), "the first time");
        assert!(leases.settling(&holder(1), &ACK), "again, because no answer came");
        assert!(!leases.settling(&holder(1), &Settlement::Release), "something else");
        assert!(!leases.settling(&holder(2), &ACK), "another delivery");
        tokio::time::advance(SECOND - Duration::from_millis(1)).await;
        assert!(leases.settled(&holder(1)));
        assert!(!leases.settled(&holder(1)), "it is forgotten");
        leases.begin(holder(1), now(), SECOND);
        tokio::time::advance(SECOND).await;
        assert!(!leases.settled(&holder(1)), "it is over");
    }

    /// QU-93: deliveries that nobody settled are forgotten when they are over, however many.
    #[tokio::test(start_paused = true)]
    async fn nothing_piles_up() {
        let leases = Leases::default();
        for fence in 0..10_000 {
            leases.begin(holder(fence), now(), SECOND);
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        let left = leases.with(|known| known.leases.len());
        assert!((1_000..=3_000).contains(&left), "{left}");
    }
}
