use seaworthy::http::{HttpClassifier, RespondLayer};
use seaworthy::{CircuitBreaker, WrapErrorLayer};
use tower::ServiceBuilder;

/// Opens when the handlers of these routes answer with 5xx.
pub fn protect(routes: axum::Router, circuit_breaker: &CircuitBreaker) -> axum::Router {
    routes.layer(
        ServiceBuilder::new()
            .layer(RespondLayer::new()) // 503, Retry-After, {"error":"circuit open"}
            .layer(circuit_breaker.layer().classify(HttpClassifier)) // an axum handler has no errors: its status tells
            .layer(WrapErrorLayer::new()), // Infallible -> Error<Infallible>
    )
}
