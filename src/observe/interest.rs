/// How much an observer wants to be told, and how much an event asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Interest {
    /// Changes of state, and calls that failed, were rejected or were tried again.
    #[default]
    Changes,
    /// Also every call, those that go well included, and what is built and dropped.
    Calls,
}
