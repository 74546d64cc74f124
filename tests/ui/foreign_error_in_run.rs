//! A future whose error type cannot hold rejections.
//~ `run_wrapped` in place of `run`

use seaworthy::Circuit;

fn main() {
    let circuit = Circuit::builder("parser").build().unwrap();
    drop(circuit.run(async { "x".parse::<u8>() }));
}
