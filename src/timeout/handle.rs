use std::future::Future;
use std::time::Duration;

use super::builder::TimeoutBuilder;
use super::future::ResponseFuture;
use super::layer::TimeoutLayer;
use super::limit::FixedTimeout;
use super::notifier::TimeoutNotifier;
use crate::error::StackError;
use crate::error::wrap::WrapErrorFuture;
use crate::name::Name;

/// Gives up on each request that is not answered in time: drops it and answers with
/// [`Rejected::TimedOut`](crate::Rejected::TimedOut).
///
/// ```
/// use seaworthy::{BoxError, Rejected, StackError, TimeoutLayer};
/// use std::time::Duration;
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), BoxError> {
/// let service = ServiceBuilder::new()
///     .layer(TimeoutLayer::new(Duration::from_secs(2)))
///     .service(service_fn(async |is_quick: bool| match is_quick {
///         true => Ok::<_, BoxError>("here I am"),
///         false => std::future::pending().await,
///     }));
///
/// assert_eq!(service.clone().oneshot(true).await?, "here I am");
/// let error = service.oneshot(false).await.unwrap_err();
/// assert_eq!(error.rejected(), Some(&Rejected::TimedOut { after: Duration::from_secs(2).into(), timeout: None }));
/// # Ok(())
/// # }
/// ```
///
/// A duration the clock cannot represent means no limit, and no timer is made.
///
/// # Clone
/// Clones the limit; costs a reference count if a name or an observer was set.
#[derive(Clone, Debug)]
pub struct Timeout<D = FixedTimeout> {
    limit: D,
    notifier: TimeoutNotifier,
}

impl Timeout {
    /// Gives each request this much time. Zero is a deadline that has already passed, as for
    /// [`per_request`](Self::per_request): a response that is available at once still passes. A duration the clock
    /// cannot represent means no limit.
    pub fn new(after: Duration) -> Timeout {
        Timeout::built(FixedTimeout::new(after), TimeoutNotifier::default())
    }

    /// Like [`new`](Self::new), with more settings: a name and an observer.
    ///
    /// ```
    /// use seaworthy::Timeout;
    /// use std::time::Duration;
    ///
    /// let layer = Timeout::builder(Duration::from_secs(2)).name("payments").build()?;
    /// # let _ = layer;
    /// # Ok::<(), seaworthy::ConfigError>(())
    /// ```
    pub fn builder(after: Duration) -> TimeoutBuilder {
        TimeoutBuilder::fixed(after)
    }

    /// Gives each request the time that `limit` returns for it, which is called in `call`; `None` means no limit.
    ///
    /// Zero stands for a deadline that has already passed: the inner service is called and polled once, as for any
    /// other limit, and if it has no response by then, the call is given up at once, without a timer.
    ///
    /// Each service holds a clone of `limit`, so it should be cheap to clone.
    ///
    /// ```
    /// use seaworthy::Timeout;
    /// use std::time::Duration;
    ///
    /// struct Query { is_report: bool }
    ///
    /// let layer = Timeout::per_request(|query: &Query| {
    ///     Some(Duration::from_secs(if query.is_report { 600 } else { 30 }))
    /// })
    /// .build()?;
    /// # let _ = layer;
    /// # Ok::<(), seaworthy::ConfigError>(())
    /// ```
    pub fn per_request<D>(limit: D) -> TimeoutBuilder<D> {
        TimeoutBuilder::per_request(limit)
    }

    /// The time that each request has; [`Duration::MAX`] if there is no limit.
    #[must_use]
    pub fn after(&self) -> Duration {
        self.limit.after().unwrap_or(Duration::MAX)
    }

    /// Runs a future under this limit, without a service. The time starts at its first poll.
    ///
    /// If the error type cannot hold a rejection, wrap it: `.map_err(seaworthy::Error::Inner)`.
    ///
    /// # Errors
    /// The future's own error, or [`Rejected::TimedOut`](crate::Rejected::TimedOut).
    ///
    /// # Cancellation
    /// Dropping it drops `future`.
    ///
    /// ```
    /// use seaworthy::{Error, Rejected, Timeout};
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let timeout = Timeout::new(Duration::from_secs(2));
    /// let answer = timeout.run(async { "7".parse::<u8>().map_err(Error::Inner) }).await;
    /// assert_eq!(answer, Ok(7));
    ///
    /// let silence = timeout.run(std::future::pending::<Result<u8, Error<std::io::Error>>>()).await;
    /// assert!(matches!(silence, Err(Error::Rejected(Rejected::TimedOut { .. }))));
    /// # Ok(())
    /// # }
    /// ```
    pub fn run<F, T, E>(&self, future: F) -> ResponseFuture<F>
    where
        F: Future<Output = Result<T, E>>,
        E: StackError,
    {
        ResponseFuture::new(future, self.limit.after(), self.notifier.clone())
    }

    /// Like [`run`](Timeout::run), for an error type that cannot hold a rejection.
    ///
    /// # Errors
    /// The future's own error as [`Error::Inner`](crate::Error::Inner), or [`Error::Rejected`](crate::Error::Rejected).
    ///
    /// # Cancellation
    /// Dropping it drops `future`.
    pub fn run_wrapped<F, T, E>(&self, future: F) -> ResponseFuture<WrapErrorFuture<F>>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.run(WrapErrorFuture::new(future))
    }
}

impl<D: Clone> Timeout<D> {
    /// A layer that puts this limit around a service.
    pub fn layer(&self) -> TimeoutLayer<D> {
        TimeoutLayer::from(self.clone())
    }
}

impl<D> Timeout<D> {
    /// The name it was built with, if any.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        self.notifier.name()
    }

    pub(super) fn limit(&self) -> &D {
        &self.limit
    }

    pub(super) fn notifier(&self) -> &TimeoutNotifier {
        &self.notifier
    }

    pub(super) fn built(limit: D, notifier: TimeoutNotifier) -> Timeout<D> {
        Timeout { limit, notifier: notifier.or_default_observer() }
    }
}
