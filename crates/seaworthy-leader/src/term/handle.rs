use std::fmt;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use seaworthy::{Name, Shutdown};
use tokio::sync::watch;

use super::control::{TermControl, TermOwner};
use super::state::TermState;
use super::watch::TermWatch;
use crate::epoch::Epoch;
use crate::event::TermEnd;
use crate::local::Local;

/// A stretch of leadership: this process leads the name, until the term is resigned, dropped, or could not be renewed.
///
/// Renewing is done by the elector. A term that is dropped resigns, in the background; one that was given to the work
/// of a [`LeaderGuard`](crate::LeaderGuard) does not, because the guard gives it back when the work has ended.
///
/// No look at a term makes a write safe: between the look and the write the process can be stopped for a minute. What
/// is safe is a resource that compares [epochs](Self::epoch).
///
/// # Clone
/// It is not `Clone`, because one of it leads; [`watch`](Self::watch) gives what may look.
#[must_use = "a term that is dropped resigns"]
pub struct Term<S = Local> {
    state: Arc<TermState>,
    store: S,
    resigns: bool,
    transaction_limit: Duration,
}

/// What a transaction of a guarded one has, unless the elector says otherwise.
const TRANSACTION_LIMIT: Duration = Duration::from_secs(4);

impl<S> Term<S> {
    /// A term that was just granted, for electors of your own: valid until `deadline`, and given back through `owner`.
    pub fn granted(
        name: Name,
        epoch: Epoch,
        deadline: Instant,
        store: S,
        owner: Arc<dyn TermOwner>,
    ) -> (Term<S>, TermControl) {
        let state = TermState::new(name, epoch, deadline.into(), owner);
        let control = TermControl::new(Arc::clone(&state));
        (Term { state, store, resigns: true, transaction_limit: TRANSACTION_LIMIT }, control)
    }

    /// How long a transaction that it [guards](Self::guard) may take, for electors of your own. Default 4 s.
    pub fn with_transaction_limit(mut self, limit: Duration) -> Term<S> {
        self.transaction_limit = limit;
        self
    }

    pub(super) fn transaction_limit(&self) -> Duration {
        self.transaction_limit
    }

    /// What is led.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.state.name
    }

    /// The fence: greater than that of every earlier term of this name, whoever had it. It stays the same for the whole
    /// term.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.state.epoch
    }

    /// Whether the term is valid: until its [`deadline`](Self::deadline), and never again once it was found over, was
    /// lost, or was resigned. It asks nobody, takes no lock and allocates nothing: an atomic and a reading of the
    /// clock.
    ///
    /// Between [`ended`](Self::ended) and the deadline it is valid still, so that work can finish what it has begun.
    ///
    /// It goes by the monotonic clock, which runs while a process is stopped, but on most systems not while the machine
    /// is suspended: a virtual machine that was put to sleep may think that it leads when it wakes up, and only the
    /// epoch tells others that it does not.
    #[inline]
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.state.is_valid()
    }

    /// Requested when the work of this term has to end: because it could not be renewed and has its stop time left,
    /// because it is lost, or because its leader resigns or shuts down.
    #[must_use]
    pub fn ended(&self) -> Shutdown {
        self.state.ended()
    }

    /// Until when it is valid if no renewal succeeds any more: ttl less margin after the last good one was sent. None
    /// when it is over.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.state.deadline().map(|deadline| deadline.into_std())
    }

    /// Something that looks at this term, and may be cloned.
    #[must_use]
    pub fn watch(&self) -> TermWatch {
        TermWatch::new(Arc::clone(&self.state))
    }

    /// Ends the term, and waits until the store has been told, or could not be within a request's limit: then the lease
    /// is over after its ttl.
    ///
    /// # Cancellation
    /// Dropping it loses nothing: the term has ended with the first poll, and the store is told in the background.
    pub async fn resign(self) {
        self.state.end(TermEnd::Released);
        self.state.released().await;
    }

    /// The store that keeps the lease.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// From now on the term is given back by the keeper, and not by its drop.
    pub(crate) fn keep(&mut self) -> Keeper {
        self.resigns = false;
        self.state.guarded();
        Keeper { state: Arc::clone(&self.state), end: TermEnd::Released }
    }
}

impl<S> Drop for Term<S> {
    fn drop(&mut self) {
        if mem::take(&mut self.resigns) {
            self.state.end(TermEnd::Released);
        }
    }
}

impl<S> fmt::Debug for Term<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Term")
            .field("name", &self.state.name)
            .field("epoch", &self.state.epoch)
            .field("is_valid", &self.is_valid())
            .finish_non_exhaustive()
    }
}

/// Gives a term back when it is dropped, which is when the work is gone.
pub(crate) struct Keeper {
    state: Arc<TermState>,
    end: TermEnd,
}

impl Keeper {
    pub(crate) fn stop_by(&self) -> watch::Receiver<Option<tokio::time::Instant>> {
        self.state.stop_by()
    }

    pub(crate) fn wind_down(&self, stop_by: tokio::time::Instant) {
        self.state.wind_down(stop_by);
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.state.ended().is_requested()
    }

    pub(crate) fn watch(&self) -> TermWatch {
        TermWatch::new(Arc::clone(&self.state))
    }

    /// Gives it back for this reason, and waits until the store has been told.
    pub(crate) async fn give_back(mut self, end: TermEnd) {
        self.end = end;
        let state = Arc::clone(&self.state);
        drop(self);
        state.released().await;
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.state.end(self.end);
    }
}
