//! What is done for a delivery.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use seaworthy::BoxError;
use seaworthy_faults::journal::{Entry, Writer};
use seaworthy_ledger::{ClaimRequest, Claimed, Key, Ledger};
use seaworthy_queue::{Delivery, JobError};

use super::job::{End, Work};
use crate::database::Database;

/// After a ledger that did not answer.
const AGAIN: Duration = Duration::from_millis(200);

/// The handler, with the ledger behind it, if there is one.
pub(super) struct Handler<D: Database> {
    journal: Arc<Writer>,
    recorded: Option<(D, Ledger<D::Store>)>,
}

impl<D: Database> Handler<D> {
    pub(super) async fn open(
        journal: Arc<Writer>,
        ledger: Option<&str>,
        lease: Duration,
        request: Duration,
    ) -> Arc<Handler<D>> {
        let mut recorded = None;
        if let Some(url) = ledger {
            let database = D::open(url).await;
            database.prepare().await;
            let ledger = Ledger::with_store("drill", database.store()).lease(lease).request_timeout(request);
            recorded = Some((database, ledger.build().expect("a drill's own settings")));
        }
        Arc::new(Handler { journal, recorded })
    }

    /// Notes `start`, and then one of `did`, `failed` or, if the call is dropped or panics, `dropped`.
    pub(super) async fn work(self: Arc<Self>, delivery: Delivery<Work>) -> Result<(), BoxError> {
        let id = delivery.id().to_string();
        let (attempt, abandoned) = (delivery.attempt(), delivery.abandoned());
        self.journal.write(Entry::start(&*id));
        self.journal.write(Entry::note("try").with("job", &*id).with("attempt", attempt).with("abandoned", abandoned));
        let mut dropped = Dropped { journal: &self.journal, id: Some(&id) };
        let result = match &self.recorded {
            None => self.beside(&delivery).await,
            Some((database, ledger)) => once(database, ledger, &delivery).await,
        };
        dropped.id = None;
        self.journal.write(Entry::note(if result.is_ok() { "did" } else { "failed" }).with("job", &*id));
        result
    }

    /// The effect is a line in the journal: it happens as often as the job is done.
    async fn beside(&self, delivery: &Delivery<Work>) -> Result<(), BoxError> {
        worked(delivery).await?;
        self.journal.write(Entry::effect(delivery.id().as_str()));
        Ok(())
    }

    /// Asks a backend that is away while there is a file of this name.
    pub(super) async fn ask(self: Arc<Self>, delivery: Delivery<Work>, away: PathBuf) -> Result<(), BoxError> {
        self.journal.write(Entry::start(delivery.id().as_str()));
        tokio::time::sleep(Duration::from_millis(delivery.job().millis)).await;
        if away.exists() {
            return Err("the backend is away".into());
        }
        self.journal.write(Entry::effect(delivery.id().as_str()));
        Ok(())
    }
}

/// The effect is a row, in one transaction with the completion in the ledger.
async fn once<D: Database>(database: &D, ledger: &Ledger<D::Store>, of: &Delivery<Work>) -> Result<(), BoxError> {
    let id = of.id().as_str();
    // Whoever is handed the job by the queue has not to wait for the lease of who had it before.
    let rank = i64::try_from(of.fence())?;
    let request = ClaimRequest::new(Key::new(of.queue(), id)?).rank(rank).lease(of.visibility());
    let mut claim = match ledger.claim(request).await {
        Ok(Claimed::Mine(claim)) => claim,
        Ok(Claimed::Done(_)) => return Ok(()),
        Ok(Claimed::Busy { retry_in }) => return Err(JobError::defer(retry_in).into()),
        Ok(other) => return Err(format!("{other:?}").into()),
        Err(error) if error.is_unavailable() => return Err(JobError::defer(AGAIN).into()),
        Err(error) => return Err(error.into()),
    };
    claim.begin();
    let _lost = claim.hold();
    worked(of).await?;
    let mut connection = database.connect().await;
    database.begin(&mut connection).await;
    database.effect(&mut connection, id, claim.fence()).await;
    let held = database.complete_in(&mut connection, &claim).await?.is_yes();
    database.end(&mut connection, held).await;
    if !held {
        return Err("somebody else has the claim".into());
    }
    claim.settled();
    Ok(())
}

async fn worked(delivery: &Delivery<Work>) -> Result<(), BoxError> {
    tokio::time::sleep(Duration::from_millis(delivery.job().millis)).await;
    match delivery.job().end {
        End::Well => Ok(()),
        End::WellRedriven if delivery.headers().get("redriven").is_some() => Ok(()),
        End::WellRedriven => Err(JobError::dead("it is to be redriven").into()),
        End::Error => Err("as it was told".into()),
        End::Panic => panic!("as it was told"),
        End::Abort => std::process::abort(),
    }
}

/// Tells of a call that did not come to its end.
struct Dropped<'a> {
    journal: &'a Writer,
    id: Option<&'a str>,
}

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let how = if std::thread::panicking() { "panicked" } else { "dropped" };
            self.journal.write(Entry::note(how).with("job", id));
        }
    }
}
