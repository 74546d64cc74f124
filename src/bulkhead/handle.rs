use std::fmt;
use std::future::Future;

use super::builder::{SlotsBuilder, check_limit};
use super::core::Core;
use super::held::{Held, Slot};
use super::layer::BulkheadLayer;
use super::take::{Take, Waiter};
use crate::error::check::Subject;
use crate::handle::Handle;
use crate::machine::idleness::Idleness;
use crate::{ConfigError, Error, LiftFuture, Name, Rejected, StackError};

/// A bulkhead: lets so many calls run at a time, and rejects the others at once or lets them wait.
///
/// This is a handle that owns the slots. Everything that was given the same one shares them: clones, the layers made
/// from it, the services made by those layers, and [`run`](Slots::run). Two bulkheads never influence each other.
///
/// # Clone
/// Costs a reference count, or nothing once it was [leaked](Slots::leak).
#[derive(Clone)]
pub struct Slots(Handle<Core>);

impl Slots {
    /// Sets up a bulkhead; `name` stands in its events and rejections.
    ///
    /// ```
    /// use seaworthy::{Rejected, Slots};
    ///
    /// let slots = Slots::builder("reports").limit(1).build()?;
    /// let slot = slots.try_take()?;
    /// assert!(matches!(slots.try_take(), Err(Rejected::BulkheadFull { .. })));
    /// drop(slot);
    /// assert_eq!(slots.available(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(name: impl Into<Name>) -> SlotsBuilder {
        SlotsBuilder::new(name.into())
    }

    pub(super) fn new(core: Core) -> Slots {
        Slots(Handle::new(core))
    }

    #[inline]
    pub(crate) fn core(&self) -> &Core {
        &self.0
    }

    /// Keeps this bulkhead for as long as the process lives and gives a handle to it that costs no reference count to
    /// clone, which is half of the cost of a call through a shared one. It is the same bulkhead; handles that were
    /// cloned before go on counting.
    #[must_use = "the handle that was leaked is this one's result"]
    pub fn leak(self) -> Slots {
        Slots(self.0.leak())
    }

    /// What would be lost if this handle were forgotten, having been built with `limit`.
    pub(crate) fn idleness(&mut self, limit: u32) -> Idleness {
        // It is asked so, and not for the count, because this also sees whatever the last other handle did.
        let Some(core) = self.0.get_mut() else { return Idleness::InUse };
        let tally = core.counts();
        let at_rest = tally.in_use() == 0 && tally.waiting() == 0 && tally.limit() == limit;
        if at_rest { Idleness::Idle } else { Idleness::InUse }
    }

    /// The name that it was built with.
    #[must_use]
    pub fn name(&self) -> &Name {
        self.core().name()
    }

    /// A layer that puts this bulkhead around a service.
    pub fn layer(&self) -> BulkheadLayer {
        BulkheadLayer::new(self.clone())
    }

    /// Takes a free slot. It does not wait, and it does not overtake those who do.
    ///
    /// # Errors
    /// [`Rejected::BulkheadFull`] if no slot is free.
    pub fn try_take(&self) -> Result<Slot, Rejected> {
        match self.core().try_take() {
            Ok(()) => Ok(Slot::new(Held::new(self.clone()))),
            Err(_) => Err(self.core().reject(None)),
        }
    }

    /// Takes a free slot, or waits for one as the bulkhead was built to. The wait and the place in the queue count from
    /// the first poll.
    ///
    /// # Errors
    /// [`Rejected::BulkheadFull`] if no slot was free, and none became free in time if it may wait.
    ///
    /// # Cancellation
    /// Dropping it leaves the queue. A slot that was granted to it in the meantime goes to the next who waits.
    ///
    /// # Panics
    /// Waiting needs tokio's timer: it panics outside of a runtime with time enabled, if it has to wait and
    /// [`max_wait`](SlotsBuilder::max_wait) has an end.
    ///
    /// ```
    /// use seaworthy::Slots;
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let slots = Slots::builder("reports").limit(4).max_wait(Duration::from_secs(1)).build()?;
    /// let slot = slots.take().await?;
    /// assert_eq!((slots.in_use(), slots.available()), (1, 3));
    /// # drop(slot);
    /// # Ok(())
    /// # }
    /// ```
    pub fn take(&self) -> Take {
        Take::new(self.clone())
    }

    /// Runs a future in a slot, which is taken as by [`take`](Slots::take) and given back when the future ends.
    ///
    /// For an error type that cannot hold a rejection, lift it: `.map_err(seaworthy::Error::Inner)`.
    ///
    /// # Errors
    /// The future's own, or [`Rejected::BulkheadFull`], and then the future was never polled.
    ///
    /// # Cancellation
    /// Dropping it drops `future` and then gives the slot back, or leaves the queue. Before its first poll it holds
    /// nothing.
    ///
    /// # Panics
    /// As [`take`](Slots::take).
    ///
    /// ```
    /// use seaworthy::{Error, Slots};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let slots = Slots::builder("parser").build()?;
    /// let answer = slots.run(async { "7".parse::<u8>().map_err(Error::Inner) }).await;
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

    /// As [`run`](Slots::run), for an error that cannot hold a rejection.
    ///
    /// # Errors
    /// The future's own as [`Error::Inner`], or [`Error::Rejected`], and then the future was never polled.
    ///
    /// # Cancellation
    /// As [`run`](Slots::run).
    ///
    /// # Panics
    /// As [`take`](Slots::take).
    pub async fn run_wrapped<F, T, E>(&self, future: F) -> Result<T, Error<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.run(LiftFuture::new(future)).await
    }

    /// How many more calls would be let in now.
    #[must_use]
    pub fn available(&self) -> u32 {
        self.core().counts().available()
    }

    /// How many slots are taken, those included that were granted to a caller who waits and has not noticed yet. It is
    /// above the limit after [`set_limit`](Slots::set_limit) lowered it and until enough calls have ended.
    #[must_use]
    pub fn in_use(&self) -> u32 {
        self.core().counts().in_use()
    }

    /// How many callers wait for a slot. While there are any, none is free.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        self.core().counts().waiting()
    }

    /// How many calls may run at a time.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.core().counts().limit()
    }

    /// Lets another number of calls run at a time. More slots go at once to those who wait; fewer take effect as calls
    /// end, and nothing that runs is touched.
    ///
    /// # Errors
    /// As `limit` in the [builder](SlotsBuilder::limit): from 1 to 1,000,000. Then nothing has changed.
    pub fn set_limit(&self, slots: u32) -> Result<(), ConfigError> {
        check_limit(Subject::named("bulkhead", self.name()), slots)?;
        self.core().set_limit(slots);
        Ok(())
    }

    /// Everything that there is to know, for metrics. The first three counts are of one moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let tally = self.core().counts();
        Snapshot {
            limit: tally.limit(),
            in_use: tally.in_use(),
            waiting: tally.waiting(),
            rejected: self.core().rejections(),
        }
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Snapshot { limit, in_use, waiting, .. } = self.snapshot();
        f.debug_struct("Slots")
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
    /// How many slots are taken; see [`Slots::in_use`].
    pub in_use: u32,
    /// How many callers wait for a slot.
    pub waiting: u32,
    /// Calls rejected since the bulkhead was built; it only grows.
    pub rejected: u64,
}
