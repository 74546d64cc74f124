use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use seaworthy::Name;
use seaworthy_store::time::{Instant, now};

use crate::epoch::Epoch;
use crate::store::Row;

/// Who leads, as a follower sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leader {
    /// Its name, for people: nothing is to be decided by it.
    pub holder: String,
    /// Of its term.
    pub epoch: Epoch,
    /// What it wants to be known, an address for instance: see [`hint`](crate::ElectorBuilder::hint).
    pub hint: Option<String>,
    /// To the end of its lease, by the store's clock. Leaders renew it long before.
    pub left: Duration,
}

impl From<Row> for Leader {
    fn from(row: Row) -> Leader {
        let Row { holder, epoch, hint, left } = row;
        Leader { holder: holder.into(), epoch: Epoch::new(epoch), hint: hint.map(String::from), left }
    }
}

impl Leader {
    /// For electors of your own.
    #[must_use]
    pub fn new(holder: impl Into<String>, epoch: Epoch, hint: Option<String>, left: Duration) -> Leader {
        Leader { holder: holder.into(), epoch, hint, left }
    }
}

/// What an elector last saw of its store: who leads, and whether the store answers. It is what guards, checks and
/// layers look at without asking the store. An elector of your own keeps one up to date.
///
/// # Clone
/// Costs a reference count; clones see the same.
#[derive(Clone, Debug, Default)]
pub struct Sight(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    leaders: HashMap<Name, (Leader, Instant)>,
    answered: Option<Instant>,
    down_since: Option<Instant>,
}

impl Sight {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store has answered. Returns how long it was down, if it was.
    pub fn answered(&self) -> Option<Duration> {
        let now = now();
        let mut seen = self.lock();
        seen.answered = Some(now);
        seen.down_since.take().map(|since| now.saturating_duration_since(since))
    }

    /// The store could not be asked. Returns for how long it has been down.
    pub fn failed(&self) -> Duration {
        let now = now();
        let since = *self.lock().down_since.get_or_insert(now);
        now.saturating_duration_since(since)
    }

    /// Somebody leads, or nobody else does.
    pub fn saw(&self, name: &Name, leader: Option<Leader>) {
        let now = now();
        let mut seen = self.lock();
        match leader {
            Some(leader) => {
                let until = now + leader.left;
                seen.leaders.insert(name.clone(), (leader, until));
            }
            None => drop(seen.leaders.remove(name)),
        }
    }

    /// Who led when the store was last asked, if that lease can still be live. Its `left` is as of now.
    #[must_use]
    pub fn leader(&self, name: &Name) -> Option<Leader> {
        let now = now();
        let seen = self.lock();
        let (leader, until) = seen.leaders.get(name)?;
        let left = until.saturating_duration_since(now);
        (!left.is_zero()).then(|| Leader { left, ..leader.clone() })
    }

    /// How long ago the store last answered. None if it never has.
    #[must_use]
    pub fn last_answer(&self) -> Option<Duration> {
        let now = now();
        self.lock().answered.map(|at| now.saturating_duration_since(at))
    }

    /// For how long the store has not answered what it was asked. None if it answers.
    #[must_use]
    pub fn down_for(&self) -> Option<Duration> {
        let now = now();
        self.lock().down_since.map(|since| now.saturating_duration_since(since))
    }
}
