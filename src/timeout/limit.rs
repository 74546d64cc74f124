use std::time::Duration;

/// Says how long a request may take.
///
/// Any closure that takes a `&Request` and gives an `Option<Duration>` does: see
/// [`TimeoutLayer::per_request`](crate::TimeoutLayer::per_request).
pub trait TimeoutFor<Request> {
    /// The limit for this request; none if it may take as long as it likes. See [`TimeoutLayer`](crate::TimeoutLayer)
    /// for what zero means.
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

/// The same limit for every request: the default. Made by [`TimeoutLayer::new`](crate::TimeoutLayer::new), which sees to
/// it that it is not zero.
#[derive(Clone, Copy, Debug)]
pub struct FixedTimeout(Duration);

impl FixedTimeout {
    pub(super) const fn new(after: Duration) -> FixedTimeout {
        FixedTimeout(after)
    }

    pub(super) const fn after(self) -> Duration {
        self.0
    }
}

impl<Request> TimeoutFor<Request> for FixedTimeout {
    #[inline]
    fn timeout_for(&self, _: &Request) -> Option<Duration> {
        Some(self.0)
    }
}
