use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use seaworthy::ConfigError;
use seaworthy_store::{random, time};

const LONGEST: usize = 64;
const RULE: &str = "must be 1 to 64 bytes of A-Z, a-z, 0-9, `.`, `_`, `:` and `-`";

/// What tells a job from all others of its queue: given by whoever enqueues it, or made.
///
/// Enqueuing a job again under an id that is live changes nothing, so that an id which follows from what the job is
/// about makes it one job, however often it is enqueued.
///
/// # Clone
/// Costs a reference count.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(Arc<str>);

impl JobId {
    /// An id of your own.
    ///
    /// # Errors
    /// If it is not 1 to 64 bytes of `A-Z`, `a-z`, `0-9`, `.`, `_`, `:` and `-`.
    pub fn new(id: &str) -> Result<JobId, ConfigError> {
        let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
        if (1..=LONGEST).contains(&id.len()) && id.bytes().all(is_fine) {
            return Ok(JobId(id.into()));
        }
        Err(ConfigError::new("job", "id", id, RULE))
    }

    /// A new one: a UUID of version 7, which begins with the time.
    #[must_use]
    pub fn unique() -> JobId {
        let millis = u64::try_from(time::wall().as_millis()).unwrap_or(u64::MAX);
        JobId(uuid(millis, random::unique()).into())
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// RFC 9562, section 5.7: 48 bits of milliseconds, the version, 12 random bits, the variant, 62 random bits.
fn uuid(millis: u64, random: u128) -> String {
    const VERSION: u128 = 0x7 << 76;
    const VARIANT: u128 = 0b10 << 62;
    const CHANCE: u128 = (0xfff << 64) | ((1 << 62) - 1);
    let bits = (u128::from(millis) << 80) | VERSION | VARIANT | (random & CHANCE);
    let digits = format!("{bits:032x}");
    let part = |from, to| digits.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

impl Borrow<str> for JobId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// QU-02: an id that is made is a UUID of version 7: its time first, and everything else by chance.
    #[test]
    fn version_7() {
        // The example of RFC 9562, appendix A.6.
        let random = (0xcc3 << 64) | 0x18c4_dc0c_0c07_398f;
        assert_eq!(uuid(0x017f_22e2_79b0, random), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
        assert_eq!(uuid(u64::MAX, u128::MAX), "ffffffff-ffff-7fff-bfff-ffffffffffff");
        assert_ne!(JobId::unique(), JobId::unique());
        assert!(JobId::new(JobId::unique().as_str()).is_ok());
    }

    /// QU-02: 1 to 64 bytes that need no quoting anywhere.
    #[test]
    fn ids() {
        for fine in ["a", "cron:nightly:17", "A-Z_a.z", &"x".repeat(64)] {
            assert_eq!(JobId::new(fine).unwrap().as_str(), fine);
        }
        for wrong in ["", "a b", "ü", "a/b", "a\n", &"x".repeat(65)] {
            let error = JobId::new(wrong).unwrap_err();
            assert_eq!((error.field(), error.rule()), ("id", RULE));
        }
    }
}
