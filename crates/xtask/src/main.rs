//! Checks of this repository that no compiler makes: `cargo xtask house`, or only some of them by name,
//! `cargo xtask house numbers`.

mod house;
mod mistakes;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    // The workspace's root is two folders above this package.
    let Some(root) = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2) else { return ExitCode::FAILURE };
    match std::env::args().nth(1).as_deref() {
        Some("house") => house::run(root, &std::env::args().skip(2).collect::<Vec<_>>()),
        Some(other) => {
            eprintln!("unknown command `{other}`; there is: house");
            ExitCode::from(2)
        }
        None => {
            eprintln!("usage: cargo xtask house [CHECK...]");
            ExitCode::from(2)
        }
    }
}
