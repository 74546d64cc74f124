use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use seaworthy::Name;
use seaworthy::observe::Notifier;
use seaworthy_store::process_name::process_name;
use seaworthy_store::random;
use seaworthy_store::time::now;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::board::{Candidacy, HeldTerm, Running, Shared};
use super::builder::ElectorBuilder;
use super::seam::{Elector, Pace};
use super::{campaigning, renewing};
use crate::error::ElectionError;
use crate::event::{Event, TermEnd, Why};
use crate::lease_name;
use crate::machine::waits::poll_wait;
use crate::settings::Settings;
use crate::sight::{Leader, Sight};
use crate::store::LeaseStore;
use crate::term::{Term, TermOwner};

/// An elector on a store of leases: a row for each name, whose holder renews it.
///
/// All its names share one task that renews and one that asks, so that a hundred names cost one request every
/// `renew_every`, and a hundred that it waits for one every `poll`.
///
/// # Clone
/// Costs a reference count; clones share what is held.
pub struct LeaseElector<S>(Arc<Shared<S>>);

impl<S: LeaseStore> LeaseElector<S> {
    /// An elector on a store of your own.
    pub fn with_store(store: S) -> ElectorBuilder<S> {
        ElectorBuilder::new(store)
    }

    pub(crate) fn built(store: S, settings: Settings, notifier: Notifier) -> LeaseElector<S> {
        LeaseElector(Arc::new(Shared::new(store, settings, notifier, process_name())))
    }

    /// The store it was made on.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.0.store
    }

    /// What it calls itself in rows and logs: host, process and eight random digits. Nothing is decided by it.
    #[must_use]
    pub fn holder(&self) -> &str {
        &self.0.holder
    }

    /// See [`ElectorBuilder::failover_bound`].
    #[must_use]
    pub fn failover_bound(&self) -> Duration {
        self.0.settings.failover_bound()
    }

    /// How many names this elector holds.
    #[must_use]
    pub fn held(&self) -> usize {
        self.0.board().terms.len()
    }

    /// Waits until nothing of this elector is left running: terms, campaigns, and what goes on in the background. It
    /// refuses and ends nothing.
    ///
    /// # Cancellation
    /// Dropping it loses nothing; what runs on goes on.
    pub async fn close(&self) {
        self.0.tasks.idle().await;
    }

    /// Renews all that is held without waiting for its time.
    pub(crate) fn renew_now(&self) {
        let now = self.0.moment(now());
        for term in self.0.board().terms.values_mut() {
            term.clock.renew_now(now);
        }
        self.0.terms_changed.notify_one();
    }

    async fn ask(&self, name: Name, is_once: bool) -> Result<Option<Term<S>>, ElectionError> {
        let name = lease_name::checked(name)?;
        let shared = &self.0;
        let (answer, answered) = oneshot::channel();
        let began = now();
        let must_start = {
            let mut board = shared.board();
            let is_spread = shared.settings.spread.is_some_and(|most| board.terms.len() >= most);
            let wait = poll_wait(shared.settings.poll, random::fraction());
            let due = if is_spread && !is_once { began + wait } else { began };
            if !is_once {
                let name = name.clone();
                shared.note(move |tell| tell(&Event::Campaigning { name: &name }));
            }
            board.candidates.push(Candidacy {
                name,
                term: random::unique(),
                is_once,
                is_alone: false,
                is_in_doubt: false,
                was_late: false,
                began,
                due,
                answer,
            });
            !std::mem::replace(&mut board.is_campaigning, true)
        };
        shared.tell();
        if must_start {
            let runtime = Handle::current();
            shared.tasks.spawn(&runtime, campaigning::campaign(Running::campaigning(shared), runtime.clone()));
        }
        // Wakes the campaigning now, and when this is dropped.
        let _candidate = Present(shared);
        shared.candidates_changed.notify_one();
        answered.await.unwrap_or(Err(ElectionError::Stopped))
    }
}

/// A candidate that waits for its answer.
struct Present<'a, S>(&'a Shared<S>);

impl<S> Drop for Present<'_, S> {
    fn drop(&mut self) {
        self.0.candidates_changed.notify_one();
    }
}

