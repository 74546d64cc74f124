use std::time::Duration;

use super::restart_policy::RestartPolicy;
use crate::error::ConfigError;
use crate::error::check::Subject;
use crate::machine::runner::restart::Restarts;
use crate::rt::random::Random;

/// The waits of a [`RestartPolicy`], one after the other, for code that restarts something by itself. A supervised
/// [`Task`](super::Task) does not need it.
///
/// ```
/// use seaworthy::runner::{RestartPolicy, RestartWaits};
/// use std::time::Duration;
///
/// let policy = RestartPolicy::default().max_restarts(2);
/// let mut waits = RestartWaits::new(policy)?;
/// let ran_for = Duration::from_secs(1);
/// assert!(waits.after_failure(ran_for).is_some());
/// assert!(waits.after_failure(ran_for).is_some());
/// assert!(waits.after_failure(ran_for).is_none()); // the third failure in a row is one too many
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RestartWaits {
    restarts: Restarts,
    random: Random,
}

impl RestartWaits {
    /// As if nothing had failed yet.
    ///
    /// # Errors
    /// If the policy cannot be used.
    pub fn new(policy: RestartPolicy) -> Result<RestartWaits, ConfigError> {
        policy.check(Subject::of("restart policy"))?;
        Ok(RestartWaits { restarts: policy.machine(), random: Random::default() })
    }

    /// What ran for `ran_for` has failed. Returns how long to wait before it is started again, or `None` if it is not
    /// to be.
    #[must_use]
    pub fn after_failure(&mut self, ran_for: Duration) -> Option<Duration> {
        let random = &self.random;
        self.restarts.failed(ran_for, &mut || random.fraction())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::retry::backoff::{Backoff, Jitter};

    /// RN-10: the waits are those of a supervised task, and a policy that such a task could not have is refused.
    #[test]
    fn as_a_task_has_them() {
        let second = Duration::from_secs(1);
        let backoff = Backoff::exponential(second, 30 * second).jitter(Jitter::None);
        let mut waits = RestartWaits::new(RestartPolicy::new(backoff).max_restarts(3)).unwrap();
        let mut after = |seconds: u32| waits.after_failure(seconds * second).map(|wait| wait.as_secs());
        assert_eq!([0, 0, 60, 59, 0, 0].map(&mut after), [Some(1), Some(2), Some(1), Some(2), Some(4), None]);
        let error = RestartWaits::new(RestartPolicy::default().max_restarts(0)).unwrap_err();
        assert!(error.to_string().contains("restart policy"), "{error}");
    }
}
