use std::time::Duration;

use seaworthy::ConfigError;

use crate::machine::term::Timing;
use crate::machine::waits::failover_bound;

/// What an elector was built with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) ttl: Duration,
    pub(crate) renew_every: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) retry_renew: Duration,
    pub(crate) stop_time: Duration,
    pub(crate) margin: Duration,
    pub(crate) poll: Duration,
    pub(crate) release_grace: Duration,
    pub(crate) max_failover: Duration,
    pub(crate) spread: Option<usize>,
    /// By default the stop time and the margin: what a transaction that began before its term was told may take.
    pub(crate) transaction_limit: Option<Duration>,
    pub(crate) hint: Option<Box<str>>,
    pub(crate) seen: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            ttl: Duration::from_secs(15),
            renew_every: Duration::from_secs(5),
            request_timeout: Duration::from_secs(2),
            retry_renew: Duration::from_secs(1),
            stop_time: Duration::from_secs(3),
            margin: Duration::from_secs(1),
            poll: Duration::from_secs(2),
            release_grace: Duration::from_secs(10),
            max_failover: Duration::from_secs(30),
            spread: None,
            transaction_limit: None,
            hint: None,
            seen: 0,
        }
    }
}

const SHORTEST: Duration = Duration::from_millis(50);
const SHORTEST_POLL: Duration = Duration::from_millis(100);
const SHORTEST_TTL: Duration = Duration::from_secs(1);
const LONGEST_TTL: Duration = Duration::from_secs(60 * 60);
const LONGEST_HINT: usize = 200;

pub(crate) type Checked = Result<(), ConfigError>;

pub(crate) fn require(holds: bool, field: &'static str, value: impl std::fmt::Debug, rule: &'static str) -> Checked {
    if holds { Ok(()) } else { Err(ConfigError::new("elector", field, value, rule)) }
}

pub(crate) fn check_hint(hint: Option<&str>) -> Checked {
    let Some(hint) = hint else { return Ok(()) };
    let is_short = hint.len() <= LONGEST_HINT && !hint.chars().any(char::is_control);
    require(is_short, "hint", hint, "must be at most 200 bytes without control characters")
}

impl Settings {
    pub(crate) fn check(&self) -> Checked {
        let Settings { ttl, renew_every, request_timeout, retry_renew, stop_time, margin, poll, .. } = *self;
        require((SHORTEST_TTL..=LONGEST_TTL).contains(&ttl), "ttl", ttl, "must be 1 s to 1 h")?;
        require(renew_every <= ttl / 3, "renew_every", renew_every, "must be at most a third of the ttl")?;
        require(request_timeout >= SHORTEST, "request_timeout", request_timeout, "must be at least 50 ms")?;
        let rule = "must be shorter than renew_every";
        require(request_timeout < renew_every, "request_timeout", request_timeout, rule)?;
        let allowed = SHORTEST..=renew_every;
        require(allowed.contains(&retry_renew), "retry_renew", retry_renew, "must be 50 ms to renew_every")?;
        require(stop_time <= ttl / 2, "stop_time", stop_time, "must be at most half of the ttl")?;
        require(margin >= ttl / 30, "margin", margin, "must be at least a thirtieth of the ttl")?;
        let sum = renew_every.saturating_add(request_timeout).saturating_add(margin).saturating_add(stop_time);
        let rule = "must be longer than renew_every + request_timeout + margin + stop_time";
        require(sum < ttl, "ttl", ttl, rule)?;
        require((SHORTEST_POLL..=ttl).contains(&poll), "poll", poll, "must be 100 ms to the ttl")?;
        let limit = self.transaction_limit();
        require((SHORTEST..=ttl).contains(&limit), "transaction_limit", limit, "must be 50 ms to the ttl")?;
        require(self.spread != Some(0), "spread", 0, "must be at least 1")?;
        check_hint(self.hint.as_deref())?;
        let bound = self.failover_bound();
        let rule = "must be at least request_timeout × 3 + ttl + poll × 1.25, the failover bound";
        let shown = format_args!("{:?}, below {bound:?}", self.max_failover).to_string();
        require(bound <= self.max_failover, "max_failover", Shown(shown), rule)
    }

    pub(crate) fn failover_bound(&self) -> Duration {
        failover_bound(self.ttl, self.poll, self.request_timeout)
    }

    pub(crate) fn transaction_limit(&self) -> Duration {
        self.transaction_limit.unwrap_or(self.stop_time.saturating_add(self.margin))
    }

    pub(crate) fn timing(&self) -> Timing {
        let Settings { ttl, renew_every, retry_renew, stop_time, margin, .. } = *self;
        Timing { ttl, renew_every, retry_renew, stop_time, margin }
    }
}

/// Without quotes.
struct Shown(String);

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
