use std::fmt;
use std::future::Future;

use super::acquire::Acquire;
use super::builder::{BulkheadBuilder, check_limit};
use super::future::BulkheadRun;
use super::layer::BulkheadLayer;
use super::permit::Permit;
use super::shared::Shared;
use crate::admission::{Admission, Refused, admit};
use crate::error::check::Subject;
use crate::error::wrap::WrapErrorFuture;
use crate::error::{ConfigError, Rejected, StackError};
use crate::machine::keyed::idleness::Idleness;
use crate::name::Name;
use crate::rt::shared::Handle;

/// A bulkhead: limits how many calls run at once, and rejects the others immediately or lets them wait.
///
/// This is a handle to shared permits. Clones, the layers made from it, the services those layers make and
/// [`run`](Bulkhead::run) all share them. Separate bulkheads never affect each other.
///
/// # Clone
/// Costs a reference count, or nothing once it has been [leaked](Bulkhead::leak).
#[derive(Clone)]
pub struct Bulkhead(Handle<Shared>);

impl Bulkhead {
    /// Starts a builder; `name` appears in events and rejections.
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

    /// Keeps this bulkhead for the life of the process and returns a handle that costs no reference count to clone,
    /// which is half the cost of a call through a shared one. It is the same bulkhead; handles cloned earlier go on
    /// counting references.
    #[must_use = "it returns the leaked handle"]
    pub fn leak(self) -> Bulkhead {
        self.name().leak();
        Bulkhead(self.0.leak())
    }

    /// What would be lost if this handle were dropped; `limit` is what it was built with.
    pub(crate) fn idleness(&mut self, limit: u32) -> Idleness {
        // `get_mut` instead of the reference count, because it also synchronises with whatever the last other handle
        // did.
        let Some(shared) = self.0.get_mut() else { return Idleness::InUse };
        let permits = shared.counts();
        let at_rest = permits.in_use() == 0 && permits.queued() == 0 && permits.limit() == limit;
        if at_rest { Idleness::Idle } else { Idleness::InUse }
    }

    /// The name it was built with.
    #[must_use]
    pub fn name(&self) -> &Name {
        self.shared().name()
    }

    /// A layer that puts this bulkhead around a service.
    pub fn layer(&self) -> BulkheadLayer {
        BulkheadLayer::new(self.clone())
    }

    /// Takes a free permit. It does not wait, and does not overtake callers that do.
    ///
    /// # Errors
    /// [`Rejected::BulkheadFull`] if no permit is free; [`Rejected::DeadlineExceeded`] if the caller's
    /// [deadline](crate::Deadline) has passed.
    pub fn try_acquire(&self) -> Result<Permit, Rejected> {
        match admit(self, (), &mut ()) {
            Ok(_) => Ok(Permit::new(self.clone())),
            Err(Refused::For(refusal)) => Err(self.reject(refusal)),
            Err(Refused::MayWait(())) => Err(self.reject(None)),
            Err(Refused::TooLate(stage)) => Err(self.deadline_exceeded(stage)),
        }
    }

    /// Takes a free permit, or waits for one as configured. The wait and the place in the queue start at the first
    /// poll.
    ///
    /// # Errors
    /// [`Rejected::BulkheadFull`] if no permit was free and, where calls may wait, none became free in time;
    /// [`Rejected::DeadlineExceeded`] if the caller's [deadline](crate::Deadline) passed first.
    ///
    /// # Cancellation
    /// Dropping it leaves the queue. A permit granted to it in the meantime goes to the next waiter.
    ///
    /// # Panics
    /// Waiting needs tokio's timer: panics outside a runtime with time enabled if it has to wait and
    /// [`max_wait`](BulkheadBuilder::max_wait) is finite.
    ///
    /// ```
    /// use seaworthy::Bulkhead;
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let bulkhead = Bulkhead::builder("reports").limit(4).max_wait(Duration::from_secs(1)).build()?;
    /// let permit = bulkhead.acquire().await?;
    /// assert_eq!((bulkhead.in_use(), bulkhead.available()), (1, 3));
    /// # drop(permit);
    /// # Ok(())
    /// # }
    /// ```
    pub fn acquire(&self) -> Acquire {
        Acquire::new(self.clone())
    }