/// # Panics
/// `campaign`, `try_campaign` and `leader` panic outside of a tokio runtime with time enabled.
impl<S: LeaseStore> Elector for LeaseElector<S> {
    type Store = S;

    async fn campaign(&self, name: impl Into<Name> + Send) -> Result<Term<S>, ElectionError> {
        match self.ask(name.into(), false).await? {
            Some(term) => Ok(term),
            // Only who asks once is answered so.
            None => Err(ElectionError::Stopped),
        }
    }

    async fn try_campaign(&self, name: impl Into<Name> + Send) -> Result<Option<Term<S>>, ElectionError> {
        self.ask(name.into(), true).await
    }

    fn leader(
        &self,
        name: impl Into<Name> + Send,
    ) -> impl Future<Output = Result<Option<Leader>, ElectionError>> + Send {
        let name = lease_name::checked(name.into());
        async move {
            let name = name?;
            let answers = self.0.ask("read", self.0.store.read(std::slice::from_ref(&name))).await?;
            self.0.board().answered_at(answers.at);
            let leader = answers.each.into_iter().next().flatten().map(Leader::from);
            self.0.sight.saw(&name, leader.clone());
            Ok(leader)
        }
    }

    fn pace(&self) -> Pace {
        let Settings { ttl, stop_time, release_grace, poll, .. } = self.0.settings;
        Pace::new(ttl, stop_time, release_grace, poll)
    }

    fn sight(&self) -> &Sight {
        &self.0.sight
    }

    fn notifier(&self) -> &Notifier {
        &self.0.notifier
    }
}

/// Of one term.
pub(super) struct Owner<S> {
    pub(super) shared: Arc<Shared<S>>,
    pub(super) term: u128,
    pub(super) runtime: Handle,
}

impl<S: LeaseStore> TermOwner for Owner<S> {
    fn wind_down(&self, stop_by: Instant) {
        let shared = &self.shared;
        let (now, stop_by) = (shared.moment(now()), shared.moment(stop_by.into()));
        if let Some(held) = shared.board().terms.get_mut(&self.term) {
            let was_told = held.clock.is_told();
            held.clock.wind_down(now, stop_by);
            if !was_told {
                let (name, epoch) = (held.tenure.name.clone(), held.control.epoch());
                shared.note(move |tell| tell(&Event::Told { name: &name, epoch, why: Why::Shutdown }));
            }
        }
        shared.tell();
        shared.terms_changed.notify_one();
    }

    fn end(&self, end: TermEnd) {
        let shared = &self.shared;
        let held = {
            let mut board = shared.board();
            let held = board.terms.remove(&self.term);
            if let Some(held) = held.as_ref().filter(|held| !held.is_told_over) {
                let (name, epoch) = (held.tenure.name.clone(), held.control.epoch());
                shared.note(move |tell| tell(&Event::Released { name: &name, epoch, end }));
            }
            held
        };
        shared.tell();
        shared.terms_changed.notify_one();
        let Some(HeldTerm { tenure, control, is_lost, .. }) = held else { return };
        if is_lost {
            return control.released();
        }
        shared.release(&self.runtime, tenure.name, tenure.term, move || control.released());
    }
}

impl<S: LeaseStore> Shared<S> {
    /// Renews until nothing is held.
    pub(super) fn keep_renewing(self: &Arc<Self>, runtime: &Handle) {
        if !std::mem::replace(&mut self.board().is_renewing, true) {
            // Although the thread of whoever leads now may be blocked from here on.
            self.tasks.spawn_apart(runtime, renewing::renew(Running::renewing(self)));
        }
        self.terms_changed.notify_one();
    }
}

impl<S> Clone for LeaseElector<S> {
    fn clone(&self) -> LeaseElector<S> {
        LeaseElector(Arc::clone(&self.0))
    }
}

impl<S> fmt::Debug for LeaseElector<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (held, waiting) = {
            let board = self.0.board();
            (board.terms.len(), board.candidates.len())
        };
        f.debug_struct("LeaseElector")
            .field("holder", &self.0.holder)
            .field("held", &held)
            .field("waiting", &waiting)
            .finish_non_exhaustive()
    }
}
