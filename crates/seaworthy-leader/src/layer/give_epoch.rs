use crate::epoch::Epoch;

/// What the inner service of a [`LeaderLayer`](crate::LeaderLayer) is called with.
pub trait GiveEpoch<R> {
    /// The inner service's request.
    type Request;

    /// Makes it.
    fn give(&self, request: R, epoch: Epoch) -> Self::Request;
}

/// A [`Fenced`] request. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wrapped(());

/// The request as it is: see [`LeaderLayer::without_epoch`](crate::LeaderLayer::without_epoch).
#[derive(Clone, Copy, Debug, Default)]
pub struct Unfenced(());

/// An HTTP request that has the epoch among its extensions: see
/// [`LeaderLayer::epoch_in_extensions`](crate::LeaderLayer::epoch_in_extensions).
#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
#[derive(Clone, Copy, Debug, Default)]
pub struct InExtensions(());

impl<R> GiveEpoch<R> for Wrapped {
    type Request = Fenced<R>;

    #[inline]
    fn give(&self, request: R, epoch: Epoch) -> Fenced<R> {
        Fenced::new(request, epoch)
    }
}

impl<R> GiveEpoch<R> for Unfenced {
    type Request = R;

    #[inline]
    fn give(&self, request: R, _: Epoch) -> R {
        request
    }
}

#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
impl<B> GiveEpoch<http::Request<B>> for InExtensions {
    type Request = http::Request<B>;

    fn give(&self, mut request: http::Request<B>, epoch: Epoch) -> http::Request<B> {
        request.extensions_mut().insert(epoch);
        request
    }
}

/// A request, and the epoch that it is served under: to be sent along with what the service asks of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fenced<R> {
    request: R,
    epoch: Epoch,
}

impl<R> Fenced<R> {
    /// For tests of a service that takes one.
    pub fn new(request: R, epoch: Epoch) -> Fenced<R> {
        Fenced { request, epoch }
    }

    /// The epoch when the request was let in. It stays the same whatever happens meanwhile.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The request.
    pub fn get_ref(&self) -> &R {
        &self.request
    }

    /// The request.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.request
    }

    /// The request, without the epoch.
    pub fn into_inner(self) -> R {
        self.request
    }
}
