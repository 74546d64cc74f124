/// What happens to a request with a key while the ledger's store is down: it cannot be reached, or has no room.
///
/// A store that refuses, because a schema or a right is missing, or whose row cannot be understood, is not down; then
/// requests are refused whatever this says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnDown {
    /// It fails with [`LedgerDown`](crate::IdempotencyError::LedgerDown), and the inner service is untouched. The
    /// default.
    #[default]
    Refuse,
    /// The inner service is called without a claim: at least once, and no more than that is promised. It is counted,
    /// and told to the observer each time, as [`Event::Proceeded`](crate::Event::Proceeded).
    Proceed,
}
