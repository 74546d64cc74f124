//! A small tool for whoever is called when a queue has dead letters: it lists and shows them, puts them back into the
//! queue, and removes them. Any queue will do, whatever its jobs are.
//!
//! ```text
//! cargo run --example dead_letters --features sqlite,postgres,redis -- sqlite:jobs.db mails list
//! cargo run --example dead_letters --features sqlite,postgres,redis -- sqlite:jobs.db mails redrive --all
//! ```

mod tool;

use std::io::{stderr, stdout};
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    tool::run(&arguments, &mut stdout(), &mut stderr()).await.into()
}
