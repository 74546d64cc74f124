use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use seaworthy::{Name, Shutdown};

use super::checks::{LeadingCheck, StoreCheck};
use super::handle::LeaderGuard;
use super::status::LeaderStatus;
use crate::elector::Elector;
use crate::epoch::Epoch;
use crate::sight::{Leader, Sight};
use crate::standing::Standing;
use crate::term::TermWatch;

/// Looks at whether this process leads a name, over as many terms as there are. Made by
/// [`LeaderGuard::watch`], or from a [`TermWatch`].
///
/// # Clone
/// Costs a reference count.
#[derive(Clone)]
pub struct LeaderWatch(Arc<Watched>);

struct Watched {
    name: Name,
    standing: Arc<Standing>,
    sight: Option<Sight>,
    ttl: Duration,
    term: Mutex<Option<(TermWatch, std::time::Instant)>>,
}

impl LeaderWatch {
    pub(super) fn new(name: Name, sight: Sight, ttl: Duration) -> LeaderWatch {
        let standing = Arc::new(Standing::new());
        LeaderWatch(Arc::new(Watched { name, standing, sight: Some(sight), ttl, term: Mutex::new(None) }))
    }

    fn term(&self) -> MutexGuard<'_, Option<(TermWatch, std::time::Instant)>> {
        self.0.term.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, term: TermWatch) {
        *self.term() = Some((term.clone(), seaworthy_store::time::now().into_std()));
        term.show_in(&self.0.standing);
    }

    pub(super) fn end(&self) {
        self.term().take();
    }

    /// What is led.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.0.name
    }

    /// The epoch while this process leads; none from when its work was told to end. Two atomics and a reading of the
    /// clock.
    #[inline]
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        self.0.standing.epoch()
    }

    /// Whether there is a term that was not told to end. Its deadline may have passed.
    #[inline]
    pub(crate) fn has_term(&self) -> bool {
        self.0.standing.has_term()
    }

    pub(crate) fn epoch_and_end(&self) -> Option<(Epoch, Shutdown)> {
        self.0.standing.epoch_and_end()
    }

    /// Who leads, as it was last seen, if it is another.
    #[must_use]
    pub fn leader(&self) -> Option<Leader> {
        self.0.sight.as_ref()?.leader(&self.0.name)
    }

    /// What its guard is at.
    #[must_use]
    pub fn status(&self) -> LeaderStatus {
        let term = self.term().clone();
        if let Some((term, since)) = term {
            return match (self.epoch(), term.deadline()) {
                (Some(epoch), Some(deadline)) => LeaderStatus::Leading { epoch, since, deadline },
                // Of one term, which is over; nobody knows of its work.
                (_, None) if self.0.sight.is_none() => LeaderStatus::Follower { leader: None, hint: None },
                _ => LeaderStatus::Ending,
            };
        }
        if let Some(down) = self.0.sight.as_ref().and_then(Sight::down_for) {
            return LeaderStatus::Store { down };
        }
        let leader = self.leader();
        let hint = leader.as_ref().and_then(|leader| leader.hint.clone());
        LeaderStatus::Follower { leader: leader.map(|leader| leader.holder), hint }
    }

    /// A check that is up while this process leads, for [`Health::require`](seaworthy::Health::require) where only the
    /// leader takes traffic.
    #[must_use]
    pub fn leading(&self) -> LeadingCheck {
        LeadingCheck::new(self.clone())
    }

    /// A check that is down once the store has not answered for one ttl, for
    /// [`Health::report`](seaworthy::Health::report).
    #[must_use]
    pub fn store(&self) -> StoreCheck {
        StoreCheck::new(self.clone())
    }

    pub(super) fn store_answers(&self) -> Result<(), &'static str> {
        let Some(sight) = &self.0.sight else { return Ok(()) };
        match (sight.last_answer(), sight.down_for()) {
            (None, _) => Err("has not answered yet"),
            (Some(ago), Some(_)) if ago > self.0.ttl => Err("does not answer"),
            _ => Ok(()),
        }
    }
}

impl<E: Elector, F> From<&LeaderGuard<E, F>> for LeaderWatch {
    fn from(guard: &LeaderGuard<E, F>) -> LeaderWatch {
        guard.watch()
    }
}

/// Over this term only.
impl From<TermWatch> for LeaderWatch {
    fn from(term: TermWatch) -> LeaderWatch {
        let watched = Watched {
            name: term.name().clone(),
            standing: Arc::new(Standing::new()),
            sight: None,
            ttl: Duration::ZERO,
            term: Mutex::new(None),
        };
        let watch = LeaderWatch(Arc::new(watched));
        watch.begin(term);
        watch
    }
}

impl fmt::Debug for LeaderWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaderWatch").field("name", &self.0.name).field("epoch", &self.epoch()).finish_non_exhaustive()
    }
}
