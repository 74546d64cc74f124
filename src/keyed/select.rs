use std::borrow::Borrow;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

use super::handle::Keyed;
use super::kind::KeyedHandle;

/// Picks the handle of a request. [`Keyed::layer`](Keyed::layer) builds one from a closure that borrows the key from
/// the request, and `layer_owned` from one that makes the key; this is for anything else.
///
/// ```
/// use seaworthy::keyed::{KeyedHandle, PickHandle};
/// use seaworthy::{CircuitBreaker, Keyed};
///
/// struct Request { host: Option<String> }
///
/// /// Requests without a host share a circuit breaker.
/// #[derive(Clone)]
/// struct ByHost;
///
/// impl PickHandle<Request, String> for ByHost {
///     fn select<H: KeyedHandle>(&self, hosts: &Keyed<String, H>, request: &Request) -> H {
///         hosts.get(request.host.as_deref().unwrap_or("none"))
///     }
/// }
///
/// let hosts: Keyed<String, CircuitBreaker> = CircuitBreaker::builder("hosts").keyed().build()?;
/// let layer = hosts.layer_by(ByHost);
/// # let _ = layer;
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
pub trait PickHandle<Request, K> {
    /// The handle for this request, from those of `keyed`.
    fn select<H: KeyedHandle>(&self, keyed: &Keyed<K, H>, request: &Request) -> H;
}

/// Picks by a key that a closure borrows from the request.
pub struct BorrowKey<F, Q: ?Sized> {
    key: F,
    borrowed: PhantomData<fn(&Q)>,
}

impl<F, Q: ?Sized> BorrowKey<F, Q> {
    pub(super) fn new(key: F) -> BorrowKey<F, Q> {
        BorrowKey { key, borrowed: PhantomData }
    }
}

impl<F: Clone, Q: ?Sized> Clone for BorrowKey<F, Q> {
    fn clone(&self) -> BorrowKey<F, Q> {
        BorrowKey::new(self.key.clone())
    }
}

impl<F, Q: ?Sized> fmt::Debug for BorrowKey<F, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BorrowKey").finish_non_exhaustive()
    }
}

impl<Request, K, F, Q> PickHandle<Request, K> for BorrowKey<F, Q>
where
    F: Fn(&Request) -> &Q,
    K: Hash + Eq + Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
{
    #[inline]
    fn select<H: KeyedHandle>(&self, keyed: &Keyed<K, H>, request: &Request) -> H {
        keyed.get((self.key)(request))
    }
}

/// Picks by a key that a closure makes for the request.
#[derive(Clone)]
pub struct MakeKey<F>(F);

impl<F> MakeKey<F> {
    pub(super) fn new(key: F) -> MakeKey<F> {
        MakeKey(key)
    }
}

impl<F> fmt::Debug for MakeKey<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MakeKey").finish_non_exhaustive()
    }
}

impl<Request, K, F> PickHandle<Request, K> for MakeKey<F>
where
    F: Fn(&Request) -> K,
    K: Hash + Eq,
{
    #[inline]
    fn select<H: KeyedHandle>(&self, keyed: &Keyed<K, H>, request: &Request) -> H {
        keyed.get_owned((self.0)(request))
    }
}
