//! What can happen to a leader.

/// One kind of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// kill -9.
    Kill,
    /// SIGSTOP for twice its ttl, then CONT.
    Stop,
    /// SIGTERM in the middle of its work.
    Term,
    /// All that goes between it and the store stands still.
    Stall,
}

impl Fault {
    pub(super) const ALL: [Fault; 4] = [Fault::Kill, Fault::Stop, Fault::Term, Fault::Stall];

    /// Whether it leaves an old leader that writes on when it comes back.
    pub(super) fn leaves_an_old_one(self) -> bool {
        matches!(self, Fault::Stop | Fault::Stall)
    }
}
