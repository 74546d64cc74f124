use std::sync::Arc;
use std::time::Duration;

use crate::machine::probe::track::{TargetPhase, Track};
use crate::machine::probe_state::ProbeState;
use crate::machine::timestamp::Timestamp;

/// What is known about a target at one moment.
///
/// The counts and times are those of the current window. A fresh one begins when the target is restarted, starts or
/// stops running, or gets another policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProbeStatus {
    /// The state; when the target does not run, its phase decides what shows.
    pub state: ProbeState,
    /// The phase of the target.
    pub phase: TargetPhase,
    /// Successes in a row, up to now.
    pub successes: u32,
    /// Failures in a row, up to now, those of the start period included.
    pub failures: u32,
    /// Why the last probe failed, if it did; at most 512 bytes.
    pub last_error: Option<Arc<str>>,
    /// How long ago the last success was.
    pub since_success: Option<Duration>,
    /// How long ago the last failure was.
    pub since_failure: Option<Duration>,
    /// How long it has been in this state.
    pub time_in_state: Duration,
}

impl ProbeStatus {
    pub(super) fn new(track: &Track, now: Timestamp) -> ProbeStatus {
        let findings = track.findings();
        ProbeStatus {
            state: track.state(),
            phase: track.phase(),
            successes: findings.successes,
            failures: findings.failures,
            last_error: findings.error.clone(),
            since_success: findings.last_success.map(|at| now.since(at)),
            since_failure: findings.last_failure.map(|at| now.since(at)),
            time_in_state: now.since(track.since()),
        }
    }

    /// How long ago the last probe ended.
    #[must_use]
    pub fn since_probe(&self) -> Option<Duration> {
        self.since_success.into_iter().chain(self.since_failure).min()
    }
}
