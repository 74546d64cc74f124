use tower_layer::Layer;

use super::exempt::NoneExempt;
use super::handle::Health;
use super::service::ReadinessService;
use crate::machine::lifecycle::phase::Phase;

/// Rejects requests with [`Rejected::NotReady`](crate::Rejected::NotReady) while the service is not ready, and counts
/// those it lets in until they are answered. It still lets requests in while the service is draining.
///
/// Made by [`Health::readiness_layer`]. All services made by it, and by its clones, share that [`Health`].
///
/// ```
/// use seaworthy::{BoxError, Health};
/// use tower::{ServiceBuilder, service_fn};
///
/// let health = Health::new();
/// let service = ServiceBuilder::new()
///     .layer(health.readiness_layer().exempt(|request: &&str| *request == "ping"))
///     .service(service_fn(async |_: &'static str| Ok::<_, BoxError>("pong")));
/// # let _ = service;
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct ReadinessLayer<X = NoneExempt> {
    health: Health,
    exempt: X,
    /// The last phase in which requests are let in.
    last: Phase,
}

impl ReadinessLayer {
    /// Lets requests in while `health` is ready or draining, without exemptions.
    pub fn new(health: Health) -> ReadinessLayer {
        ReadinessLayer { health, exempt: NoneExempt, last: Phase::Draining }
    }
}

impl<X> ReadinessLayer<X> {
    /// Lets these requests pass whatever the state, and does not count them. Replaces any earlier exemption. See
    /// [`Exempt`](super::Exempt): a closure will do.
    pub fn exempt<Y>(self, exempt: Y) -> ReadinessLayer<Y> {
        ReadinessLayer { health: self.health, exempt, last: self.last }
    }

    /// Rejects requests as soon as the phase is [`Draining`](Phase::Draining). By default they are let in, and counted,
    /// until the service has stopped: load balancers keep sending requests until they notice that it is not ready, and
    /// it is the listener, closed after the drain delay, that ends them.
    ///
    /// For services whose callers go elsewhere when they are rejected.
    pub fn refuse_while_draining(mut self) -> ReadinessLayer<X> {
        self.last = Phase::Serving;
        self
    }
}

impl<S, X: Clone> Layer<S> for ReadinessLayer<X> {
    type Service = ReadinessService<S, X>;

    fn layer(&self, inner: S) -> ReadinessService<S, X> {
        ReadinessService::new(inner, self.health.clone(), self.exempt.clone(), self.last)
    }
}
