use std::time::Duration;

use seaworthy::ConfigError;

use crate::error::LedgerError;

pub(crate) const SHORTEST_LEASE: Duration = Duration::from_secs(1);
pub(crate) const LONGEST_LEASE: Duration = Duration::from_secs(24 * 60 * 60);
const SHORTEST_REQUEST: Duration = Duration::from_millis(50);
const LONGEST_KEEP: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
const LARGEST_RESULT: usize = 16 << 20;

/// What a ledger was built with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) lease: Duration,
    pub(crate) request_timeout: Duration,
    /// For ever if there is none.
    pub(crate) keep: Option<Duration>,
    pub(crate) max_result: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            lease: Duration::from_secs(60),
            request_timeout: Duration::from_secs(5),
            keep: Some(Duration::from_secs(7 * 24 * 60 * 60)),
            max_result: 64 << 10,
        }
    }
}

type Checked = Result<(), ConfigError>;

fn refuse(field: &'static str, value: impl std::fmt::Debug, rule: &'static str) -> Checked {
    Err(ConfigError::new("ledger", field, value, rule))
}

impl Settings {
    pub(crate) fn check(&self) -> Checked {
        self.check_lease(self.lease)?;
        if self.request_timeout < SHORTEST_REQUEST {
            return refuse("request_timeout", self.request_timeout, "must be at least 50 ms");
        }
        self.check_keep(self.lease, self.keep)?;
        if !(1..=LARGEST_RESULT).contains(&self.max_result) {
            return refuse("max_result", self.max_result, "must be 1 byte to 16 MiB");
        }
        Ok(())
    }

    /// Three renewals, each to its limit, must fit into a lease.
    pub(crate) fn check_lease(&self, lease: Duration) -> Checked {
        if !(SHORTEST_LEASE..=LONGEST_LEASE).contains(&lease) {
            return refuse("lease", lease, "must be 1 s to 24 h");
        }
        if self.request_timeout >= lease / 3 {
            return refuse("request_timeout", self.request_timeout, "must be shorter than a third of the lease");
        }
        Ok(())
    }

    pub(crate) fn check_keep(&self, lease: Duration, keep: Option<Duration>) -> Checked {
        match keep {
            Some(keep) if keep <= lease || keep > LONGEST_KEEP => {
                refuse("keep", keep, "must be longer than the lease and at most 10 years")
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn check_result(&self, size: usize) -> Result<(), LedgerError> {
        let limit = self.max_result;
        if size > limit { Err(LedgerError::TooLarge { size, limit }) } else { Ok(()) }
    }
}
