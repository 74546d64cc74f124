/// Which events an observer receives, and which observers an event is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Interest {
    /// Changes of state, and calls that failed, were rejected or were retried.
    #[default]
    Changes,
    /// Also every call, including those that succeed, and what is built and dropped.
    Calls,
}
