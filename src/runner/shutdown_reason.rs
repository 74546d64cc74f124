use std::fmt;

use super::signal::Signal;
use crate::name::Name;

/// Why the shutdown began.
pub(super) enum ShutdownReason {
    Signal(Signal),
    Interrupt,
    Stop,
    Parent,
    Startup,
    Task(Name),
}

impl fmt::Display for ShutdownReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShutdownReason::Signal(signal) => signal.fmt(f),
            ShutdownReason::Interrupt => f.write_str("interrupt"),
            ShutdownReason::Stop => f.write_str("stop"),
            ShutdownReason::Parent => f.write_str("parent"),
            ShutdownReason::Startup => f.write_str("startup failed"),
            ShutdownReason::Task(name) => write!(f, "task `{name}` ended"),
        }
    }
}
