use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Duration;

use super::{ErrorRef, Event};
use crate::machine::retry::attempts::StopReason;
use crate::name::Name;
use crate::observe::interest::Interest;
use crate::observe::source::Source;

/// The events of a retry policy and the requests it retries.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum RetryEvent<'a> {
    /// An attempt failed and the request will be retried after a wait. Reported before the wait.
    #[non_exhaustive]
    Retried {
        /// The retry policy.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
        /// Which attempt failed; the first is 1.
        attempt: u32,
        /// The wait before the next one.
        delay: Duration,
        /// The error it failed with; absent if a response is retried.
        error: Option<ErrorRef<'a>>,
        /// The budget that pays for it, unless retries are free.
        budget: Option<BudgetRef<'a>>,
    },
    /// A request is not retried any more, and its caller gets the last result. Not reported for a request whose first
    /// attempt succeeded.
    #[non_exhaustive]
    Stopped {
        /// The retry policy.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
        /// How many attempts were made, including the first.
        attempts: u32,
        /// Why.
        reason: StopReason,
        /// The error that the caller gets; absent if it is a response.
        error: Option<ErrorRef<'a>>,
        /// The budget of the policy, unless its retries are free.
        budget: Option<BudgetRef<'a>>,
    },
    /// † A retry policy was built.
    #[non_exhaustive]
    Built {
        /// The retry policy.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
        /// The budget it pays from, unless its retries are free.
        budget: Option<BudgetRef<'a>>,
    },
    /// † A request's first attempt begins.
    #[non_exhaustive]
    Began {
        /// The retry policy.
        name: &'a Name,
        /// Its family of keys, if it belongs to one.
        source: Source<'a>,
        /// The budget it pays from, unless its retries are free.
        budget: Option<BudgetRef<'a>>,
    },
}

impl RetryEvent<'_> {
    /// The interest that an observer needs to receive this event.
    #[must_use]
    pub fn interest(&self) -> Interest {
        match self {
            RetryEvent::Retried { .. } | RetryEvent::Stopped { .. } => Interest::Changes,
            RetryEvent::Built { .. } | RetryEvent::Began { .. } => Interest::Calls,
        }
    }
}

impl<'a> From<RetryEvent<'a>> for Event<'a> {
    #[inline]
    fn from(event: RetryEvent<'a>) -> Event<'a> {
        Event::Retry(event)
    }
}

/// The budget a retry policy pays from.
#[derive(Clone, Copy)]
pub struct BudgetRef<'a>(&'a dyn Balance);

/// What a budget shows to an observer.
pub(crate) trait Balance {
    fn balance(&self) -> u64;
}

/// It only reads the balance, which takes the budget's lock briefly.
impl UnwindSafe for BudgetRef<'_> {}
impl RefUnwindSafe for BudgetRef<'_> {}

impl<'a> BudgetRef<'a> {
    pub(crate) fn new(budget: &'a dyn Balance) -> BudgetRef<'a> {
        BudgetRef(budget)
    }

    /// The number of whole tokens in it now.
    #[must_use]
    pub fn balance(&self) -> u64 {
        self.0.balance()
    }
}

impl fmt::Debug for BudgetRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BudgetRef").field("balance", &self.balance()).finish()
    }
}
