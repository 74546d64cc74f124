use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use seaworthy::Name;
use seaworthy_store::postgres::Sessions;
use seaworthy_store::tasks::Tasks;
use seaworthy_store::time::{Instant, now};
use seaworthy_store::{StoreError, limit};

use super::settings::Settings;
use super::statements::Statements;
use crate::elector::requests::heard;
use crate::elector::telling::Teller;
use crate::sight::Sight;

/// What the handles of one elector, its campaigns and its terms have in common.
pub(super) struct Shared {
    pub(super) sessions: Sessions,
    pub(super) statements: Statements,
    pub(super) settings: Settings,
    pub(super) teller: Teller,
    pub(super) tasks: Tasks,
    pub(super) holder: String,
    pub(super) sight: Sight,
    /// What the moments of term clocks are counted from.
    pub(super) start: Instant,
    pub(super) held: AtomicUsize,
    /// Of a runtime with one thread.
    pub(super) warned: Once,
    /// The highest epochs that were seen.
    pub(super) seen: Mutex<HashMap<Name, u64>>,
}

impl Shared {
    fn all_seen(&self) -> MutexGuard<'_, HashMap<Name, u64>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn seen(&self, name: &Name) -> u64 {
        self.all_seen().get(name).copied().unwrap_or(0).max(self.settings.seen)
    }

    pub(super) fn saw(&self, name: &Name, epoch: u64) {
        let mut all = self.all_seen();
        let seen = all.entry(name.clone()).or_default();
        *seen = epoch.max(*seen);
    }

    pub(super) fn moment(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.start)
    }

    pub(super) fn now(&self) -> Duration {
        self.moment(now())
    }

    pub(super) async fn ask<T>(
        &self,
        asked: &'static str,
        request: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        // Boxed, because the driver's futures are large, and are part of every campaign.
        let answer = limit::within(self.settings.request_timeout, asked, Box::pin(request)).await;
        heard(&self.sight, &self.teller, asked, answer.as_ref().err());
        answer
    }
}
