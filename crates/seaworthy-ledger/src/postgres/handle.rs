//! What a ledger on Postgres can do beside what each ledger can.

use bytes::Bytes;
use seaworthy::Name;
use seaworthy_store::postgres::PgStore;
use seaworthy_store::random;
use sqlx::PgConnection;

use crate::builder::LedgerBuilder;
use crate::claim::Claim;
use crate::claimed_in::{ClaimedIn, FirstClaim};
use crate::completion::Completion;
use crate::completion_statement::CompletionStatement;
use crate::error::LedgerError;
use crate::held::SOONEST;
use crate::held_answer::Held;
use crate::ledger::Ledger;
use crate::postgres::engine::Postgres;
use crate::request::ClaimRequest;
use crate::store::{Answer, Holder};

impl Ledger<Postgres> {
    /// A ledger in Postgres: it outlives the process, and any number of processes share it.
    ///
    /// Its tables have to be there: [`migrate`](crate::postgres::migrate) makes them. Without them the first claim is
    /// [`Refused`](crate::ErrorClass::Refused) and says so, and so is
    /// [`ledger.store().check()`](crate::postgres::Postgres::check), which a program calls when it starts.
    ///
    /// ```no_run
    /// use seaworthy_ledger::Ledger;
    /// use seaworthy_ledger::postgres::{self, PgStore};
    ///
    /// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = PgStore::connect("postgres://app@db.example/app").await?;
    /// postgres::migrate(&store).await?;
    /// let ledger = Ledger::postgres("charges", &store).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn postgres(name: impl Into<Name>, store: &PgStore) -> LedgerBuilder<Postgres> {
        Ledger::with_store(name, Postgres::new(store))
    }

    /// Records a key as done in the caller's transaction, without a lease, for work that is wholly inside that
    /// transaction: both are committed, or neither is.
    ///
    /// It waits for another transaction that records the same key, and then tells its outcome; for how long is the
    /// caller's to say (`lock_timeout`), as is how long the statement may take.
    ///
    /// ```no_run
    /// use seaworthy_ledger::postgres::Postgres;
    /// use seaworthy_ledger::{ClaimedIn, Key, Ledger};
    /// use sqlx::{Connection, PgConnection};
    ///
    /// # async fn pay(ledger: Ledger<Postgres>, mut connection: PgConnection) -> Result<(), Box<dyn std::error::Error>> {
    /// let key = Key::operation("pay", "invoice-17", "req-81f2")?;
    /// let mut transaction = connection.begin().await?;
    /// if let ClaimedIn::First(first) = ledger.claim_in(&mut transaction, &key).await? {
    ///     sqlx::query("UPDATE invoice SET paid = true WHERE id = 17").execute(&mut *transaction).await?;
    ///     assert!(ledger.store_in(&mut transaction, &first, "paid", "text/plain").await?.is_yes());
    ///     transaction.commit().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`LedgerError::Request`] if the request has a lease or a rank, which mean nothing here, or a setting that cannot be
    /// used; [`LedgerError::Store`] else, after which the transaction can only be rolled back.
    ///
    /// # Cancellation
    /// The caller's transaction rolls back as the driver does.
    pub async fn claim_in(
        &self,
        connection: &mut PgConnection,
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

    /// Adds a result to what [`claim_in`](Ledger::claim_in) recorded, which everybody gets who claims the key from the
    /// commit on. In another transaction than the one that recorded it it is [`Held::Lost`], and changes nothing.
    ///
    /// # Errors
    /// [`LedgerError::TooLarge`]; [`LedgerError::Store`], after which the transaction can only be rolled back.
    ///
    /// # Cancellation
    /// The caller's transaction rolls back as the driver does.
    pub async fn store_in(
        &self,
        connection: &mut PgConnection,
        first: &FirstClaim,
        result: impl Into<Bytes>,
        content_type: &str,
    ) -> Result<Held, LedgerError> {
        let result = result.into();
        self.0.settings.check_result(result.len())?;
        Ok(self.store().store_in(connection, &first.0, &result, content_type).await?)
    }
}

impl Claim<Postgres> {
    /// Writes the completion in the caller's own transaction: it and what was done there are recorded together, or not
    /// at all. The commit is the caller's; after it, [`settled`](Claim::settled) says so. [`Held::Lost`] means that the
    /// caller must roll back: somebody else has the key, or it was completed already.
    ///
    /// The row is locked until the transaction ends. Rolled back, the claim runs as before.
    ///
    /// # Errors
    /// [`LedgerError::TooLarge`]; [`LedgerError::Store`], after which the transaction can only be rolled back.
    ///
    /// # Cancellation
    /// The caller's transaction rolls back as the driver does.
    pub async fn complete_in(
        &self,
        connection: &mut PgConnection,
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
