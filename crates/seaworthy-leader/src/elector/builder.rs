use std::time::Duration;

use seaworthy::observe::Notifier;
use seaworthy::{ConfigError, Observer};

use super::lease::LeaseElector;
use crate::epoch::Epoch;
use crate::settings::Settings;
use crate::store::LeaseStore;

/// Settings of a [`LeaseElector`]. Nothing is clamped: what does not fit together is refused by [`build`](Self::build).
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct ElectorBuilder<S> {
    store: S,
    settings: Settings,
    notifier: Notifier,
}

impl<S: LeaseStore> ElectorBuilder<S> {
    pub(crate) fn new(store: S) -> ElectorBuilder<S> {
        ElectorBuilder { store, settings: Settings::default(), notifier: Notifier::default() }
    }

    /// How long a lease is, and so how long a leader that has died is waited for. Default 15 s; 1 s to 1 h, and longer
    /// than `renew_every` + `request_timeout` + `margin` + `stop_time`.
    pub fn ttl(mut self, ttl: Duration) -> ElectorBuilder<S> {
        self.settings.ttl = ttl;
        self
    }

    /// How often a lease is renewed. Default 5 s; at most a third of the ttl, so that two renewals may fail.
    pub fn renew_every(mut self, interval: Duration) -> ElectorBuilder<S> {
        self.settings.renew_every = interval;
        self
    }

    /// How long each request to the store may take. Default 2 s; at least 50 ms, and shorter than `renew_every`.
    pub fn request_timeout(mut self, limit: Duration) -> ElectorBuilder<S> {
        self.settings.request_timeout = limit;
        self
    }

    /// How long after a renewal that failed it is tried again. Default 1 s; 50 ms to `renew_every`.
    pub fn retry_renew(mut self, wait: Duration) -> ElectorBuilder<S> {
        self.settings.retry_renew = wait;
        self
    }

    /// How long work has between being told to end and the end of its term. Default 3 s; at most half of the ttl.
    pub fn stop_time(mut self, span: Duration) -> ElectorBuilder<S> {
        self.settings.stop_time = span;
        self
    }

    /// How long before the lease is over the leader takes it for over, because two clocks may differ in rate. Default
    /// 1 s, for a ttl of 15 s; at least a thirtieth of the ttl.
    pub fn margin(mut self, span: Duration) -> ElectorBuilder<S> {
        self.settings.margin = span;
        self
    }

    /// How often a follower asks. Default 2 s; 100 ms to the ttl. It asks every one to one and a quarter of it.
    pub fn poll(mut self, interval: Duration) -> ElectorBuilder<S> {
        self.settings.poll = interval;
        self
    }

    /// How long a guard's work has at a shutdown; the lease is renewed all the while. Default 10 s.
    pub fn release_grace(mut self, span: Duration) -> ElectorBuilder<S> {
        self.settings.release_grace = span;
        self
    }

    /// Refuses settings whose [bound](Self::failover_bound) is longer. Default 30 s.
    pub fn max_failover(mut self, span: Duration) -> ElectorBuilder<S> {
        self.settings.max_failover = span;
        self
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn set_transaction_limit(&mut self, limit: Duration) {
        self.settings.transaction_limit = Some(limit);
    }

    /// An epoch that is known from elsewhere, from a backup or a resource: all terms are above it. Default 0.
    pub fn seen(mut self, epoch: Epoch) -> ElectorBuilder<S> {
        self.settings.seen = epoch.get();
        self
    }

    /// What followers can read of this process while it leads, an address for instance. At most 200 bytes without
    /// control characters. Default none.
    pub fn hint(mut self, hint: impl Into<String>) -> ElectorBuilder<S> {
        self.settings.hint = Some(hint.into().into());
        self
    }

    /// A candidate of this elector waits one poll more before it first asks while the elector holds this many names or
    /// more, so that not all names land on the process that starts first. It is no promise of balance. Default none; at
    /// least 1.
    pub fn spread(mut self, names: usize) -> ElectorBuilder<S> {
        self.settings.spread = Some(names);
        self
    }

    /// Reports to this observer, in place of the default.
    pub fn observer(mut self, observer: impl Observer + 'static) -> ElectorBuilder<S> {
        self.notifier = Notifier::new(observer);
        self
    }

    /// The longest that nobody leads after a leader has died, while the store is there: three request limits, the ttl
    /// and one and a quarter of the poll. 23.5 s at defaults.
    #[must_use]
    pub fn failover_bound(&self) -> Duration {
        self.settings.failover_bound()
    }

    /// The elector.
    ///
    /// # Errors
    /// If a setting cannot be used; the error says which, its value, and the rule.
    pub fn build(self) -> Result<LeaseElector<S>, ConfigError> {
        self.settings.check()?;
        Ok(LeaseElector::built(self.store, self.settings, self.notifier.or_default()))
    }
}
