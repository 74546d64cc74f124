use std::fmt;

use tower_layer::Layer;

use super::by_key::{KeyedBulkheadService, KeyedCircuitBreakerService};
use super::handle::Keyed;
use super::select::{BorrowKey, MakeKey};
use crate::admission::classify::ErrorClassifier;
use crate::bulkhead::handle::Bulkhead;
use crate::circuit_breaker::handle::CircuitBreaker;

impl<K> Keyed<K, CircuitBreaker> {
    /// A layer that puts each request through the circuit breaker of its key; every error is a failure. The key is
    /// borrowed from the request.
    ///
    /// ```
    /// use seaworthy::{BoxError, CircuitBreaker, Keyed, StackError};
    /// use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
    ///
    /// #[derive(Clone)]
    /// struct Request { host: String }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// let hosts: Keyed<String, CircuitBreaker> =
    ///     CircuitBreaker::builder("hosts").consecutive_failures(1).keyed().build()?;
    /// let mut service = ServiceBuilder::new()
    ///     .layer(hosts.layer(|request: &Request| request.host.as_str()))
    ///     .service(service_fn(async |request: Request| match request.host.as_str() {
    ///         "ill" => Err::<&'static str, BoxError>("down".into()),
    ///         _ => Ok("fine"),
    ///     }));
    ///
    /// let ill = Request { host: "ill".into() };
    /// service.ready().await?.call(ill.clone()).await.unwrap_err();
    /// assert!(service.ready().await?.call(ill).await.unwrap_err().rejected().is_some());
    /// assert_eq!(service.ready().await?.call(Request { host: "well".into() }).await?, "fine");
    /// # Ok(())
    /// # }
    /// ```
    pub fn layer<Request, Q, F>(&self, key: F) -> KeyedCircuitBreakerLayer<K, BorrowKey<F, Q>>
    where
        F: Fn(&Request) -> &Q,
        Q: ?Sized,
    {
        self.layer_by(BorrowKey::new(key))
    }

    /// Like [`layer`](Self::layer), with a key that is made for each request: a number, or something shared.
    pub fn layer_owned<Request, F>(&self, key: F) -> KeyedCircuitBreakerLayer<K, MakeKey<F>>
    where
        F: Fn(&Request) -> K,
    {
        self.layer_by(MakeKey::new(key))
    }

    /// Like [`layer`](Self::layer), with your own [`PickHandle`](super::PickHandle).
    pub fn layer_by<P>(&self, select: P) -> KeyedCircuitBreakerLayer<K, P> {
        KeyedCircuitBreakerLayer { keyed: self.clone(), select, classifier: ErrorClassifier }
    }
}

impl<K> Keyed<K, Bulkhead> {
    /// A layer that runs each request under a permit of its key's bulkhead. The key is borrowed from the request.
    pub fn layer<Request, Q, F>(&self, key: F) -> KeyedBulkheadLayer<K, BorrowKey<F, Q>>
    where
        F: Fn(&Request) -> &Q,
        Q: ?Sized,
    {
        self.layer_by(BorrowKey::new(key))
    }

    /// Like [`layer`](Self::layer), with a key that is made for each request: a number, or something shared.
    pub fn layer_owned<Request, F>(&self, key: F) -> KeyedBulkheadLayer<K, MakeKey<F>>
    where
        F: Fn(&Request) -> K,
    {
        self.layer_by(MakeKey::new(key))
    }

    /// Like [`layer`](Self::layer), with your own [`PickHandle`](super::PickHandle).
    pub fn layer_by<P>(&self, select: P) -> KeyedBulkheadLayer<K, P> {
        KeyedBulkheadLayer { keyed: self.clone(), select }
    }
}

/// Puts each request through the circuit breaker of its key. Made by `Keyed::layer`.
#[must_use = "a layer does nothing until it is given a service"]
pub struct KeyedCircuitBreakerLayer<K, P, C = ErrorClassifier> {
    keyed: Keyed<K, CircuitBreaker>,
    select: P,
    classifier: C,
}

impl<K, P, C> KeyedCircuitBreakerLayer<K, P, C> {
    /// Lets `classifier` decide what a result says about the backend: see [`Classify`](crate::Classify) and
    /// [`CircuitBreakerLayer::classify`](crate::circuit_breaker::CircuitBreakerLayer::classify).
    pub fn classify<D>(self, classifier: D) -> KeyedCircuitBreakerLayer<K, P, D> {
        KeyedCircuitBreakerLayer { keyed: self.keyed, select: self.select, classifier }
    }
}

impl<K, P: Clone, C: Clone> Clone for KeyedCircuitBreakerLayer<K, P, C> {
    fn clone(&self) -> Self {
        KeyedCircuitBreakerLayer {
            keyed: self.keyed.clone(),
            select: self.select.clone(),
            classifier: self.classifier.clone(),
        }
    }
}

impl<K, P, C> fmt::Debug for KeyedCircuitBreakerLayer<K, P, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedCircuitBreakerLayer").field("keyed", &self.keyed).finish_non_exhaustive()
    }
}

impl<S, K, P: Clone, C: Clone> Layer<S> for KeyedCircuitBreakerLayer<K, P, C> {
    type Service = KeyedCircuitBreakerService<S, K, P, C>;

    fn layer(&self, inner: S) -> KeyedCircuitBreakerService<S, K, P, C> {
        KeyedCircuitBreakerService::new(inner, self.keyed.clone(), self.select.clone(), self.classifier.clone())
    }
}

/// Runs each request under a permit of its key's bulkhead. Made by `Keyed::layer`.
#[must_use = "a layer does nothing until it is given a service"]
pub struct KeyedBulkheadLayer<K, P> {
    keyed: Keyed<K, Bulkhead>,
    select: P,
}

impl<K, P: Clone> Clone for KeyedBulkheadLayer<K, P> {
    fn clone(&self) -> Self {
        KeyedBulkheadLayer { keyed: self.keyed.clone(), select: self.select.clone() }
    }
}

impl<K, P> fmt::Debug for KeyedBulkheadLayer<K, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedBulkheadLayer").field("keyed", &self.keyed).finish_non_exhaustive()
    }
}

impl<S, K, P: Clone> Layer<S> for KeyedBulkheadLayer<K, P> {
    type Service = KeyedBulkheadService<S, K, P>;

    fn layer(&self, inner: S) -> KeyedBulkheadService<S, K, P> {
        KeyedBulkheadService::new(inner, self.keyed.clone(), self.select.clone())
    }
}
