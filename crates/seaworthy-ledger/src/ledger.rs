use std::fmt;
use std::sync::{Arc, Once};
use std::time::Duration;

use seaworthy::observe::Notifier;
use seaworthy::runner::{Periodic, Task};
use seaworthy::{ConfigError, Event as CoreEvent, Name};
use seaworthy_store::tasks::Tasks;
use seaworthy_store::time::now;
use seaworthy_store::{StoreError, limit};
use tokio::time::timeout_at;

use crate::asking::Asking;
use crate::builder::LedgerBuilder;
use crate::claim::Claim;
use crate::claim_ref::ClaimRef;
use crate::claimed::Claimed;
use crate::error::LedgerError;
use crate::event::Event;
use crate::held::{ASK_AGAIN, Ask, HeldKeys, SOONEST};
use crate::key::Key;
use crate::memory::Memory;
use crate::outcome::ClaimOutcome;
use crate::record::Entry;
use crate::request::ClaimRequest;
use crate::settings::{LONGEST_LEASE, Settings};
use crate::store::{Answer, Attempt, Holder, LedgerStore};

const SWEEP_EVERY: Duration = Duration::from_secs(10 * 60);
const MOST_SWEPT: u32 = 1_000;

/// Says whether a piece of work may be done now, was done already, or is being done by somebody else.
///
/// ```
/// use seaworthy_ledger::{Claimed, Key, Ledger};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let ledger = Ledger::memory("charges").build()?;
/// let key = Key::operation("charge", "invoice-17", "req-81f2")?;
/// for attempt in 1..=2 {
///     match ledger.claim(&key).await? {
///         Claimed::Mine(claim) => {
///             // … charge the card, once.
///             assert!(claim.complete("receipt 4711").await?.is_yes());
///             assert_eq!(attempt, 1);
///         }
///         Claimed::Done(record) => {
///             assert_eq!((attempt, &record.result().unwrap()[..]), (2, &b"receipt 4711"[..]));
///         }
///         Claimed::Busy { retry_in } => println!("somebody is at it; ask again in {retry_in:?}"),
///         Claimed::Mismatch => println!("another request has this key"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Clone
/// Costs a reference count; clones share what is held.
pub struct Ledger<S = Memory>(pub(crate) Arc<Shared<S>>);

pub(crate) struct Shared<S> {
    pub(crate) name: Name,
    pub(crate) store: S,
    pub(crate) settings: Settings,
    pub(crate) notifier: Notifier,
    pub(crate) held: HeldKeys,
    pub(crate) tasks: Tasks,
    /// Of a runtime with one thread.
    pub(crate) warned: Once,
}

impl Ledger<Memory> {
    /// A ledger in the memory of this process: nothing of it survives.
    pub fn memory(name: impl Into<Name>) -> LedgerBuilder<Memory> {
        Ledger::with_store(name, Memory::default())
    }
}

impl<S: LedgerStore> Ledger<S> {
    /// A ledger on a store of your own.
    pub fn with_store(name: impl Into<Name>, store: S) -> LedgerBuilder<S> {
        LedgerBuilder::new(name.into(), store)
    }

    /// Claims a key. Among any number of claimers at the same time exactly one gets it.
    ///
    /// # Errors
    /// [`LedgerError::Request`] if the request has a setting that cannot be used; [`LedgerError::Store`] if the store
    /// gave no answer, or refused. After [`Unavailable`](crate::ErrorClass::Unavailable) it is unknown whether the key
    /// was taken: the next claim of it by this ledger finds out, and for others it is busy for a lease at most.
    ///
    /// # Cancellation
    /// Dropping it is like an answer that was lost: it is unknown whether the key was taken.
    pub async fn claim(&self, request: impl Into<ClaimRequest>) -> Result<Claimed<S>, LedgerError> {
        self.claim_now(request.into(), false).await
    }

    /// The same, but while another task of this process is asking for the key it waits for its turn, for as long as one
    /// request to the store may take: of many who ask at the same time for what is done, each is told so.
    #[cfg(feature = "http")]
    pub(crate) async fn claim_in_turn(&self, request: ClaimRequest) -> Result<Claimed<S>, LedgerError> {
        self.claim_now(request, true).await
    }

