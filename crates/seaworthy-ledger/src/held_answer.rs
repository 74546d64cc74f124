/// Whether a claim is still its holder's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a claim that was lost records nothing"]
pub enum Held {
    /// It was, and the store did what it was asked.
    Yes,
    /// Somebody else has the key, or had it: the store did nothing.
    Lost,
}

impl Held {
    /// Whether it was.
    #[must_use]
    pub fn is_yes(self) -> bool {
        self == Held::Yes
    }
}
