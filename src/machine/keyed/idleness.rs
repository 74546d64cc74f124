/// What would be lost if an unused handle were evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idleness {
    /// It is held elsewhere, or its state was set by hand, or it is rejecting calls.
    InUse,
    /// It is held nowhere else, but remembers that its backend was unhealthy.
    Marked,
    /// It is held nowhere else, and a new one would do as well, or nearly so.
    Idle,
}
