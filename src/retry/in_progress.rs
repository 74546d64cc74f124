use std::sync::Arc;

use super::policy::{RetryConfig, RetryPolicy};
use crate::machine::retry::attempts::Progress;
use crate::machine::timestamp::Timestamp;
use crate::rt::shared::Handle;

/// A request's [`RetryPolicy`] and [`Progress`]. Side by side they would take a word more, which every future would
/// carry: here, the number of attempts lies beside the tag that says whether the policy is leaked.
pub(super) enum InProgress {
    Shared { attempts: u32, config: Arc<RetryConfig>, started: Timestamp },
    Leaked { attempts: u32, config: &'static RetryConfig, started: Timestamp },
}

impl InProgress {
    #[inline]
    pub(super) fn new(policy: &RetryPolicy, Progress { attempts, started }: Progress) -> InProgress {
        match policy.handle() {
            Handle::Shared(config) => InProgress::Shared { attempts, config: Arc::clone(config), started },
            Handle::Leaked(config) => InProgress::Leaked { attempts, config, started },
        }
    }

    #[inline]
    pub(super) fn config(&self) -> &RetryConfig {
        match self {
            InProgress::Shared { config, .. } => config,
            InProgress::Leaked { config, .. } => config,
        }
    }

    #[inline]
    pub(super) fn attempts(&self) -> u32 {
        match *self {
            InProgress::Shared { attempts, .. } | InProgress::Leaked { attempts, .. } => attempts,
        }
    }

    #[inline]
    pub(super) fn progress(&self) -> Progress {
        match *self {
            InProgress::Shared { attempts, started, .. } | InProgress::Leaked { attempts, started, .. } => {
                Progress { attempts, started }
            }
        }
    }

    /// Another attempt starts.
    #[inline]
    pub(super) fn count(&mut self) {
        match self {
            InProgress::Shared { attempts, .. } | InProgress::Leaked { attempts, .. } => *attempts += 1,
        }
    }
}
