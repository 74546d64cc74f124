//! A future whose output is not a `Result`.
//~ to be a future that resolves to `Result<u8, Box<dyn Error + Send + Sync>>`

use seaworthy::{BoxError, CircuitBreaker};

fn main() {
    let circuit_breaker = CircuitBreaker::builder("numbers").build().unwrap();
    drop(circuit_breaker.run::<_, u8, BoxError>(async { 7_u8 }));
}