    async fn claim_now(&self, request: ClaimRequest, waits: bool) -> Result<Claimed<S>, LedgerError> {
        request.check_fingerprint()?;
        let ClaimRequest { key, lease, keep, fingerprint, rank } = request;
        let shared = &self.0;
        let lease = self.lease_of(lease)?;
        let keep = self.keep_of(lease, keep)?;
        let mut sent = now();
        let until = sent + shared.settings.request_timeout;
        let owner = loop {
            let answered = shared.held.answered.notified();
            match shared.held.ask(&key, rank, fingerprint.as_ref(), sent) {
                Ask::As(owner) => break owner,
                Ask::Busy(retry_in) => return Ok(Claimed::Busy { retry_in }),
                Ask::Mismatch => return Ok(Claimed::Mismatch),
                Ask::Asked if waits && timeout_at(until, answered).await.is_ok() => sent = now(),
                Ask::Asked => return Ok(Claimed::Busy { retry_in: ASK_AGAIN }),
            }
        };
        let asking = Asking::new(shared, &key, sent + lease);
        let attempt = Attempt { key: key.clone(), owner, lease, fingerprint, rank };
        let answer = limit::within(shared.settings.request_timeout, "claim", shared.store.claim(&attempt)).await;
        let elapsed = now().saturating_duration_since(sent);
        let (outcome, claimed) = match answer {
            Ok(Answer::Granted { fence, grants }) => {
                let holder = Holder { key: key.clone(), fence, owner };
                let outcome = if grants <= 1 { ClaimOutcome::First } else { ClaimOutcome::Again };
                asking.granted(&holder, &attempt, sent);
                let work = ClaimRef::new(self.clone(), holder, lease, grants <= 1);
                (outcome, Ok(Claimed::Mine(Claim::new(work, keep))))
            }
            Ok(Answer::Busy { left }) => {
                asking.refused();
                (ClaimOutcome::Busy, Ok(Claimed::Busy { retry_in: left.clamp(SOONEST, LONGEST_LEASE) }))
            }
            Ok(Answer::Done(record)) => {
                asking.refused();
                (ClaimOutcome::Done, Ok(Claimed::Done(record)))
            }
            Ok(Answer::Mismatch) => {
                asking.not_granted();
                (ClaimOutcome::Mismatch, Ok(Claimed::Mismatch))
            }
            Err(error) => {
                if !error.is_unavailable() {
                    asking.not_granted();
                }
                (ClaimOutcome::Down, Err(error.into()))
            }
        };
        shared.notify(&Event::Claimed { ledger: &shared.name, outcome, elapsed });
        claimed
    }

    fn lease_of(&self, lease: Option<Duration>) -> Result<Duration, ConfigError> {
        let settings = &self.0.settings;
        let Some(lease) = lease else { return Ok(settings.lease) };
        settings.check_lease(lease)?;
        Ok(lease)
    }

    pub(crate) fn keep_of(
        &self,
        lease: Duration,
        keep: Option<Option<Duration>>,
    ) -> Result<Option<Duration>, ConfigError> {
        let keep = keep.unwrap_or(self.0.settings.keep);
        self.0.settings.check_keep(lease, keep)?;
        Ok(keep)
    }

    /// Reads what is known of a key, without a lock. None if that is nothing.
    ///
    /// # Errors
    /// [`LedgerError::Store`] if the store gave no answer, or refused.
    ///
    /// # Cancellation
    /// Dropping it loses nothing.
    pub async fn lookup(&self, key: &Key) -> Result<Option<Entry>, LedgerError> {
        Ok(self.within("lookup", self.0.store.lookup(key)).await?)
    }

    /// Forgets what was kept for as long as it was to be: at most 1,000 keys, oldest first. Gives the number. What is
    /// running is never forgotten, however old.
    ///
    /// # Errors
    /// [`LedgerError::Store`] if the store gave no answer, or refused.
    ///
    /// # Cancellation
    /// Dropping it loses nothing; what was swept is swept.
    pub async fn sweep(&self) -> Result<u64, LedgerError> {
        Ok(self.within("sweep", self.0.store.sweep(MOST_SWEPT)).await?)
    }

    /// A task for a [`Runner`](seaworthy::Runner) that sweeps every 10 minutes, with jitter, until nothing is left that
    /// is due, and counts the keys that run past their lease. Many processes may have one.
    pub fn sweeper(&self) -> Task {
        let ledger = self.clone();
        let name = Name::from(format!("{} sweeper", ledger.name()));
        Task::every(name, Periodic::new(SWEEP_EVERY).jitter(SWEEP_EVERY / 10), move |shutdown| {
            let ledger = ledger.clone();
            async move {
                let mut removed = 0;
                while !shutdown.is_requested() {
                    let swept = ledger.sweep().await?;
                    removed += swept;
                    if swept < u64::from(MOST_SWEPT) {
                        break;
                    }
                }
                let stale = ledger.within("stale", ledger.0.store.stale()).await?;
                ledger.0.notify(&Event::Swept { ledger: ledger.name(), removed, stale });
                Ok::<(), LedgerError>(())
            }
        })
    }

    /// Waits until nothing of this ledger is left running: settlements that go on in the background, calls that run to
    /// their end, and the renewing, which goes on for as long as a claim is held. It refuses nothing.
    ///
    /// # Cancellation
    /// Dropping it loses nothing; what runs on goes on.
    pub async fn close(&self) {
        self.0.held.lock().is_closing = true;
        self.0.held.changed.notify_one();
        self.0.tasks.idle().await;
    }

    /// How many claims this process holds.
    #[must_use]
    pub fn held(&self) -> usize {
        self.0.held.count()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.0.name
    }

    /// The store it was made on.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.0.store
    }

    pub(crate) async fn within<T>(
        &self,
        asked: &'static str,
        request: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        limit::within(self.0.settings.request_timeout, asked, request).await
    }
}

impl<S> Shared<S> {
    pub(crate) fn notify(&self, event: &Event<'_>) {
        self.notifier.notify(CoreEvent::Extension(event));
    }
}

impl<S> Clone for Ledger<S> {
    fn clone(&self) -> Ledger<S> {
        Ledger(Arc::clone(&self.0))
    }
}

impl<S> fmt::Debug for Ledger<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("name", &self.0.name).field("held", &self.0.held.count()).finish_non_exhaustive()
    }
}
