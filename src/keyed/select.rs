use std::borrow::Borrow;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

use super::handle::Keyed;
use super::kind::KeyedHandle;

/// Picks the handle of a request. [`Keyed::layer`](Keyed::layer) makes one of a closure that borrows the key from the
/// request, and `layer_owned` of one that makes the key; this is for anything else.
///
/// ```
/// use seaworthy::keyed::{KeyedHandle, SelectKey};
/// use seaworthy::{Circuit, Keyed};
///
/// struct Request { host: Option<String> }
///
/// /// Requests without a host have a circuit of their own.
/// #[derive(Clone)]
/// struct ByHost;
///
/// impl SelectKey<Request, String> for ByHost {
///     fn select<H: KeyedHandle>(&self, hosts: &Keyed<String, H>, request: &Request) -> H {
///         hosts.get(request.host.as_deref().unwrap_or("none"))
///     }
/// }
///
/// let hosts: Keyed<String, Circuit> = Circuit::builder("hosts").keyed().build()?;
/// let layer = hosts.layer_by(ByHost);
/// # let _ = layer;
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
pub trait SelectKey<Request, K> {
    /// The handle for this request, of those that `keyed` has.
    fn select<H: KeyedHandle>(&self, keyed: &Keyed<K, H>, request: &Request) -> H;
}

/// By a key that a closure borrows from the request.
pub struct Borrowed<F, Q: ?Sized> {
    key: F,
    borrowed: PhantomData<fn(&Q)>,
}

impl<F, Q: ?Sized> Borrowed<F, Q> {
    pub(super) fn new(key: F) -> Borrowed<F, Q> {
        Borrowed { key, borrowed: PhantomData }
    }
}

impl<F: Clone, Q: ?Sized> Clone for Borrowed<F, Q> {
    fn clone(&self) -> Borrowed<F, Q> {
        Borrowed::new(self.key.clone())
    }
}

impl<F, Q: ?Sized> fmt::Debug for Borrowed<F, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Borrowed").finish_non_exhaustive()
    }
}

impl<Request, K, F, Q> SelectKey<Request, K> for Borrowed<F, Q>
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

/// By a key that a closure makes for the request.
#[derive(Clone)]
pub struct Owned<F>(F);

impl<F> Owned<F> {
    pub(super) fn new(key: F) -> Owned<F> {
        Owned(key)
    }
}

impl<F> fmt::Debug for Owned<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owned").finish_non_exhaustive()
    }
}

impl<Request, K, F> SelectKey<Request, K> for Owned<F>
where
    F: Fn(&Request) -> K,
    K: Hash + Eq,
{
    #[inline]
    fn select<H: KeyedHandle>(&self, keyed: &Keyed<K, H>, request: &Request) -> H {
        keyed.get_owned((self.0)(request))
    }
}
