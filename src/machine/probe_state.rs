use std::fmt;

/// What is known about a probed target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProbeState {
    /// It has no policy, and is not probed.
    Disabled,
    /// It is not running.
    Unknown,
    /// It is initialising, or running with nothing decided yet.
    Starting,
    /// Enough probes in a row succeeded, and not too many have failed since.
    Healthy,
    /// Too many probes in a row failed.
    Unhealthy,
}

impl ProbeState {
    /// A short constant text, for logs and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ProbeState::Disabled => "disabled",
            ProbeState::Unknown => "unknown",
            ProbeState::Starting => "starting",
            ProbeState::Healthy => "healthy",
            ProbeState::Unhealthy => "unhealthy",
        }
    }
}

impl fmt::Display for ProbeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The result of a probe that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProbeOutcome {
    /// It found the target healthy.
    Success,
    /// It failed.
    Failure,
    /// It was given up because it took too long.
    TimedOut,
}
