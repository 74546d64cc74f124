use std::fmt;
use std::future::Future;

use super::acquire::{Acquire, Waiter};
use super::builder::{BulkheadBuilder, check_limit};
use super::held::{HeldPermit, Permit};
use super::layer::BulkheadLayer;
use super::shared::Shared;
use crate::error::check::Subject;
use crate::error::wrap::WrapErrorFuture;
use crate::error::{ConfigError, Error, Rejected, StackError};
use crate::machine::keyed::idleness::Idleness;
use crate::name::Name;
use crate::rt::shared::Handle;

/// A bulkhead: lets so many calls run at a time, and rejects the others at once or lets them wait.
///
/// This is a handle that owns the permits. Everything that was given the same one shares them: clones, the layers made
/// from it, the services made by those layers, and [`run`](Bulkhead::run). Two bulkheads never influence each other.
///
/// # Clone
/// Costs a reference count, or nothing once it was [leaked](Bulkhead::leak).
#[derive(Clone)]
pub struct Bulkhead(Handle<Shared>);

impl Bulkhead {
    /// Sets up a bulkhead; `name` stands in its events and rejections.
    ///
    /// ```
    /// use seaworthy::{Rejected, Bulkhead};
    ///
    /// let bulkhead = Bulkhead::builder("reports").limit(1).build()?;
    /// let permit = bulkhead.try_acquire()?;
    /// assert!(matches!(bulkhead.try_acquire(), Err(Rejected::BulkheadFull { .. })));
    /// drop(permit);
    /// assert_eq!(bulkhead.available(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(name: impl Into<Name>) -> BulkheadBuilder {
        BulkheadBuilder::new(name.into())
    }

    pub(super) fn new(shared: Shared) -> Bulkhead {
        Bulkhead(Handle::new(shared))
    }

    #[inline]
    pub(crate) fn shared(&self) -> &Shared {
        &self.0
    }

    /// Keeps this bulkhead for as long as the process lives and gives a handle to it that costs no reference count to
    /// clone, which is half of the cost of a call through a shared one. It is the same bulkhead; handles that were
    /// cloned before go on counting.
    #[must_use = "the handle that was leaked is this one's result"]
    pub fn leak(self) -> Bulkhead {
        Bulkhead(self.0.leak())
    }

    /// What would be lost if this handle were forgotten, having been built with `limit`.
    pub(crate) fn idleness(&mut self, limit: u32) -> Idleness {
        // It is asked so, and not for the count, because this also sees whatever the last other handle did.
        let Some(shared) = self.0.get_mut() else { return Idleness::InUse };
        let permits = shared.counts();
        let at_rest = permits.in_use() == 0 && permits.waiting() == 0 && permits.limit() == limit;
        if at_rest { Idleness::Idle } else { Idleness::InUse }
    }

    /// The name that it was built with.
    #[must_use]
    pub fn name(&self) -> &Name {
        self.shared().name()
    }

    /// A layer that puts this bulkhead around a service.
    pub fn layer(&self) -> BulkheadLayer {
        BulkheadLayer::new(self.clone())
    }

    /// Takes a free permit. It does not wait, and it does not overtake those who do.
    ///
    /// # Errors
    /// [`Rejected::BulkheadFull`] if no permit is free.
    pub fn try_acquire(&self) -> Result<Permit, Rejected> {
        match self.shared().try_acquire() {
            Ok(()) => Ok(Permit::new(HeldPermit::new(self.clone()))),
            Err(_) => Err(self.shared().reject(None)),
        }
    }

    /// Takes a free permit, or waits for one as the bulkhead was built to. The wait and the place in the queue count from
    /// the first poll.
    ///
    /// # Errors
    /// [`Rejected::BulkheadFull`] if no permit was free, and none became free in time if it may wait.
    ///
    /// # Cancellation
    /// Dropping it leaves the queue. A permit that was granted to it in the meantime goes to the next who waits.
    ///
    /// # Panics
    /// Waiting needs tokio's timer: it panics outside of a runtime with time enabled, if it has to wait and
    /// [`max_wait`](BulkheadBuilder::max_wait) has an end.
    ///
    /// ```
    /// use seaworthy::Bulkhead;
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let bulkhead = Bulkhead::builder("reports").limit(4).max_wait(Duration::from_secs(1)).build()?;
    /// let permit = bulkhead.take().await?;
    /// assert_eq!((bulkhead.in_use(), bulkhead.available()), (1, 3));
    /// # drop(permit);
    /// # Ok(())
    /// # }
    /// ```
    pub fn take(&self) -> Acquire {
        Acquire::new(self.clone())
    }

    /// Runs a future in a permit, which is taken as by [`take`](Bulkhead::take) and given back when the future ends.
    ///
    /// For an error type that cannot hold a rejection, lift it: `.map_err(seaworthy::Error::Inner)`.
    ///
    /// # Errors
    /// The future's own, or [`Rejected::BulkheadFull`], and then the future was never polled.
    ///
    /// # Cancellation
    /// Dropping it drops `future` and then gives the permit back, or leaves the queue. Before its first poll it holds
    /// nothing.
    ///
    /// # Panics
    /// As [`take`](Bulkhead::take).
    ///
    /// ```
    /// use seaworthy::{Error, Bulkhead};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let bulkhead = Bulkhead::builder("parser").build()?;
    /// let answer = bulkhead.run(async { "7".parse::<u8>().map_err(Error::Inner) }).await;
    /// assert_eq!(answer, Ok(7));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run<F, T, E>(&self, future: F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: StackError,
    {
        let _held = Waiter::new(self).await?;
        future.await
    }

    /// As [`run`](Bulkhead::run), for an error that cannot hold a rejection.
    ///
    /// # Errors
    /// The future's own as [`Error::Inner`], or [`Error::Rejected`], and then the future was never polled.
    ///
    /// # Cancellation
    /// As [`run`](Bulkhead::run).
    ///
    /// # Panics
    /// As [`take`](Bulkhead::take).
    pub async fn run_wrapped<F, T, E>(&self, future: F) -> Result<T, Error<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.run(WrapErrorFuture::new(future)).await
    }

    /// How many more calls would be let in now.
    #[must_use]
    pub fn available(&self) -> u32 {
        self.shared().counts().available()
    }

    /// How many permits are taken, those included that were granted to a caller who waits and has not noticed yet. It is
    /// above the limit after [`set_limit`](Bulkhead::set_limit) lowered it and until enough calls have ended.
    #[must_use]
    pub fn in_use(&self) -> u32 {
        self.shared().counts().in_use()
    }

    /// How many callers wait for a permit. While there are any, none is free.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        self.shared().counts().waiting()
    }

    /// How many calls may run at a time.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.shared().counts().limit()
    }

    /// Lets another number of calls run at a time. More permits go at once to those who wait; fewer take effect as calls
    /// end, and nothing that runs is touched.
    ///
    /// # Errors
    /// As `limit` in the [builder](BulkheadBuilder::limit): from 1 to 1,000,000. Then nothing has changed.
    pub fn set_limit(&self, bulkhead: u32) -> Result<(), ConfigError> {
        check_limit(Subject::named("bulkhead", self.name()), bulkhead)?;
        self.shared().set_limit(bulkhead);
        Ok(())
    }

    /// Everything that there is to know, for metrics. The first three counts are of one moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let permits = self.shared().counts();
        Snapshot {
            limit: permits.limit(),
            in_use: permits.in_use(),
            waiting: permits.waiting(),
            rejected: self.shared().rejections(),
        }
    }
}

impl fmt::Debug for Bulkhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Snapshot { limit, in_use, waiting, .. } = self.snapshot();
        f.debug_struct("Bulkhead")
            .field("name", self.name())
            .field("limit", &limit)
            .field("in_use", &in_use)
            .field("waiting", &waiting)
            .finish_non_exhaustive()
    }
}

/// A bulkhead at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// How many calls may run at a time.
    pub limit: u32,
    /// How many permits are taken; see [`Bulkhead::in_use`].
    pub in_use: u32,
    /// How many callers wait for a permit.
    pub waiting: u32,
    /// Calls rejected since the bulkhead was built; it only grows.
    pub rejected: u64,
}
