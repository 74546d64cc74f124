//! What a ledger in a SQLite file can do beside the rest: to record work in the transaction that does it.

use bytes::Bytes;
use seaworthy::Name;
use seaworthy_store::random;
use seaworthy_store::sqlite::SqliteStore;
use sqlx::sqlite::SqliteConnection;

use crate::builder::LedgerBuilder;
use crate::claim::Claim;
use crate::claimed_in::{ClaimedIn, FirstClaim};
use crate::completion::Completion;
use crate::completion_statement::CompletionStatement;
use crate::error::LedgerError;
use crate::held::SOONEST;
use crate::held_answer::Held;
use crate::ledger::Ledger;
use crate::request::ClaimRequest;
use crate::sqlite::engine::Sqlite;
use crate::store::{Answer, Holder};

impl Ledger<Sqlite> {
    /// A ledger in a SQLite file, for the processes of one machine. Its tables are installed, or upgraded, with the
    /// first request, or by [`Sqlite::migrate`].
    ///
    /// ```
    /// use seaworthy_ledger::sqlite::SqliteStore;
    /// use seaworthy_ledger::{Claimed, Key, Ledger};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let path = std::env::temp_dir().join(format!("seaworthy-doc-{}.db", std::process::id()));
    /// let store = SqliteStore::open(&path).await?;
    /// let ledger = Ledger::sqlite("charges", &store).build()?;
    /// let key = Key::operation("charge", "invoice-17", "req-81f2")?;
    /// let Claimed::Mine(claim) = ledger.claim(&key).await? else { return Err("a new file".into()) };
    /// assert!(claim.complete("receipt 4711").await?.is_yes());
    /// assert!(matches!(ledger.claim(&key).await?, Claimed::Done(_)));
    /// # store.close().await;
    /// # std::fs::remove_file(path)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn sqlite(name: impl Into<Name>, store: &SqliteStore) -> LedgerBuilder<Sqlite> {
        Ledger::with_store(name, Sqlite::new(store))
    }

    /// Records a key as done in the caller's own transaction, in one go and without a lease, for work that is wholly
    /// inside that transaction. Only the [first](ClaimedIn::First) may do it; everybody else gets its record.
    ///
    /// Begin the transaction with `BEGIN IMMEDIATE`: SQLite refuses one that has read before it writes, if another
    /// connection wrote in between. Another transaction with the same key waits for this one, and then sees its outcome.
    /// The tables must be there, which they are after any other request of a ledger, or [`Sqlite::migrate`]. A lease
    /// and a rank mean nothing here, and are refused.
    ///
    /// # Errors
    /// [`LedgerError::Request`] if the request has a lease or a rank, which mean nothing here, or a setting that cannot be
    /// used; else the driver's own, in its class, after which the transaction has to be rolled back.
    ///
    /// # Cancellation
    /// The transaction is rolled back, as the driver does.
    pub async fn claim_in(
        &self,
        connection: &mut SqliteConnection,
        request: impl Into<ClaimRequest>,
    ) -> Result<ClaimedIn, LedgerError> {
        let request = request.into();
        request.check_without_lease()?;
        request.check_fingerprint()?;
        let ClaimRequest { key, keep, fingerprint, .. } = request;
        let keep = self.keep_of(self.0.settings.lease, keep)?;
        let owner = random::unique();
        let answer = self.store().claim_in(connection, &key, owner, fingerprint.as_ref(), keep).await?;
        Ok(match answer {
            Answer::Granted { fence, .. } => ClaimedIn::First(FirstClaim(Holder { key, fence, owner })),
            Answer::Busy { left } => ClaimedIn::Busy { retry_in: left.max(SOONEST) },
            Answer::Done(record) => ClaimedIn::Done(record),
            Answer::Mismatch => ClaimedIn::Mismatch,
        })
    }

    /// Adds a result to what [`claim_in`](Ledger::claim_in) recorded, once, and before the commit.
    ///
    /// # Errors
    /// The driver's own, in its class; [`LedgerError::TooLarge`]. The transaction has to be rolled back.
    ///
    /// # Cancellation
    /// The transaction is rolled back, as the driver does.
    pub async fn store_in(
        &self,
        connection: &mut SqliteConnection,
        first: &FirstClaim,
        result: impl Into<Bytes>,
        content_type: &str,
    ) -> Result<Held, LedgerError> {
        let result = result.into();
        self.0.settings.check_result(result.len())?;
        Ok(self.store().store_in(connection, &first.0, &result, content_type).await?)
    }
}

impl Claim<Sqlite> {
    /// Writes the completion in the caller's own transaction: it and what the work did to the same file are recorded
    /// together or not at all.
    ///
    /// [`Held::Lost`] means that the caller must roll back. Rolled back, the claim runs as before; after the commit call
    /// [`settled`](Claim::settled). The file is locked until the transaction ends; begin it with `BEGIN IMMEDIATE`.
    ///
    /// # Errors
    /// The driver's own, in its class, after which the transaction has to be rolled back; [`LedgerError::TooLarge`].
    ///
    /// # Cancellation
    /// The transaction is rolled back, as the driver does.
    pub async fn complete_in(
        &self,
        connection: &mut SqliteConnection,
        completion: impl Into<Completion>,
    ) -> Result<Held, LedgerError> {
        let settlement = self.checked(completion.into())?;
        let held = self.ledger.store().complete_in(connection, &self.holder, &settlement).await?;
        // From the commit on a renewal says that there is nothing to renew.
        self.is_settling(held.is_yes());
        Ok(held)
    }

    /// The statement that completes the claim with a result, and its parameters, for other drivers: see
    /// [`CompletionStatement`].
    ///
    /// # Errors
    /// [`LedgerError::TooLarge`].
    pub fn completion(&self, result: impl Into<Bytes>, content_type: &str) -> Result<CompletionStatement, LedgerError> {
        let result = result.into();
        self.ledger.0.settings.check_result(result.len())?;
        Ok(self.ledger.store().completion(&self.holder, result, content_type, self.keep()))
    }
}
