/// Says which requests a [`ReadinessLayer`](super::ReadinessLayer) lets pass whatever the state. They do not count as
/// in flight either.
///
/// Any closure that takes the request and returns a `bool` implements it.
pub trait Exempt<Request> {
    /// Whether this request passes.
    fn is_exempt(&self, request: &Request) -> bool;
}

impl<Request, F: Fn(&Request) -> bool> Exempt<Request> for F {
    #[inline]
    fn is_exempt(&self, request: &Request) -> bool {
        self(request)
    }
}

/// Exempts no request.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoneExempt;

impl<Request> Exempt<Request> for NoneExempt {
    #[inline]
    fn is_exempt(&self, _: &Request) -> bool {
        false
    }
}
