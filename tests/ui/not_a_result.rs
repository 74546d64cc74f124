//! A future that is no `Result`.
//~ to be a future that resolves to `Result<u8, Box<dyn Error + Send + Sync>>`

use seaworthy::{BoxError, Circuit};

fn main() {
    let circuit = Circuit::builder("numbers").build().unwrap();
    drop(circuit.run::<_, u8, BoxError>(async { 7_u8 }));
}
