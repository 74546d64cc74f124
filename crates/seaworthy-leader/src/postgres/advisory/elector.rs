use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use seaworthy::Name;
use seaworthy::observe::Notifier;
use seaworthy_store::postgres::{Read, Sessions};
use seaworthy_store::process_name::process_name;
use seaworthy_store::tasks::Tasks;
use seaworthy_store::time::{now, sleep};
use seaworthy_store::{ErrorClass, StoreError, TableNames, random};
use sqlx::Arguments;
use sqlx::postgres::PgArguments;

use super::acquiring::{Candidate, explained, open};
use super::builder::PgAdvisoryBuilder;
use super::fence::PgFence;
use super::granting::lead;
use super::settings::Settings;
use super::shared::Shared;
use super::statements::Statements;
use crate::elector::telling::Teller;
use crate::elector::{Elector, Pace};
use crate::error::ElectionError;
use crate::event::Event;
use crate::lease_name;
use crate::machine::waits::{ErrorWaits, poll_wait};
use crate::postgres::read;
use crate::sight::{Leader, Sight};
use crate::term::Term;

/// An elector whose leader is noticed to be gone within a second or two, and beside which another may lead until it
/// notices by itself that its session has ended: for some milliseconds, or for `ping` + `request_timeout` at most,
/// unless it is cut off.
///
/// Each candidate of a name has a connection of its own, and leads while that holds the name's advisory lock; it gives
/// the lock back by closing the connection. When the server hears nothing of a leader for `session_timeout` it ends the
/// session. If it ends it by itself, because it restarts or somebody terminates the session, the next one may lead
/// before the old one knows, and if that is cut off at the same moment (a server that loses power and is failed over)
/// until its own time is over, 9 s after its last good ping: let whoever is written to compare [epochs](Term::epoch),
/// or [guard](Term::guard) the transactions that write.
///
/// | the leader | the next one leads |
/// |---|---|
/// | ends, or is killed | within 2.6 s of when its connection is seen to close: `poll` × 1.25 + `request_timeout` |
/// | is stopped, or cut off | within 12.6 s: `session_timeout` and the same |
/// | cannot ping | it is told after 6 s, its term is over after 9 s, and the server lets go after 10 s or later |
///
/// It needs the server's own address: a pooler is found, and refused. Epochs are kept in the table of leases, which
/// [`migrate`](crate::postgres::migrate) makes; `leader` reads it over a connection of that call's own. Do not use this
/// for a name for which others use an elector by leases: neither excludes the other.
///
/// The lock of a name is the FNV-1a of its bytes, 64 bits, masked to 63, taken by `pg_try_advisory_lock(bigint)`: other
/// programs that do the same are excluded. It is the whole database's, whatever the schema of the table.
///
/// ```no_run
/// use seaworthy_leader::postgres::{PgAdvisory, PgStore, migrate};
///
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// let url = "postgres://app@db.example/app";
/// migrate(&PgStore::connect(url).await?).await?;
/// let elector = PgAdvisory::builder(url).hint("10.0.0.7:8080").build()?;
/// let term = elector.campaign("cron").await?;
/// assert!(term.is_valid());
/// term.resign().await;
/// # Ok(())
/// # }
/// ```
///
/// # Clone
/// Costs a reference count; clones share what they have seen, and no connection.
#[derive(Clone)]
pub struct PgAdvisory(Arc<Shared>);

impl PgAdvisory {
    /// Settings of an elector on the server of this URL, `postgres://user:password@host/database`.
    pub fn builder(url: &str) -> PgAdvisoryBuilder {
        PgAdvisoryBuilder::new(url)
    }

    pub(super) fn built(sessions: Sessions, names: &TableNames, settings: Settings, notifier: Notifier) -> PgAdvisory {
        PgAdvisory(Arc::new(Shared {
            sessions,
            statements: Statements::new(names),
            settings,
            teller: Teller::new(notifier),
            tasks: Tasks::default(),
            holder: process_name(),
            sight: Sight::default(),
            start: now(),
            held: AtomicUsize::new(0),
            warned: Once::new(),
            seen: Mutex::new(HashMap::new()),
        }))
    }

    /// Waits until this process leads the name. In one process, too, one at a time.
    ///
    /// # Errors
    /// If the name is not 1 to 100 bytes without control characters, or the server refuses: a pooler is in between, the
    /// server is a standby at the first contact, the table is missing. Not because it cannot be reached: that is waited
    /// for.
    ///
    /// # Cancellation
    /// Dropping it closes its connection, and no lock is left.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time and I/O enabled.
    pub fn campaign(&self, name: impl Into<Name>) -> impl Future<Output = Result<Term<PgFence>, ElectionError>> + Send {
        let name = name.into();
        async move {
            let name = lease_name::checked(name)?;
            let shared = &*self.0;
            let _running = shared.tasks.enter();
            let (began, told) = (now(), name.clone());
            shared.teller.note(move |tell| tell(&Event::Campaigning { name: &told }));
            shared.teller.tell();
            let mut candidate = Candidate::new(shared, name.clone());
            let mut waits = ErrorWaits::default();
            loop {
                let wait = match candidate.ask().await {
                    Ok(Some(granted)) => return Ok(lead(&self.0, name, granted, began)),
                    Ok(None) => poll_wait(shared.settings.poll, random::fraction()),
                    Err(error) if is_waited_for(&error) => {
                        waits.after_error(shared.now(), shared.settings.poll, random::fraction())
                    }
                    Err(error) => return Err(error.into()),
                };
                sleep(wait).await;
            }
        }
    }

