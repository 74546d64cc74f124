use std::future::Future;
use std::time::Duration;

use seaworthy::Name;
use seaworthy::observe::Notifier;

use crate::error::ElectionError;
use crate::sight::{Leader, Sight};
use crate::term::Term;

/// Whoever grants terms: among any number of candidates of a name at most one leads at a time, and each term has an
/// epoch that is greater than all before.
///
/// [`LeaseElector`](crate::LeaseElector) is one for every store of leases, with the same methods for whatever becomes a
/// [`Name`]. One of your own makes its terms with
/// [`Term::granted`], and passes the `conformance` suite (feature `test-util`).
pub trait Elector: Clone + Send + Sync + 'static {
    /// What its terms carry with them: the store that keeps them.
    type Store: Send + Sync + 'static;

    /// Waits until this process leads the name. In one process, too, one at a time.
    ///
    /// # Errors
    /// If the name cannot be used, or the store refuses. Not because it cannot be reached: that is waited for.
    ///
    /// # Cancellation
    /// Dropping it ends the campaign. A term that was granted meanwhile is given back in the background.
    fn campaign(&self, name: Name) -> impl Future<Output = Result<Term<Self::Store>, ElectionError>> + Send;

    /// Asks once: a term, or none because somebody else leads.
    ///
    /// # Errors
    /// As [`campaign`](Self::campaign), and if the store cannot be reached. Whether the lease was taken is unknown
    /// then; if it was, it is given back, or is over after its ttl.
    ///
    /// # Cancellation
    /// As that of [`campaign`](Self::campaign).
    fn try_campaign(&self, name: Name)
    -> impl Future<Output = Result<Option<Term<Self::Store>>, ElectionError>> + Send;

    /// Asks the store who leads. None if nobody does.
    ///
    /// # Errors
    /// If the name cannot be used, the store cannot be reached, or refuses.
    ///
    /// # Cancellation
    /// Dropping it loses nothing.
    fn leader(&self, name: Name) -> impl Future<Output = Result<Option<Leader>, ElectionError>> + Send;

    /// The times that guards go by.
    fn pace(&self) -> Pace;

    /// What it last saw of its store.
    fn sight(&self) -> &Sight;

    /// Whom its guards report to.
    fn notifier(&self) -> &Notifier;
}

/// The times of an [`Elector`] that guards and checks go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pace {
    /// How long a leader that has died is waited for.
    pub ttl: Duration,
    /// How long work has between being told to end and being dropped.
    pub stop_time: Duration,
    /// How long work has at a shutdown.
    pub release_grace: Duration,
    /// How often a follower asks.
    pub poll: Duration,
}

impl Pace {
    /// All of them.
    #[must_use]
    pub fn new(ttl: Duration, stop_time: Duration, release_grace: Duration, poll: Duration) -> Pace {
        Pace { ttl, stop_time, release_grace, poll }
    }
}
