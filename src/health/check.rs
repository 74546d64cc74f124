use std::sync::Arc;
use std::time::Duration;

use arcstr::literal;

use crate::health::async_check::AsyncCheck;
use crate::name::Name;

/// The answer of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// All is well.
    Up,
    /// Something is wrong, for this reason. The reason is logged and never shown to a client.
    Down(Name),
}

impl Status {
    /// Whether all is well.
    #[must_use]
    #[inline]
    pub fn is_up(&self) -> bool {
        matches!(self, Status::Up)
    }

    /// The status of a check that panicked, with the panic's text.
    #[cold]
    pub(super) fn panicked(text: String) -> Status {
        Status::Down(Name::from(format!("panicked: {text}")))
    }

    /// Why it is down.
    #[must_use]
    pub fn reason(&self) -> Option<&Name> {
        match self {
            Status::Up => None,
            Status::Down(reason) => Some(reason),
        }
    }
}

/// `true` is up.
impl From<bool> for Status {
    fn from(up: bool) -> Status {
        if up { Status::Up } else { Status::Down(Name::literal(literal!("down"))) }
    }
}

/// Says at once whether something the service needs is well: without an await, without holding a lock for long, and
/// without an allocation while it is up. It is asked on every request.
///
/// Any closure that returns a [`Status`] or a `bool` is a check. A check that has to wait for its answer is an
/// [`AsyncCheck`], which is a check as well: it answers at once with the result of its last run.
///
/// | | is down |
/// |---|---|
/// | [`CircuitBreaker`](crate::CircuitBreaker) | while it is open and no probe may pass |
/// | [`Bulkhead`](crate::Bulkhead) | while no permit is free |
/// | [`Health`](crate::Health) | while its phase is not [`Serving`](crate::Phase::Serving), whatever its checks say |
/// | [`AsyncCheck`] | after a run that failed, until one succeeds or the failure is too old |
///
/// A circuit breaker is up while half-open, and from the end of its open time on, so that there are requests to probe
/// with.
pub trait Check: Send + Sync {
    /// The current status.
    fn status(&self) -> Status;

    /// How long it will be down, if known. A request that is rejected because of it carries this as its retry-after
    /// time. Asked only while the check is down.
    fn retry_after(&self) -> Option<Duration> {
        None
    }

    /// The asynchronous check to run for an up-to-date answer, for a check that cannot give one at once. A check that
    /// wraps another should forward this.
    fn as_async(&self) -> Option<&AsyncCheck> {
        None
    }
}

impl<F, S> Check for F
where
    F: Fn() -> S + Send + Sync,
    S: Into<Status>,
{
    fn status(&self) -> Status {
        self().into()
    }
}

impl<C: Check + ?Sized> Check for Arc<C> {
    fn status(&self) -> Status {
        (**self).status()
    }

    fn retry_after(&self) -> Option<Duration> {
        (**self).retry_after()
    }

    fn as_async(&self) -> Option<&AsyncCheck> {
        (**self).as_async()
    }
}
