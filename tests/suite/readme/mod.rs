//! HC-01: the README's code around HTTP services, run as it is.

mod protect;

use axum::Router;
use axum::routing::get;
use http::{Request, StatusCode};
use seaworthy::{CircuitBreaker, State};
use tower::ServiceExt;

const README: &str = include_str!("../../../README.md");

async fn ask(app: &Router) -> StatusCode {
    let request = Request::get("/orders").body(axum::body::Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap().status()
}

/// HC-01: the code run here is what the README shows, to the letter.
#[test]
fn is_what_the_readme_shows() {
    let code = include_str!("protect.rs");
    assert!(README.contains(&format!("```rust\n{code}```")), "README.md and protect.rs differ");
}

/// HC-01: every block that puts a circuit breaker around an HTTP service judges by status, in the README and in the
/// pages.
#[test]
fn every_http_block_judges_by_status() {
    let pages = [README, include_str!("../../../docs/beside.md"), include_str!("../../../docs/behaviour.md")];
    let blocks =
        pages.iter().flat_map(|page| page.split("```rust").skip(1)).filter_map(|rest| rest.split("```").next());
    let mut found = 0;
    for block in blocks.filter(|block| block.contains("axum") || block.contains("RespondLayer")) {
        found += 1;
        for line in block.lines().filter(|line| line.contains("circuit_breaker.layer()")) {
            assert!(line.contains("HttpClassifier"), "judges by errors: {line}");
        }
    }
    assert!(found >= 2, "{found}");
}

/// HC-01: around a handler that answers 500 it opens, and then leaves the handler alone; around a healthy one it stays
/// closed.
#[tokio::test]
async fn a_handler_that_answers_500_opens_the_circuit() {
    let circuit_breaker = CircuitBreaker::builder("orders").build().unwrap();
    let routes = |status| Router::new().route("/orders", get(async move || status));
    let app = protect::protect(routes(StatusCode::INTERNAL_SERVER_ERROR), &circuit_breaker);
    for _ in 0..5 {
        assert_eq!(circuit_breaker.state(), State::Closed);
        assert_eq!(ask(&app).await, StatusCode::INTERNAL_SERVER_ERROR);
    }
    assert_eq!(circuit_breaker.state(), State::Open);
    assert_eq!(ask(&app).await, StatusCode::SERVICE_UNAVAILABLE);

    let circuit_breaker = CircuitBreaker::builder("orders").build().unwrap();
    let app = protect::protect(routes(StatusCode::NOT_FOUND), &circuit_breaker);
    for _ in 0..20 {
        assert_eq!(ask(&app).await, StatusCode::NOT_FOUND);
    }
    assert_eq!(circuit_breaker.state(), State::Closed);
}
