use seaworthy::http::{HttpClassifier, RespondLayer};
use seaworthy::{Circuit, LiftLayer};
use tower::ServiceBuilder;

/// Opens when the handlers of these routes answer with 5xx.
pub fn protect(routes: axum::Router, circuit: &Circuit) -> axum::Router {
    routes.layer(
        ServiceBuilder::new()
            .layer(RespondLayer::new()) // 503, Retry-After, {"error":"circuit open"}
            .layer(circuit.layer().classify(HttpClassifier)) // an axum handler has no errors: its status tells
            .layer(LiftLayer::new()), // Infallible -> Error<Infallible>
    )
}
