//! How fast a drill's electors are.

use std::time::Duration;

use seaworthy_leader::ElectorBuilder;
use seaworthy_leader::store::LeaseStore;

/// The settings that a drill's bounds follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether they are the elector's own: then it is told nothing.
    pub is_default: bool,
    /// How long a lease is.
    pub ttl: Duration,
    /// Between two renewals.
    pub renew_every: Duration,
    /// Of one request.
    pub request_timeout: Duration,
    /// After a renewal that failed.
    pub retry_renew: Duration,
    /// From told to over.
    pub stop_time: Duration,
    /// From over to free for others.
    pub margin: Duration,
    /// Between two askings of a follower.
    pub poll: Duration,
}

const fn millis(of: u64) -> Duration {
    Duration::from_millis(of)
}

impl Settings {
    /// Those of most drills: bound 5.125 s.
    pub const SHORT: Settings = Settings {
        is_default: false,
        ttl: millis(3_000),
        renew_every: millis(1_000),
        request_timeout: millis(500),
        retry_renew: millis(500),
        stop_time: millis(500),
        margin: millis(200),
        poll: millis(500),
    };

    /// The defaults of electors in Postgres: bound 23.5 s.
    pub const POSTGRES: Settings = Settings {
        is_default: true,
        ttl: millis(15_000),
        renew_every: millis(5_000),
        request_timeout: millis(2_000),
        retry_renew: millis(1_000),
        stop_time: millis(3_000),
        margin: millis(1_000),
        poll: millis(2_000),
    };

    /// The defaults of electors in a SQLite file: bound 16.5 s.
    pub const SQLITE: Settings = Settings {
        is_default: true,
        ttl: millis(8_000),
        renew_every: millis(2_500),
        request_timeout: millis(2_000),
        retry_renew: millis(1_000),
        stop_time: millis(2_000),
        margin: millis(400),
        poll: millis(2_000),
    };

    /// As arguments of a process; none for defaults.
    pub fn args(&self) -> Vec<String> {
        let args = self.named().into_iter().map(|(name, span)| format!("--{name}={}", span.as_millis()));
        if self.is_default { Vec::new() } else { args.collect() }
    }

    fn named(&self) -> [(&'static str, Duration); 7] {
        [
            ("ttl", self.ttl),
            ("renew-every", self.renew_every),
            ("request-timeout", self.request_timeout),
            ("retry-renew", self.retry_renew),
            ("stop-time", self.stop_time),
            ("margin", self.margin),
            ("poll", self.poll),
        ]
    }

    /// The longest that nobody leads after a leader has died.
    pub fn failover_bound(&self) -> Duration {
        self.request_timeout * 3 + self.ttl + self.poll_at_most()
    }

    /// The same after a clean end, or after the store has come back: up to one poll and two request limits.
    pub fn clean_bound(&self) -> Duration {
        self.request_timeout * 2 + self.poll_at_most()
    }

    fn poll_at_most(&self) -> Duration {
        self.poll * 5 / 4
    }

    /// When work is told at the latest, from when its leader was cut off.
    pub fn told_after(&self) -> Duration {
        self.over_after() - self.stop_time
    }

    /// When a term is over at the latest, from when its leader was cut off.
    pub fn over_after(&self) -> Duration {
        self.ttl - self.margin
    }
}

/// Sets what the arguments name, in milliseconds; all else stays as the elector has it.
pub(super) fn apply<S: LeaseStore>(
    mut builder: ElectorBuilder<S>,
    find: impl Fn(&str) -> Option<Duration>,
) -> ElectorBuilder<S> {
    type Set<S> = fn(ElectorBuilder<S>, Duration) -> ElectorBuilder<S>;
    let all: [(&str, Set<S>); 7] = [
        ("ttl", ElectorBuilder::ttl),
        ("renew-every", ElectorBuilder::renew_every),
        ("request-timeout", ElectorBuilder::request_timeout),
        ("retry-renew", ElectorBuilder::retry_renew),
        ("stop-time", ElectorBuilder::stop_time),
        ("margin", ElectorBuilder::margin),
        ("poll", ElectorBuilder::poll),
    ];
    for (name, set) in all {
        if let Some(span) = find(name) {
            builder = set(builder, span);
        }
    }
    builder
}
