use std::time::Duration;

/// Decides how long a request may take.
///
/// Any closure that takes a `&Request` and returns an `Option<Duration>` will do: see
/// [`Timeout::per_request`](crate::Timeout::per_request).
pub trait TimeoutFor<Request> {
    /// The limit for this request; `None` if it may take as long as it likes. See [`Timeout`](crate::Timeout) for what
    /// zero means.
    fn timeout_for(&self, request: &Request) -> Option<Duration>;
}

impl<F, Request> TimeoutFor<Request> for F
where
    F: Fn(&Request) -> Option<Duration>,
{
    fn timeout_for(&self, request: &Request) -> Option<Duration> {
        self(request)
    }
}

/// The same limit for every request: the default. Made by [`Timeout::new`](crate::Timeout::new).
///
/// In nanoseconds, because each copy of the service that is kept for a retry holds one; the highest number, which is
/// more than 500 years, means no limit.
#[derive(Clone, Copy, Debug)]
pub struct FixedTimeout(u64);

impl FixedTimeout {
    pub(super) fn new(after: Duration) -> FixedTimeout {
        FixedTimeout(u64::try_from(after.as_nanos()).unwrap_or(u64::MAX))
    }

    #[inline]
    pub(super) fn after(self) -> Option<Duration> {
        (self.0 != u64::MAX).then(|| Duration::from_nanos(self.0))
    }
}

impl<Request> TimeoutFor<Request> for FixedTimeout {
    #[inline]
    fn timeout_for(&self, _: &Request) -> Option<Duration> {
        self.after()
    }
}
