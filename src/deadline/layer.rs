use std::time::Duration;

use tower_layer::Layer;

use super::deadline_for::FixedDeadline;
use super::service::DeadlineService;
use crate::error::ConfigError;
use crate::error::check::Subject;
use crate::name::Name;
use crate::observe::observer::Observer;
use crate::timeout::TimeoutNotifier;

/// Rejects requests whose deadline has passed when they arrive, with
/// [`Rejected::DeadlineExceeded`](crate::Rejected::DeadlineExceeded), and makes the deadline of the others current for
/// everything below. It does not end a call by itself: see [`deadline`](crate::deadline) for who does.
///
/// A deadline that is current already is only ever narrowed.
///
/// ```
/// use seaworthy::{BoxError, DeadlineLayer, Rejected, StackError, Timeout};
/// use std::time::Duration;
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), BoxError> {
/// let service = ServiceBuilder::new()
///     .layer(DeadlineLayer::within(Duration::from_millis(300)))
///     .layer(Timeout::new(Duration::from_secs(5)).layer())
///     .service(service_fn(async |()| std::future::pending::<Result<(), BoxError>>().await));
///
/// let error = service.oneshot(()).await.expect_err("nobody answers");
/// assert!(matches!(error.rejected(), Some(Rejected::DeadlineExceeded { .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct DeadlineLayer<D = FixedDeadline> {
    deadline: D,
    least: Duration,
    notifier: TimeoutNotifier,
}

impl DeadlineLayer {
    /// Gives each request this much time from its arrival. With zero, each comes too late; a duration that the clock
    /// cannot represent means no deadline.
    pub fn within(time: Duration) -> DeadlineLayer {
        DeadlineLayer::for_request(FixedDeadline::new(time))
    }
}

impl<D> DeadlineLayer<D> {
    /// Gives each request the deadline that `deadline` returns for it, which is called in `call`; `None` leaves the
    /// request with the one that is current, if there is one.
    ///
    /// Each service holds a clone of `deadline`, so it should be cheap to clone.
    ///
    /// ```
    /// use seaworthy::{Deadline, DeadlineLayer};
    ///
    /// struct Job { due: Option<tokio::time::Instant> }
    ///
    /// let layer = DeadlineLayer::for_request(|job: &Job| job.due.map(Deadline::at));
    /// # let _ = layer;
    /// ```
    pub fn for_request(deadline: D) -> DeadlineLayer<D> {
        let notifier = TimeoutNotifier::default().or_default_observer();
        DeadlineLayer { deadline, least: Duration::ZERO, notifier }
    }

    /// Rejects requests that have less than this left, because no answer takes less. Nothing is too little if not set.
    ///
    /// # Errors
    /// Zero; the field is `least`.
    pub fn least(mut self, time: Duration) -> Result<DeadlineLayer<D>, ConfigError> {
        Subject::named("deadline", self.notifier.name()).time("least", time)?;
        self.least = time;
        Ok(self)
    }

    /// A name for logs, events and metrics; none if not set.
    ///
    /// # Errors
    /// An empty name; the field is `name`.
    pub fn name(mut self, name: impl Into<Name>) -> Result<DeadlineLayer<D>, ConfigError> {
        self.notifier.set_name(&name.into());
        self.notifier.subject("deadline")?;
        Ok(self)
    }

    /// Reports to `observer` instead of the [default](crate::observe).
    pub fn observer(mut self, observer: impl Observer + 'static) -> DeadlineLayer<D> {
        self.notifier.set_observer(observer);
        self
    }
}

impl<S, D: Clone> Layer<S> for DeadlineLayer<D> {
    type Service = DeadlineService<S, D>;

    fn layer(&self, inner: S) -> DeadlineService<S, D> {
        DeadlineService::new(inner, self.deadline.clone(), self.least, self.notifier.clone())
    }
}
