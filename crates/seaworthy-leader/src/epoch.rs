use std::fmt;

/// The fence of leadership: a number that only grows, one for each term of a name.
///
/// Send it along with what a leader asks of others, and let them refuse what is older than what they have seen: see
/// [`Epochs`](crate::Epochs), and [`FENCE_SQL`](crate::FENCE_SQL) for rows of your own.
///
/// ```
/// use seaworthy_leader::Epoch;
///
/// let (old, new) = (Epoch::new(7), Epoch::new(8));
/// assert!(old < new);
/// assert_eq!((new.get(), new.to_string()), (8, "8".to_owned()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// An epoch that came from elsewhere, over a wire for instance.
    #[must_use]
    pub const fn new(epoch: u64) -> Epoch {
        Epoch(epoch)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
impl From<Epoch> for http::HeaderValue {
    fn from(epoch: Epoch) -> http::HeaderValue {
        http::HeaderValue::from(epoch.0)
    }
}
