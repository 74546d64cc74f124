//! When a consumer that waits asks again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use seaworthy_store::StoreError;
use seaworthy_store::time::{Instant, now};

use crate::postgres::engine::Postgres;
use crate::postgres::take;
use crate::store::{Received, Take};

pub(super) const POLL: Duration = Duration::from_secs(1);

/// What the last look has found, for all who wait: while it was nothing they ask once together.
#[derive(Debug, Default)]
pub(super) struct Waking(Mutex<Option<Nothing>>);

/// There was nothing to be handed out.
#[derive(Clone, Copy, Debug)]
struct Nothing {
    /// How often the bell had rung before.
    heard: u64,
    /// When something may be there all the same.
    again: Instant,
}

impl Waking {
    fn last(&self) -> Option<Nothing> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, nothing: Option<Nothing>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = nothing;
    }

    /// Whether whoever waited until `again` is the first of those, and looks for all. If it is given up, the next looks
    /// after another `poll`.
    fn is_first(&self, again: Instant, poll: Duration) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *last {
            Some(nothing) if nothing.again == again => {
                nothing.again = now() + poll;
                true
            }
            _ => false,
        }
    }
}

impl Postgres {
    pub(super) async fn wait_and_take(&self, take: &Take, block: Duration) -> Result<Received, StoreError> {
        if take.room == 0 {
            return Ok(Received::default());
        }
        let until = now() + block;
        if !block.is_zero() {
            self.store.listen();
            if !take.repeats && !self.may_have_some(until).await {
                return Ok(Received::default());
            }
        }
        loop {
            let received = self.look(take).await?;
            let is_nothing = received.jobs.is_empty() && received.died.is_empty();
            // At the end there is no other look: the next asking begins with one when it is time.
            if !is_nothing || now() >= until || !self.may_have_some(until).await {
                return Ok(received);
            }
        }
    }

    async fn look(&self, take: &Take) -> Result<Received, StoreError> {
        // Before the look, so that what comes after it is noticed.
        let heard = self.bell.heard();
        let received = take::take(self, take).await?;
        if received.jobs.is_empty() && received.died.is_empty() {
            let wait = received.next_due.map_or(self.poll, |next| next.min(self.poll));
            self.waking.set(Some(Nothing { heard, again: now() + wait }));
        } else {
            self.waking.set(None);
            if u32::try_from(received.jobs.len()).is_ok_and(|taken| taken >= take.room) {
                // There may be more, for those who have left it to this one to look.
                self.changed();
            }
        }
        Ok(received)
    }

    /// Waits until there may be something. False if that is later than `until`.
    async fn may_have_some(&self, until: Instant) -> bool {
        loop {
            let Some(Nothing { heard, again }) = self.waking.last() else { return true };
            let rung = self.bell.rung_since(heard);
            if tokio::time::timeout_at(again.min(until), rung).await.is_ok() {
                return true;
            }
            if now() < again {
                return false;
            }
            if self.waking.is_first(again, self.poll) {
                return true;
            }
        }
    }
}
