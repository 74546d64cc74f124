/// What would be lost with a handle, if whoever keeps it let it go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idleness {
    /// Somebody holds it, or it was told to be as it is, or it is rejecting calls.
    InUse,
    /// Nobody holds it, but it remembers that its backend was ill.
    Marked,
    /// Nobody holds it, and a new one would do as well or nearly so.
    Idle,
}
