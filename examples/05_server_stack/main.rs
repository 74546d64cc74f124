//! A server that survives its callers: respond, bulkhead and timeout around a handler of limited capacity.
//!
//! The same overload comes twice, over real sockets: two and a half times what the handler can do. Without the stack,
//! all requests wait in one queue, and hardly any is answered in time. With it, most are rejected at once, and those
//! let in are answered in time. Everything it claims is asserted.
//!
//!     cargo run --release --all-features --example 05_server_stack
//!
//! `server.rs` is the part to copy.
#![allow(clippy::print_stdout, reason = "an example speaks")]
#![allow(clippy::disallowed_methods, reason = "an example lives in real time")]

mod load;
mod server;

use std::fmt::Display;
use std::time::Duration;

use load::{DEADLINE, Outcome, RATE, SPAN};
use seaworthy::BoxError;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    println!("{RATE} requests a second for {SPAN:?}; the handler can do 100, and sometimes gets stuck\n");
    let without = load::run(server::start(false).await?).await?;
    let with = load::run(server::start(true).await?).await?;

    println!("{:<34}{:>14}{:>14}", "", "without", "with");
    let row = |title: &str, cell: fn(&Outcome) -> Box<dyn Display>| {
        println!("{title:<34}{:>14}{:>14}", cell(&without).to_string(), cell(&with).to_string());
    };
    row("requests", |outcome| Box::new(outcome.calls));
    row("200 within the deadline of 200 ms", |outcome| Box::new(outcome.good.len()));
    row("200, but late", |outcome| Box::new(outcome.late));
    row("503 Service Unavailable", |outcome| Box::new(outcome.unavailable));
    row("504 Gateway Timeout", |outcome| Box::new(outcome.timed_out));
    row("the caller hung up after 800 ms", |outcome| Box::new(outcome.hung_up));
    row("goodput", |outcome| Box::new(format!("{:.1}/s", outcome.goodput())));
    row("p50 of the good answers", |outcome| Box::new(readable(outcome.quantile(0.5))));
    row("p99 of the good answers", |outcome| Box::new(readable(outcome.quantile(0.99))));

    assert!(with.goodput() > without.goodput(), "the stack does not pay");
    assert!(with.late + with.hung_up < without.late + without.hung_up, "those let in are not answered in time");
    // Without the stack no request is rejected; with it, the bulkhead rejects some and the timeout cuts some off.
    assert_eq!((without.unavailable, without.timed_out), (0, 0));
    assert!(with.unavailable > 0 && with.timed_out > 0);
    println!(
        "\nWithin {DEADLINE:?}, the stack answers {:.1} times as many.",
        with.goodput() / without.goodput().max(f64::MIN_POSITIVE)
    );
    println!("\nEvery claim held.");
    Ok(())
}

fn readable(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
