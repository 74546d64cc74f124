use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use seaworthy::Name;
use seaworthy::observe::Notifier;
use seaworthy_store::process_name::process_name;
use seaworthy_store::random;
use seaworthy_store::time::now;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::board::{Candidacy, Running, Shared};
use super::builder::ElectorBuilder;
use super::campaigning;
use super::seam::{Elector, Pace};
use crate::error::ElectionError;
use crate::event::Event;
use crate::lease_name;
use crate::machine::waits::poll_wait;
use crate::settings::Settings;
use crate::sight::{Leader, Sight};
use crate::store::LeaseStore;
use crate::term::Term;

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

    /// Waits until this process leads the name. In one process, too, one at a time.
    ///
    /// # Errors
    /// If the name is not 1 to 100 bytes without control characters, or the store refuses. Not because it cannot be
    /// reached: that is waited for.
    ///
    /// # Cancellation
    /// Dropping it ends the campaign. A term that was granted meanwhile is given back in the background; if the answer
    /// was lost, the lease is over after its ttl at the latest.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time enabled.
    pub fn campaign(&self, name: impl Into<Name>) -> impl Future<Output = Result<Term<S>, ElectionError>> + Send {
        let name = name.into();
        async move {
            match self.ask(name, false).await? {
                Some(term) => Ok(term),
                // Only who asks once is answered so.
                None => Err(ElectionError::Stopped),
            }
        }
    }

    /// Asks once: a term, or none because somebody else leads.
    ///
    /// # Errors
    /// As [`campaign`](Self::campaign), and if the store cannot be reached. Whether the lease was taken is unknown
    /// then; if it was, it is given back, or is over after its ttl.
    ///
    /// # Cancellation
    /// As that of [`campaign`](Self::campaign).
    ///
    /// # Panics
    /// Outside of a tokio runtime with time enabled.
    pub fn try_campaign(
        &self,
        name: impl Into<Name>,
    ) -> impl Future<Output = Result<Option<Term<S>>, ElectionError>> + Send {
        let name = name.into();
        async move { self.ask(name, true).await }
    }

    /// Asks the store who leads. None if nobody does.
    ///
    /// # Errors
    /// If the name cannot be used, the store cannot be reached, or refuses.
    ///
    /// # Cancellation
    /// Dropping it loses nothing.
    pub fn leader(&self, name: impl Into<Name>) -> impl Future<Output = Result<Option<Leader>, ElectionError>> + Send {
        let name = name.into();
        async move {
            let name = lease_name::checked(name)?;
            let answers = self.0.ask("read", self.0.store.read(std::slice::from_ref(&name))).await?;
            self.0.board().answered_at(answers.at);
            let leader = answers.each.into_iter().next().flatten().map(Leader::from);
            self.0.sight.saw(&name, leader.clone());
            Ok(leader)
        }
    }

    /// What it last saw of its store.
    #[must_use]
    pub fn sight(&self) -> &Sight {
        &self.0.sight
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

    async fn campaign(&self, name: Name) -> Result<Term<S>, ElectionError> {
        LeaseElector::campaign(self, name).await
    }

    async fn try_campaign(&self, name: Name) -> Result<Option<Term<S>>, ElectionError> {
        LeaseElector::try_campaign(self, name).await
    }

    async fn leader(&self, name: Name) -> Result<Option<Leader>, ElectionError> {
        LeaseElector::leader(self, name).await
    }

    fn pace(&self) -> Pace {
        let Settings { ttl, stop_time, release_grace, poll, .. } = self.0.settings;
        Pace::new(ttl, stop_time, release_grace, poll)
    }

    fn sight(&self) -> &Sight {
        &self.0.sight
    }

    fn notifier(&self) -> &Notifier {
        &self.0.teller.notifier
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
