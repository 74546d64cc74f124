use seaworthy::Name;

use super::store::Local;
use crate::elector::builder::ElectorBuilder;
use crate::elector::lease::LeaseElector;

/// Elections among the tasks of one process. See [`Local`].
///
/// ```
/// use seaworthy_leader::LocalElector;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let elector = LocalElector::builder().hint("10.0.0.7:8080").build()?;
/// let term = elector.campaign("cron").await?;
/// assert!(term.is_valid());
/// assert!(elector.try_campaign("cron").await?.is_none()); // one at a time, in the same process, too
///
/// term.resign().await;
/// let next = elector.try_campaign("cron").await?.unwrap();
/// assert_eq!(next.epoch().get(), 2);
/// # Ok(())
/// # }
/// ```
pub type LocalElector = LeaseElector<Local>;

impl LeaseElector<Local> {
    /// An elector with leases of its own.
    pub fn builder() -> ElectorBuilder<Local> {
        LocalElector::on(&Local::default())
    }

    /// One more candidate for the leases of `store`.
    pub fn on(store: &Local) -> ElectorBuilder<Local> {
        LeaseElector::with_store(store.clone())
    }

    /// For tests: takes the lease of this name from whoever has it. A leader of this elector is told at once, one of
    /// another at its next renewal.
    pub fn revoke(&self, name: impl Into<Name>) {
        self.store().revoke(&name.into());
        self.renew_now();
    }

    /// For tests: renewals of this name get no answer from now on, as if its leader were cut off, until the name is
    /// granted again.
    pub fn stop_renewing(&self, name: impl Into<Name>) {
        self.store().stop_renewing(&name.into());
    }

    /// For tests: forgets the row of this name, as if an older copy of the store were restored. Its leader has lost the
    /// lease; the next epoch is above all that the next leader's elector has seen.
    pub fn go_back(&self, name: impl Into<Name>) {
        self.store().go_back(&name.into());
        self.renew_now();
    }
}
