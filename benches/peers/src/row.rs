//! What is measured.

use std::time::Duration;

/// When a breaker opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Five failures in a row.
    Consecutive,
    /// Half of the last 100 calls.
    CountWindow,
    /// Half of the calls of the last 10 seconds.
    TimeWindow,
}

/// Settings that the peers share, if they have them.
impl Rule {
    pub const FAILURES: u32 = 5;
    pub const CALLS: u32 = 100;
    pub const SPAN: Duration = Duration::from_secs(10);
    pub const RATE: f64 = 0.5;
    /// Calls that a time window must hold before its rate counts.
    pub const MINIMUM: u32 = 20;
}

/// One line of the table, and one group of the criterion bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    Consecutive,
    CountWindow,
    /// With this many calls already in the window.
    TimeWindow(u32),
    Open,
    HalfOpen,
    /// Two threads, one breaker.
    Shared,
    /// Two threads, one breaker each.
    Apart,
}

impl Row {
    pub const ALL: [Self; 9] = [
        Self::Consecutive,
        Self::CountWindow,
        Self::TimeWindow(0),
        Self::TimeWindow(1_000),
        Self::TimeWindow(50_000),
        Self::Open,
        Self::HalfOpen,
        Self::Shared,
        Self::Apart,
    ];

    pub fn title(self) -> String {
        match self {
            Self::Consecutive => "closed, consecutive failures".into(),
            Self::CountWindow => "closed, last 100 calls".into(),
            Self::TimeWindow(0) => "closed, last 10 s, empty".into(),
            Self::TimeWindow(fill) => format!("closed, last 10 s, {} calls in it", thousands(fill)),
            Self::Open => "open, rejected".into(),
            Self::HalfOpen => "half-open, probe taken, rejected".into(),
            Self::Shared => "closed, two threads on one breaker".into(),
            Self::Apart => "closed, two threads with one each".into(),
        }
    }

    pub fn rule(self) -> Rule {
        match self {
            Self::CountWindow => Rule::CountWindow,
            Self::TimeWindow(_) => Rule::TimeWindow,
            _ => Rule::Consecutive,
        }
    }
}

fn thousands(number: u32) -> String {
    format!("{},{:03}", number / 1_000, number % 1_000)
}
