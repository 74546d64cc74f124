use seaworthy_faults::journal::{Entry, Journal};

/// What is left of a drill when all of its processes have ended and no job is live.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) journal: Journal,
    /// The ids of the dead, and how often each was tried.
    pub(super) dead: Vec<(String, u32)>,
    /// The jobs with a row of their effect, and how many they have. None without a ledger.
    pub(super) recorded: Vec<(String, u64)>,
    /// How many processes the supervisor has replaced.
    pub(super) restarts: usize,
}

impl Outcome {
    /// How many processes were killed.
    pub(super) fn kills(&self) -> usize {
        self.journal.count(|entry| matches!(entry, Entry::Ended { how, .. } if how.contains("SIGKILL")))
    }
}
