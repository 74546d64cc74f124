//! A future whose error type cannot hold rejections.
//~ `run_wrapped` in place of `run`

use seaworthy::CircuitBreaker;

fn main() {
    let circuit_breaker = CircuitBreaker::builder("parser").build().unwrap();
    drop(circuit_breaker.run(async { "x".parse::<u8>() }));
}
