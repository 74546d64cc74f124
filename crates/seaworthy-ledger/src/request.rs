use std::time::Duration;

use bytes::Bytes;
use seaworthy::ConfigError;

use crate::key::Key;

const MOST_FINGERPRINT: usize = 64;

/// What is claimed, and how. A [`Key`] alone is one, too.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is claimed"]
pub struct ClaimRequest {
    pub(crate) key: Key,
    pub(crate) lease: Option<Duration>,
    pub(crate) keep: Option<Option<Duration>>,
    pub(crate) fingerprint: Option<Bytes>,
    pub(crate) rank: Option<i64>,
}

impl ClaimRequest {
    /// A claim of this key as the ledger's settings say.
    pub fn new(key: Key) -> ClaimRequest {
        ClaimRequest { key, lease: None, keep: None, fingerprint: None, rank: None }
    }

    /// Another lease than the ledger's: 1 s to 24 h, and more than three times the request timeout.
    pub fn lease(mut self, lease: Duration) -> ClaimRequest {
        self.lease = Some(lease);
        self
    }

    /// Keeps the outcome for another time than the ledger's: longer than the lease, at most 10 years.
    pub fn keep(mut self, span: Duration) -> ClaimRequest {
        self.keep = Some(Some(span));
        self
    }

    /// Keeps the outcome for ever.
    pub fn keep_forever(mut self) -> ClaimRequest {
        self.keep = Some(None);
        self
    }

    /// What the key must stand for, at most 64 bytes: a hash of the request, for instance. A key that is running or
    /// done under another fingerprint is a [`Mismatch`](crate::Claimed::Mismatch); one that failed takes the new one.
    pub fn fingerprint(mut self, fingerprint: impl Into<Bytes>) -> ClaimRequest {
        self.fingerprint = Some(fingerprint.into());
        self
    }

    /// Takes a running row of a lower rank, or of none, at once, as if its lease were over. For who knows already that
    /// the older holder has lost its work: behind a queue, the rank is the delivery's fence.
    pub fn rank(mut self, rank: i64) -> ClaimRequest {
        self.rank = Some(rank);
        self
    }

    /// In a caller's transaction there is no lease, and nothing to outrank.
    pub(crate) fn check_without_lease(&self) -> Result<(), ConfigError> {
        let rule = "must not be set for a claim in a transaction";
        match (self.lease, self.rank) {
            (Some(lease), _) => Err(ConfigError::new("claim", "lease", lease, rule)),
            (_, Some(rank)) => Err(ConfigError::new("claim", "rank", rank, rule)),
            (None, None) => Ok(()),
        }
    }

    pub(crate) fn check_fingerprint(&self) -> Result<(), ConfigError> {
        match &self.fingerprint {
            Some(print) if print.len() > MOST_FINGERPRINT => {
                Err(ConfigError::new("claim", "fingerprint", print.len(), "must be at most 64 bytes"))
            }
            _ => Ok(()),
        }
    }
}

impl From<Key> for ClaimRequest {
    fn from(key: Key) -> ClaimRequest {
        ClaimRequest::new(key)
    }
}

impl From<&Key> for ClaimRequest {
    fn from(key: &Key) -> ClaimRequest {
        ClaimRequest::new(key.clone())
    }
}
