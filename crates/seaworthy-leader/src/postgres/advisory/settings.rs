use std::time::Duration;

use seaworthy::ConfigError;
use seaworthy_store::TableNames;

use crate::machine::term::Timing;
use crate::machine::waits::poll_wait;
use crate::settings::{check_hint, require};

/// What an elector was built with.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) ping: Duration,
    pub(super) request_timeout: Duration,
    pub(super) session_timeout: Duration,
    pub(super) stop_time: Duration,
    pub(super) margin: Duration,
    pub(super) poll: Duration,
    pub(super) release_grace: Duration,
    /// By default the stop time and the margin.
    pub(super) transaction_limit: Option<Duration>,
    pub(super) hint: Option<Box<str>>,
    pub(super) seen: u64,
    pub(super) names: Result<TableNames, ConfigError>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            ping: Duration::from_secs(2),
            request_timeout: Duration::from_secs(2),
            session_timeout: Duration::from_secs(10),
            stop_time: Duration::from_secs(3),
            margin: Duration::from_secs(1),
            poll: Duration::from_millis(500),
            release_grace: Duration::from_secs(10),
            transaction_limit: None,
            hint: None,
            seen: 0,
            names: Ok(TableNames::default()),
        }
    }
}

const SHORTEST: Duration = Duration::from_millis(50);
const SHORTEST_POLL: Duration = Duration::from_millis(100);
const SHORTEST_SESSION: Duration = Duration::from_secs(3);
const LONGEST_SESSION: Duration = Duration::from_secs(10 * 60);

impl Settings {
    /// Where the table is.
    pub(super) fn check(&self) -> Result<TableNames, ConfigError> {
        let Settings { ping, request_timeout, session_timeout, stop_time, margin, poll, .. } = *self;
        let allowed = SHORTEST_SESSION..=LONGEST_SESSION;
        require(allowed.contains(&session_timeout), "session_timeout", session_timeout, "must be 3 s to 10 min")?;
        require(ping >= SHORTEST, "ping", ping, "must be at least 50 ms")?;
        require(request_timeout >= SHORTEST, "request_timeout", request_timeout, "must be at least 50 ms")?;
        let rule = "must be at least a thirtieth of the session timeout";
        require(margin >= session_timeout / 30, "margin", margin, rule)?;
        let sum = ping.saturating_add(request_timeout).saturating_add(margin).saturating_add(stop_time);
        let rule = "must be longer than ping + request_timeout + margin + stop_time";
        require(sum < session_timeout, "session_timeout", session_timeout, rule)?;
        let allowed = SHORTEST_POLL..=session_timeout / 2;
        require(allowed.contains(&poll), "poll", poll, "must be 100 ms to half of the session timeout")?;
        let limit = self.transaction_limit();
        let allowed = SHORTEST..=session_timeout;
        require(allowed.contains(&limit), "transaction_limit", limit, "must be 50 ms to the session timeout")?;
        check_hint(self.hint.as_deref())?;
        self.names.clone()
    }

    pub(super) fn transaction_limit(&self) -> Duration {
        self.transaction_limit.unwrap_or(self.stop_time.saturating_add(self.margin))
    }

    /// From when the server has noticed that a leader's connection was closed.
    pub(super) fn failover_bound_when_closed(&self) -> Duration {
        poll_wait(self.poll, 1.0).saturating_add(self.request_timeout)
    }

    pub(super) fn failover_bound(&self) -> Duration {
        self.session_timeout.saturating_add(self.failover_bound_when_closed())
    }

    /// The ttl is how long the server keeps a session of which it hears nothing, and the ping is the renewal.
    pub(super) fn timing(&self) -> Timing {
        let Settings { ping, session_timeout: ttl, stop_time, margin, .. } = *self;
        Timing { ttl, renew_every: ping, retry_renew: ping / 2, stop_time, margin }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(number: u64) -> Duration {
        Duration::from_millis(number)
    }

    fn shortest() -> Settings {
        let (ping, request_timeout, stop_time, margin) = (ms(800), ms(700), ms(999), ms(500));
        Settings { ping, request_timeout, stop_time, margin, session_timeout: ms(3_000), ..Settings::default() }
    }

    /// LE-67: what does not fit together is refused with the field, its value and the rule; what does, to the
    /// millisecond, is not, and nothing is clamped.
    #[test]
    fn settings_that_do_not_fit() {
        for (field, settings) in [
            ("session_timeout", Settings { session_timeout: ms(2_999), ..shortest() }),
            ("session_timeout", Settings { session_timeout: ms(600_001), margin: ms(30_000), ..Settings::default() }),
            ("session_timeout", Settings { stop_time: ms(1_000), ..shortest() }),
            ("session_timeout", Settings { session_timeout: ms(8_000), ..Settings::default() }),
            ("session_timeout", Settings { ping: Duration::MAX, ..Settings::default() }),
            ("ping", Settings { ping: ms(49), ..Settings::default() }),
            ("request_timeout", Settings { request_timeout: ms(49), ..Settings::default() }),
            ("margin", Settings { margin: ms(333), ..Settings::default() }),
            ("poll", Settings { poll: ms(99), ..Settings::default() }),
            ("poll", Settings { poll: ms(5_001), ..Settings::default() }),
            ("transaction_limit", Settings { transaction_limit: Some(ms(49)), ..Settings::default() }),
            ("transaction_limit", Settings { transaction_limit: Some(ms(10_001)), ..Settings::default() }),
            ("hint", Settings { hint: Some("h".repeat(201).into()), ..Settings::default() }),
            ("schema", Settings { names: TableNames::default().schema("Not this"), ..Settings::default() }),
        ] {
            let error = settings.check().unwrap_err();
            assert_eq!(error.field(), field, "{error}");
        }
        let error = Settings { stop_time: ms(1_000), ..shortest() }.check().unwrap_err().to_string();
        assert!(error.contains("3s") && error.contains("ping + request_timeout + margin + stop_time"), "{error}");
        for fits in [
            Settings::default(),
            shortest(),
            Settings { session_timeout: ms(600_000), margin: ms(20_000), ..Settings::default() },
            Settings { session_timeout: ms(8_001), ..Settings::default() },
            Settings { poll: ms(5_000), ping: ms(50), request_timeout: ms(50), ..Settings::default() },
            Settings { stop_time: Duration::ZERO, hint: Some("h".repeat(200).into()), ..Settings::default() },
        ] {
            assert_eq!(fits.check(), Ok(TableNames::default()));
        }
    }

    /// LE-66: at defaults 2.625 s when its connection is closed, and 12.625 s when it is stopped or cut off.
    #[test]
    fn bounds_at_defaults() {
        let settings = Settings::default();
        assert_eq!(settings.failover_bound_when_closed(), ms(2_625));
        assert_eq!(settings.failover_bound(), ms(12_625));
    }
}
