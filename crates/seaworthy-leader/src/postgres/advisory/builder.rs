use std::fmt;
use std::time::Duration;

use seaworthy::observe::Notifier;
use seaworthy::{ConfigError, Observer};
use seaworthy_store::TableNames;
use seaworthy_store::postgres::{SessionLimits, Sessions};

use super::elector::PgAdvisory;
use super::settings::Settings;
use crate::epoch::Epoch;

/// How long an acquisition waits for transactions of the leader before, at most.
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);

const INSTEAD: &str = "give the server's own address, or elect by leases, which work through a pooler";

/// Settings of a [`PgAdvisory`]. Nothing is clamped: what does not fit together is refused by [`build`](Self::build).
#[derive(Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct PgAdvisoryBuilder {
    url: String,
    settings: Settings,
    notifier: Notifier,
}

impl PgAdvisoryBuilder {
    pub(super) fn new(url: &str) -> PgAdvisoryBuilder {
        PgAdvisoryBuilder { url: url.to_owned(), settings: Settings::default(), notifier: Notifier::default() }
    }

    /// How often a leader's connection is asked whether it lives. Default 2 s; at least 50 ms.
    pub fn ping(mut self, interval: Duration) -> PgAdvisoryBuilder {
        self.settings.ping = interval;
        self
    }

    /// How long each request to the server may take. Default 2 s; at least 50 ms.
    pub fn request_timeout(mut self, limit: Duration) -> PgAdvisoryBuilder {
        self.settings.request_timeout = limit;
        self
    }

    /// How long the server keeps a session of which it hears nothing, and so how long a leader that was stopped or cut
    /// off is waited for. Default 10 s; 3 s to 10 min, and longer than `ping` + `request_timeout` + `margin` +
    /// `stop_time`.
    pub fn session_timeout(mut self, span: Duration) -> PgAdvisoryBuilder {
        self.settings.session_timeout = span;
        self
    }

    /// How long work has between being told to end and the end of its term. Default 3 s.
    pub fn stop_time(mut self, span: Duration) -> PgAdvisoryBuilder {
        self.settings.stop_time = span;
        self
    }

    /// How long before the server ends its session the leader takes its term for over, because two clocks may differ in
    /// rate. Default 1 s, for a session timeout of 10 s; at least a thirtieth of it.
    pub fn margin(mut self, span: Duration) -> PgAdvisoryBuilder {
        self.settings.margin = span;
        self
    }

    /// How often a follower asks. Default 500 ms; 100 ms to half of the session timeout. It asks every one to one and a
    /// quarter of it.
    pub fn poll(mut self, interval: Duration) -> PgAdvisoryBuilder {
        self.settings.poll = interval;
        self
    }

    /// How long a guard's work has at a shutdown; its connection is asked all the while. Default 10 s.
    pub fn release_grace(mut self, span: Duration) -> PgAdvisoryBuilder {
        self.settings.release_grace = span;
        self
    }

    /// How long a statement of a transaction that a term [guards](crate::Term::guard) may take, and how long the
    /// transaction may wait for its next: then the server ends it. Default `stop_time` + `margin`; 50 ms to the session
    /// timeout.
    pub fn transaction_limit(mut self, limit: Duration) -> PgAdvisoryBuilder {
        self.settings.transaction_limit = Some(limit);
        self
    }

    /// An epoch that is known from elsewhere, from a backup or a resource: all terms are above it. Default 0.
    pub fn seen(mut self, epoch: Epoch) -> PgAdvisoryBuilder {
        self.settings.seen = epoch.get();
        self
    }

    /// What followers can read of this process while it leads, an address for instance. At most 200 bytes without
    /// control characters. Default none.
    pub fn hint(mut self, hint: impl Into<String>) -> PgAdvisoryBuilder {
        self.settings.hint = Some(hint.into().into());
        self
    }

    /// Takes the table of leases in this schema, and not in the first of the connection's search path: 1 to 40 bytes of
    /// `a-z`, `0-9` and `_`.
    pub fn schema(mut self, schema: &str) -> PgAdvisoryBuilder {
        self.settings.names = self.settings.names.and_then(|names: TableNames| names.schema(schema));
        self
    }

    /// Takes the table whose name begins with this (`seaworthy_`): 1 to 40 bytes of `a-z`, `0-9` and `_`.
    pub fn prefix(mut self, prefix: &str) -> PgAdvisoryBuilder {
        self.settings.names = self.settings.names.and_then(|names: TableNames| names.prefix(prefix));
        self
    }

    /// Reports to this observer, in place of the default.
    pub fn observer(mut self, observer: impl Observer + 'static) -> PgAdvisoryBuilder {
        self.notifier = Notifier::new(observer);
        self
    }

    /// See [`PgAdvisory::failover_bound`].
    #[must_use]
    pub fn failover_bound(&self) -> Duration {
        self.settings.failover_bound()
    }

    /// See [`PgAdvisory::failover_bound_when_closed`].
    #[must_use]
    pub fn failover_bound_when_closed(&self) -> Duration {
        self.settings.failover_bound_when_closed()
    }

    /// The elector. It connects to nothing before it is asked.
    ///
    /// # Errors
    /// If a setting cannot be used; the error says which, its value, and the rule. The URL is not shown, because it may
    /// have a password.
    pub fn build(self) -> Result<PgAdvisory, ConfigError> {
        let names = self.settings.check()?;
        let Settings { request_timeout: statement, session_timeout: silence, .. } = self.settings;
        let limits = SessionLimits { statement, lock: LOCK_TIMEOUT.min(statement / 2), silence };
        let sessions = Sessions::new(&self.url, limits, INSTEAD)
            .map_err(|_| ConfigError::new("elector", "url", "…", "must be a URL that can be understood"))?;
        Ok(PgAdvisory::built(sessions, &names, self.settings, self.notifier.or_default()))
    }
}

impl fmt::Debug for PgAdvisoryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the URL, which may have a password.
        f.debug_struct("PgAdvisoryBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
