//! What one elector holds, asks for, and remembers.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use seaworthy::Name;
use seaworthy::observe::Notifier;
use seaworthy_store::tasks::Tasks;
use seaworthy_store::time::{Instant, now};
use tokio::sync::{Notify, oneshot};

use super::telling::Teller;
use crate::error::ElectionError;
use crate::event::Event;
use crate::machine::term::TermClock;
use crate::settings::Settings;
use crate::sight::Sight;
use crate::store::{RowTime, Tenure};
use crate::term::{Term, TermControl};

pub(crate) struct Shared<S> {
    pub(super) store: S,
    pub(super) settings: Settings,
    pub(super) teller: Teller,
    pub(super) tasks: Tasks,
    pub(super) holder: String,
    pub(super) sight: Sight,
    /// What the moments of term clocks are counted from.
    pub(super) start: Instant,
    /// A term may be due before all others.
    pub(super) terms_changed: Notify,
    /// A candidate came or went.
    pub(super) candidates_changed: Notify,
    /// Of a runtime with one thread.
    pub(super) warned: Once,
    board: Mutex<Board<S>>,
}

pub(super) struct Board<S> {
    pub(super) terms: HashMap<u128, HeldTerm>,
    /// In the order in which they came.
    pub(super) candidates: Vec<Candidacy<S>>,
    /// The highest epochs that were seen.
    seen: HashMap<Name, u64>,
    /// What the row clock was when its last answer was received.
    row_clock: Option<(RowTime, Instant)>,
    pub(super) is_renewing: bool,
    pub(super) is_campaigning: bool,
}

pub(super) struct HeldTerm {
    pub(super) tenure: Tenure,
    pub(super) control: TermControl,
    pub(super) clock: TermClock,
    /// How it ended was told.
    pub(super) is_told_over: bool,
    /// The row is not its any more.
    pub(super) is_lost: bool,
    /// The last renewal was too late.
    pub(super) was_late: bool,
}

pub(super) struct Candidacy<S> {
    pub(super) name: Name,
    pub(super) term: u128,
    /// Asks once.
    pub(super) is_once: bool,
    /// Asks by itself, because its row was locked.
    pub(super) is_alone: bool,
    /// An asking got no answer, so that the term may have been granted.
    pub(super) is_in_doubt: bool,
    /// The last asking was too late.
    pub(super) was_late: bool,
    pub(super) began: Instant,
    pub(super) due: Instant,
    pub(super) answer: oneshot::Sender<Result<Option<Term<S>>, ElectionError>>,
}

impl<S> Shared<S> {
    pub(super) fn new(store: S, settings: Settings, notifier: Notifier, holder: String) -> Shared<S> {
        let board = Board {
            terms: HashMap::new(),
            candidates: Vec::new(),
            seen: HashMap::new(),
            row_clock: None,
            is_renewing: false,
            is_campaigning: false,
        };
        Shared {
            store,
            settings,
            teller: Teller::new(notifier),
            tasks: Tasks::default(),
            holder,
            sight: Sight::default(),
            start: now(),
            terms_changed: Notify::new(),
            candidates_changed: Notify::new(),
            warned: Once::new(),
            board: Mutex::new(board),
        }
    }

    pub(super) fn board(&self) -> MutexGuard<'_, Board<S>> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The moment of a term clock.
    pub(super) fn moment(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.start)
    }

    /// See [`Teller::note`].
    pub(super) fn note(&self, tell: impl FnOnce(&mut dyn FnMut(&Event<'_>)) + Send + 'static) {
        self.teller.note(tell);
    }

    /// See [`Teller::tell`].
    pub(super) fn tell(&self) {
        self.teller.tell();
    }

    pub(super) fn seen(&self, board: &Board<S>, name: &Name) -> u64 {
        board.seen.get(name).copied().unwrap_or(0).max(self.settings.seen)
    }
}

impl<S> Board<S> {
    pub(super) fn saw(&mut self, name: &Name, epoch: u64) {
        let seen = self.seen.entry(name.clone()).or_default();
        *seen = epoch.max(*seen);
    }

    /// What the row clock must be when a request that is sent now is begun, at the latest: as it was with the last
    /// answer, the time since, and the limit. None before the first answer.
    pub(super) fn begin_by(&self, limit: Duration) -> Option<RowTime> {
        let (at, received) = self.row_clock?;
        Some(at.after(now().saturating_duration_since(received)).after(limit))
    }

    pub(super) fn answered_at(&mut self, at: RowTime) {
        self.row_clock = Some((at, now()));
    }
}

/// Marks the elector as not renewing, or not campaigning, when that task is gone, even if a runtime that was shut down
/// never polled it.
pub(super) struct Running<S> {
    pub(super) shared: Arc<Shared<S>>,
    pub(super) is_over: bool,
    gone: fn(&mut Board<S>) -> Vec<Candidacy<S>>,
}

impl<S> Running<S> {
    pub(super) fn renewing(shared: &Arc<Shared<S>>) -> Running<S> {
        let gone = |board: &mut Board<S>| {
            board.is_renewing = false;
            Vec::new()
        };
        Running { shared: Arc::clone(shared), is_over: false, gone }
    }

    /// Those who wait are told that nobody asks for them any more.
    pub(super) fn campaigning(shared: &Arc<Shared<S>>) -> Running<S> {
        let gone = |board: &mut Board<S>| {
            board.is_campaigning = false;
            mem::take(&mut board.candidates)
        };
        Running { shared: Arc::clone(shared), is_over: false, gone }
    }
}

impl<S> Drop for Running<S> {
    fn drop(&mut self) {
        if !self.is_over {
            let unanswered = (self.gone)(&mut self.shared.board());
            drop(unanswered);
        }
    }
}
