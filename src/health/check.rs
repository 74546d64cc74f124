use std::sync::Arc;
use std::time::Duration;

use super::AsyncCheck;
use crate::name::Name;

/// What a check says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// All is well.
    Up,
    /// It is not, for this reason. The reason is logged and never shown to a client.
    Down(Name),
}

impl Status {
    /// Whether all is well.
    #[must_use]
    #[inline]
    pub fn is_up(&self) -> bool {
        matches!(self, Status::Up)
    }

    /// The check panicked, with this text.
    #[cold]
    pub(super) fn panicked(text: String) -> Status {
        Status::Down(Name::from(format!("panicked: {text}")))
    }

    /// Why not all is well.
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
        if up { Status::Up } else { Status::Down(Name::from("down")) }
    }
}

/// Says at once whether something that the service needs is well: no await, no lock that is held for long, and no
/// allocation while it is up. It is asked for each request.
///
/// Any closure that returns a [`Status`] or a `bool` is a check. What has to wait for its answer is an [`AsyncCheck`],
/// which is a check too: it says at once what its last run said.
///
/// | | is down |
/// |---|---|
/// | [`CircuitBreaker`](crate::CircuitBreaker) | while it is open and no probe may pass; it is up while half-open, and from the end of its open time on, so that there are requests to probe with |
/// | [`Bulkhead`](crate::Bulkhead) | while no permit is free |
/// | [`Health`](crate::Health) | while its phase is not [`Serving`](crate::Phase::Serving); its own checks do not count |
/// | [`AsyncCheck`] | after a run that failed, until one succeeds or the failure is too old |
pub trait Check: Send + Sync {
    /// How it is now.
    fn status(&self) -> Status;

    /// How long it will be down, where it knows. Whoever is kept out because of it is told to come again after that. It is
    /// asked while the check is down, and only then.
    fn retry_after(&self) -> Option<Duration> {
        None
    }

    /// The check to run for an answer that is up to date, where this one cannot give that at once. A check that wraps
    /// another should pass it on.
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
