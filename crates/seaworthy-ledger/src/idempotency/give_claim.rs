use crate::claim_ref::ClaimRef;
use crate::memory::Memory;
use crate::store::LedgerStore;

/// How the inner service gets to know of the claim that it works under: what becomes of a request on its way to it.
///
/// Any closure that takes the request and an `Option<ClaimRef<S>>` will do: see
/// [`IdempotencyLayer::give_claim`](crate::IdempotencyLayer::give_claim).
pub trait GiveClaim<R, S> {
    /// What the inner service is called with.
    type Request;

    /// Makes that of the request. There is no claim if the request has no key, or the ledger is down and the request
    /// goes on all the same.
    fn give(&self, request: R, claim: Option<ClaimRef<S>>) -> Self::Request;
}

impl<F, R, S, Q> GiveClaim<R, S> for F
where
    F: Fn(R, Option<ClaimRef<S>>) -> Q,
{
    type Request = Q;

    fn give(&self, request: R, claim: Option<ClaimRef<S>>) -> Q {
        self(request, claim)
    }
}

/// The inner service gets the request as it came, and no claim. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ungiven;

impl<R, S> GiveClaim<R, S> for Ungiven {
    type Request = R;

    #[inline]
    fn give(&self, request: R, _: Option<ClaimRef<S>>) -> R {
        request
    }
}

/// The inner service gets a [`WithClaim`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Wrapped;

impl<R, S> GiveClaim<R, S> for Wrapped {
    type Request = WithClaim<R, S>;

    #[inline]
    fn give(&self, request: R, claim: Option<ClaimRef<S>>) -> WithClaim<R, S> {
        WithClaim::new(request, claim)
    }
}

/// The inner service finds a [`ClaimRef`] among the extensions of the HTTP request.
#[cfg(feature = "http")]
#[derive(Clone, Copy, Debug, Default)]
pub struct InExtensions;

#[cfg(feature = "http")]
impl<B, S: LedgerStore> GiveClaim<http::Request<B>, S> for InExtensions {
    type Request = http::Request<B>;

    fn give(&self, mut request: http::Request<B>, claim: Option<ClaimRef<S>>) -> http::Request<B> {
        if let Some(claim) = claim {
            request.extensions_mut().insert(claim);
        }
        request
    }
}

/// A request, and the claim that it is worked on under.
///
/// ```
/// use seaworthy::BoxError;
/// use seaworthy_ledger::WithClaim;
///
/// async fn charge(request: WithClaim<u64>) -> Result<String, BoxError> {
///     let cents = *request.get_ref();
///     // The same for every attempt: to be sent to a remote that honours such keys.
///     let key = request.claim().map(|claim| claim.idempotency_key());
///     # let _ = (cents, key);
///     Ok("receipt 4711".to_owned())
/// }
/// # let _ = charge(WithClaim::new(7, None));
/// ```
#[derive(Debug)]
pub struct WithClaim<R, S = Memory> {
    request: R,
    claim: Option<ClaimRef<S>>,
}

impl<R, S> WithClaim<R, S> {
    /// For tests of a service that takes one.
    #[must_use]
    pub fn new(request: R, claim: Option<ClaimRef<S>>) -> WithClaim<R, S> {
        WithClaim { request, claim }
    }

    /// The claim: none if the request has no key, or the ledger is down and the request goes on all the same.
    #[must_use]
    pub fn claim(&self) -> Option<&ClaimRef<S>> {
        self.claim.as_ref()
    }

    /// The request.
    #[must_use]
    pub fn get_ref(&self) -> &R {
        &self.request
    }

    /// The request.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.request
    }

    /// The request, without the claim.
    #[must_use]
    pub fn into_inner(self) -> R {
        self.request
    }

    /// Both.
    #[must_use]
    pub fn into_parts(self) -> (R, Option<ClaimRef<S>>) {
        (self.request, self.claim)
    }
}

impl<R, S: LedgerStore> WithClaim<R, S> {
    /// The claim's fence; none if there is no claim.
    #[must_use]
    pub fn fence(&self) -> Option<u64> {
        self.claim.as_ref().map(ClaimRef::fence)
    }
}

impl<R: Clone, S> Clone for WithClaim<R, S> {
    fn clone(&self) -> WithClaim<R, S> {
        WithClaim { request: self.request.clone(), claim: self.claim.clone() }
    }
}
