//! A circuit breaker around a service: failing calls open it, it rejects calls at once while open, and it recovers on
//! its own.
//!
//! `cargo run --release --example 01_quickstart`
#![allow(clippy::print_stdout, reason = "an example speaks")]
#![allow(clippy::disallowed_methods, reason = "an example lives in real time")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use seaworthy::{BoxError, CircuitBreaker, State};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

static BACKEND_IS_UP: AtomicBool = AtomicBool::new(false);

/// Stands in for whatever you call: a database, a client, another service.
async fn price(item: &'static str) -> Result<String, BoxError> {
    tokio::time::sleep(Duration::from_millis(50)).await;
    if BACKEND_IS_UP.load(Ordering::Relaxed) { Ok(format!("{item} costs 7")) } else { Err("backend is down".into()) }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let circuit_breaker =
        CircuitBreaker::builder("prices").consecutive_failures(3).open_for(Duration::from_millis(200)).build()?;
    let mut prices = ServiceBuilder::new().layer(circuit_breaker.layer()).service(service_fn(price));

    for call in 1..=5 {
        // Calls 1 to 3 reach the backend and fail; 4 and 5 do not get there: the circuit is open.
        let start = Instant::now();
        match prices.ready().await?.call("tea").await {
            Ok(answer) => println!("call {call}: {answer}"),
            Err(error) => println!("call {call}: {error} after {:.1?}", start.elapsed()),
        }
    }
    assert_eq!(circuit_breaker.state(), State::Open);
    assert_eq!(circuit_breaker.snapshot().rejected, 2);

    BACKEND_IS_UP.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(200)).await;
    // The open time is over: this call is let through as a probe, and its success closes the circuit.
    println!("call 6: {}", prices.ready().await?.call("tea").await?);
    assert_eq!(circuit_breaker.state(), State::Closed);
    println!("\nEvery claim held.");
    Ok(())
}
