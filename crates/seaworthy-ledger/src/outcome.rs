/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimOutcome {
    /// Granted, to the first.
    First,
    /// Granted to another one after the first.
    Again,
    /// Somebody else is at it.
    Busy,
    /// It was done.
    Done,
    /// It is another piece of work under the same key.
    Mismatch,
    /// The store gave no answer.
    Down,
}

/// How a claim ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettleOutcome {
    /// Final.
    Done,
    /// Free to be claimed again.
    Failed,
    /// Given back, because the work was not begun.
    Released,
    /// Nothing was recorded: the claim was not its holder's any more.
    Lost,
}

/// What became of a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RenewalOutcome {
    /// The lease goes on.
    Renewed,
    /// It was not the holder's any more.
    Lost,
}

impl ClaimOutcome {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            ClaimOutcome::First => "first",
            ClaimOutcome::Again => "again",
            ClaimOutcome::Busy => "busy",
            ClaimOutcome::Done => "done",
            ClaimOutcome::Mismatch => "mismatch",
            ClaimOutcome::Down => "down",
        }
    }
}

impl SettleOutcome {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            SettleOutcome::Done => "done",
            SettleOutcome::Failed => "failed",
            SettleOutcome::Released => "released",
            SettleOutcome::Lost => "lost",
        }
    }
}

impl RenewalOutcome {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            RenewalOutcome::Renewed => "renewed",
            RenewalOutcome::Lost => "lost",
        }
    }
}