    /// Asks once: a term, or none because somebody else has the lock.
    ///
    /// # Errors
    /// As [`campaign`](Self::campaign), and if the server cannot be reached. No lock is left then.
    ///
    /// # Cancellation
    /// As that of [`campaign`](Self::campaign).
    ///
    /// # Panics
    /// Outside of a tokio runtime with time and I/O enabled.
    pub fn try_campaign(
        &self,
        name: impl Into<Name>,
    ) -> impl Future<Output = Result<Option<Term<PgFence>>, ElectionError>> + Send {
        let name = name.into();
        async move {
            let name = lease_name::checked(name)?;
            let _running = self.0.tasks.enter();
            let began = now();
            let granted = Candidate::new(&self.0, name.clone()).ask().await?;
            Ok(granted.map(|granted| lead(&self.0, name, granted, began)))
        }
    }

    /// Asks the server who leads, over a connection of its own. None if nobody does, or somebody who keeps no row.
    ///
    /// # Errors
    /// If the name cannot be used, the server cannot be reached, or refuses.
    ///
    /// # Cancellation
    /// Dropping it closes its connection.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time and I/O enabled.
    pub fn leader(&self, name: impl Into<Name>) -> impl Future<Output = Result<Option<Leader>, ElectionError>> + Send {
        let name = name.into();
        async move {
            let name = lease_name::checked(name)?;
            let shared = &*self.0;
            let mut session = open(shared).await?;
            let asking = async {
                let bind = |arguments: &mut PgArguments| arguments.add(vec![name.as_str()]);
                let rows = session.rows("read", &shared.statements.of_leases.read, bind).await.map_err(explained)?;
                Ok(read::row(Read::first("read", &rows)?)?.map(Leader::from))
            };
            let leader = shared.ask("read", asking).await?;
            shared.sight.saw(&name, leader.clone());
            Ok(leader)
        }
    }

    /// What it last saw of the server.
    #[must_use]
    pub fn sight(&self) -> &Sight {
        &self.0.sight
    }

    /// What it calls itself in rows and logs: host, process and eight random digits. Nothing is decided by it.
    #[must_use]
    pub fn holder(&self) -> &str {
        &self.0.holder
    }

    /// The longest that nobody leads after a leader was stopped or cut off, while the server is there: the session
    /// timeout, and then as after a [closed](Self::failover_bound_when_closed) connection. 12.625 s at defaults.
    #[must_use]
    pub fn failover_bound(&self) -> Duration {
        self.0.settings.failover_bound()
    }

    /// The longest that nobody leads after the server has seen a leader's connection close, because it ended or was
    /// killed: one and a quarter of the poll, and a request's limit. 2.625 s at defaults.
    #[must_use]
    pub fn failover_bound_when_closed(&self) -> Duration {
        self.0.settings.failover_bound_when_closed()
    }

    /// How many names this elector holds.
    #[must_use]
    pub fn held(&self) -> usize {
        self.0.held.load(Ordering::Relaxed)
    }

    /// Waits until nothing of this elector is left running: terms, and campaigns. It refuses and ends nothing.
    ///
    /// # Cancellation
    /// Dropping it loses nothing; what runs on goes on.
    pub async fn close(&self) {
        self.0.tasks.idle().await;
    }
}

fn is_waited_for(error: &StoreError) -> bool {
    matches!(error.class(), ErrorClass::Unavailable | ErrorClass::Full)
}

/// # Panics
/// `campaign`, `try_campaign` and `leader` panic outside of a tokio runtime with time and I/O enabled.
impl Elector for PgAdvisory {
    type Store = PgFence;

    async fn campaign(&self, name: Name) -> Result<Term<PgFence>, ElectionError> {
        PgAdvisory::campaign(self, name).await
    }

    async fn try_campaign(&self, name: Name) -> Result<Option<Term<PgFence>>, ElectionError> {
        PgAdvisory::try_campaign(self, name).await
    }

    async fn leader(&self, name: Name) -> Result<Option<Leader>, ElectionError> {
        PgAdvisory::leader(self, name).await
    }

    fn pace(&self) -> Pace {
        let Settings { session_timeout, stop_time, release_grace, poll, .. } = self.0.settings;
        Pace::new(session_timeout, stop_time, release_grace, poll)
    }

    fn sight(&self) -> &Sight {
        &self.0.sight
    }

    fn notifier(&self) -> &Notifier {
        &self.0.teller.notifier
    }
}

impl fmt::Debug for PgAdvisory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgAdvisory").field("holder", &self.0.holder).field("held", &self.held()).finish_non_exhaustive()
    }
}