    /// Runs a future under a permit, which is acquired as by [`acquire`](Bulkhead::acquire) and released when the
    /// future ends.
    ///
    /// If the error type cannot hold a rejection, wrap it: `.map_err(seaworthy::Error::Inner)`.
    ///
    /// # Errors
    /// The future's own error, or [`Rejected::BulkheadFull`], in which case the future was never polled.
    ///
    /// # Cancellation
    /// Dropping it drops `future` and then releases the permit, or leaves the queue. Before its first poll it holds
    /// nothing.
    ///
    /// # Panics
    /// As [`acquire`](Bulkhead::acquire).
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
    pub fn run<F, T, E>(&self, future: F) -> BulkheadRun<'_, F>
    where
        F: Future<Output = Result<T, E>>,
        E: StackError,
    {
        BulkheadRun::new(self, future)
    }

    /// Like [`run`](Bulkhead::run), for an error type that cannot hold a rejection.
    ///
    /// # Errors
    /// The future's own error as [`Error::Inner`](crate::Error::Inner), or [`Error::Rejected`](crate::Error::Rejected),
    /// in which case the future was never polled.
    ///
    /// # Cancellation
    /// As [`run`](Bulkhead::run).
    ///
    /// # Panics
    /// As [`acquire`](Bulkhead::acquire).
    pub fn run_wrapped<F, T, E>(&self, future: F) -> BulkheadRun<'_, WrapErrorFuture<F>>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.run(WrapErrorFuture::new(future))
    }

    /// How many more calls would pass now.
    #[must_use]
    pub fn available(&self) -> u32 {
        self.shared().counts().available()
    }

    /// How many permits are in use, including those granted to a waiting caller that has not noticed yet. Exceeds the
    /// limit after [`set_limit`](Bulkhead::set_limit) has lowered it, until enough calls have ended.
    #[must_use]
    pub fn in_use(&self) -> u32 {
        self.shared().counts().in_use()
    }

    /// How many callers wait for a permit. While there are any, no permit is free.
    #[must_use]
    pub fn queued(&self) -> u32 {
        self.shared().counts().queued()
    }

    /// How many calls may run at once.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.shared().counts().limit()
    }

    /// Changes how many calls may run at once. Extra permits go at once to callers that wait; a lower limit takes
    /// effect as calls end, and running calls are not touched.
    ///
    /// # Errors
    /// As for `limit` in the [builder](BulkheadBuilder::limit): from 1 to 1,000,000. On an error nothing has changed.
    pub fn set_limit(&self, bulkhead: u32) -> Result<(), ConfigError> {
        check_limit(Subject::named("bulkhead", self.name()), bulkhead)?;
        self.shared().set_limit(bulkhead);
        Ok(())
    }

    /// Everything there is to know, for metrics. The first three counts are of the same moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let permits = self.shared().counts();
        Snapshot {
            limit: permits.limit(),
            in_use: permits.in_use(),
            queued: permits.queued(),
            rejected: self.shared().rejections(),
        }
    }
}

impl fmt::Debug for Bulkhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Snapshot { limit, in_use, queued, .. } = self.snapshot();
        f.debug_struct("Bulkhead")
            .field("name", self.name())
            .field("limit", &limit)
            .field("in_use", &in_use)
            .field("queued", &queued)
            .finish_non_exhaustive()
    }
}

/// A bulkhead at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// How many calls may run at once.
    pub limit: u32,
    /// How many permits are in use; see [`Bulkhead::in_use`].
    pub in_use: u32,
    /// How many callers wait for a permit.
    pub queued: u32,
    /// Calls rejected since the bulkhead was built; it only increases.
    pub rejected: u64,
}
