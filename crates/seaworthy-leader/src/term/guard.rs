use super::handle::Term;
use crate::error::FenceError;
use crate::store::FencingStore;

impl<S: FencingStore> Term<S> {
    /// Fences the transaction that runs on `connection`, which is one of the database that keeps the lease: what it
    /// writes is committed only if no later term has begun by then. Call it first in the transaction. No other process
    /// is granted the name before the transaction has ended, so end it soon; on Postgres the server ends one that takes
    /// longer than the elector's transaction limit.
    ///
    /// # Errors
    /// [`FenceError::Over`] if the term is over, by its own clock or by the store's: nothing may be written, roll back.
    /// [`FenceError::Store`] if the store fails; then, too, the transaction can only be rolled back.
    ///
    /// # Cancellation
    /// The caller's transaction rolls back as the driver does.
    pub async fn guard(&self, connection: &mut S::Connection) -> Result<(), FenceError> {
        let (name, epoch) = (self.name(), self.epoch());
        // Not only the store: guards of an old term that keep coming would hold up whoever waits for the row.
        if self.is_valid() && self.store().guard(connection, name, epoch.get(), self.transaction_limit()).await? {
            return Ok(());
        }
        Err(FenceError::Over { name: name.clone(), epoch })
    }
}
