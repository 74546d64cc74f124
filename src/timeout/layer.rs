use std::future::Future;
use std::time::Duration;

use tower_layer::Layer;

use super::announcer::Announcer;
use super::builder::TimeoutBuilder;
use super::future::ResponseFuture;
use super::limit::FixedTimeout;
use super::service::Timeout;
use crate::{LiftFuture, StackError};

/// Gives up each request that has not been answered in time: drops it and answers with
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
/// assert_eq!(error.rejected(), Some(&Rejected::TimedOut { after: Duration::from_secs(2), timeout: None }));
/// # Ok(())
/// # }
/// ```
///
/// A time too long to be told means no limit, and no timer is made.
///
/// # Clone
/// Clones the limit; costs a reference count if a name or an observer was set.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct TimeoutLayer<D = FixedTimeout> {
    limit: D,
    announcer: Announcer,
}

impl TimeoutLayer {
    /// Gives each request so much time. Zero is a deadline that has passed, as it is for
    /// [`per_request`](Self::per_request): an answer that is there at once still passes. A time too long to be told is no
    /// limit.
    pub fn new(after: Duration) -> TimeoutLayer {
        TimeoutLayer::built(FixedTimeout::new(after), Announcer::default())
    }

    /// As [`new`](Self::new), with more settings: a name and an observer.
    ///
    /// ```
    /// use seaworthy::TimeoutLayer;
    /// use std::time::Duration;
    ///
    /// let layer = TimeoutLayer::builder(Duration::from_secs(2)).name("payments").build()?;
    /// # let _ = layer;
    /// # Ok::<(), seaworthy::ConfigError>(())
    /// ```
    pub fn builder(after: Duration) -> TimeoutBuilder {
        TimeoutBuilder::fixed(after)
    }

    /// Gives each request the time that `limit` says, which is asked in `call`; none means no limit.
    ///
    /// Zero is what a deadline that has passed looks like: the inner service is called and polled once, as for any other
    /// limit, and if it has no answer then, the call is given up at once, without a timer.
    ///
    /// Each service holds a clone of `limit`, so let it be cheap to clone.
    ///
    /// ```
    /// use seaworthy::TimeoutLayer;
    /// use std::time::Duration;
    ///
    /// struct Query { is_report: bool }
    ///
    /// let layer = TimeoutLayer::per_request(|query: &Query| {
    ///     Some(Duration::from_secs(if query.is_report { 600 } else { 30 }))
    /// })
    /// .build()?;
    /// # let _ = layer;
    /// # Ok::<(), seaworthy::ConfigError>(())
    /// ```
    pub fn per_request<D>(limit: D) -> TimeoutBuilder<D> {
        TimeoutBuilder::per_request(limit)
    }

    /// The time that each request is given; [`Duration::MAX`] if that is no limit.
    #[must_use]
    pub fn after(&self) -> Duration {
        self.limit.after().unwrap_or(Duration::MAX)
    }

    /// Runs a future under this limit, without a service. The time is counted from its first poll.
    ///
    /// For an error type that cannot hold a rejection, lift it: `.map_err(seaworthy::Error::Inner)`.
    ///
    /// # Errors
    /// The future's own, or [`Rejected::TimedOut`](crate::Rejected::TimedOut).
    ///
    /// # Cancellation
    /// Dropping it drops `future`.
    ///
    /// ```
    /// use seaworthy::{Error, Rejected, TimeoutLayer};
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let timeout = TimeoutLayer::new(Duration::from_secs(2));
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
        ResponseFuture::new(future, self.limit.after(), self.announcer.clone())
    }

    /// As [`run`](TimeoutLayer::run), for an error that cannot hold a rejection.
    ///
    /// # Errors
    /// The future's own as [`Error::Inner`](crate::Error::Inner), or [`Error::Rejected`](crate::Error::Rejected).
    ///
    /// # Cancellation
    /// Dropping it drops `future`.
    pub fn run_wrapped<F, T, E>(&self, future: F) -> ResponseFuture<LiftFuture<F>>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.run(LiftFuture::new(future))
    }
}

impl<D> TimeoutLayer<D> {
    pub(super) fn built(limit: D, announcer: Announcer) -> TimeoutLayer<D> {
        TimeoutLayer { limit, announcer: announcer.or_default_observer() }
    }
}

impl<S, D: Clone> Layer<S> for TimeoutLayer<D> {
    type Service = Timeout<S, D>;

    fn layer(&self, inner: S) -> Timeout<S, D> {
        Timeout::new(inner, self.limit.clone(), self.announcer.clone())
    }
}
