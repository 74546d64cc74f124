//! What a dashboard shows: a client stack under failure, and its metrics as Prometheus text on a real port.
//!
//!     cargo run --release --all-features --example 08_metrics
//!     cargo run --release --all-features --example 08_metrics -- --listen 127.0.0.1:9090    # goes on until Ctrl-C
//!
//! Without `--listen` it takes a free port, scrapes itself, prints the result, and fails if a series is missing.
//! `stack.rs` is the part to copy.
#![allow(clippy::print_stdout, reason = "an example speaks")]
#![allow(clippy::disallowed_methods, reason = "an example lives in real time")]

mod expect;
mod scrape;
mod stack;

use std::net::{Ipv4Addr, SocketAddr};

use seaworthy::BoxError;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let listen = listen()?;
    // First of all: what is recorded before there is a recorder is lost.
    let recorder = stack::recorder()?;
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|_| "there is a recorder already")?;

    let listener = TcpListener::bind(listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))).await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(scrape::serve(listener, handle));

    // A circuit breaker that is dropped has no state, so the stack is kept.
    let stack = stack::Stack::new()?;
    stack.drive().await;
    let text = scrape::scrape(address).await?;
    println!("{text}");
    let missing = expect::missing(&text);
    if !missing.is_empty() {
        return Err(format!("not in http://{address}/metrics: {}", missing.join(", ")).into());
    }
    println!("# Every claim held: every series is there.");
    if listen.is_some() {
        println!("# http://{address}/metrics, until Ctrl-C");
        tokio::signal::ctrl_c().await?;
    }
    drop(stack);
    server.abort();
    Ok(())
}

/// The address after `--listen`, if there is one.
fn listen() -> Result<Option<SocketAddr>, BoxError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [] => Ok(None),
        [option, address] if option == "--listen" => {
            Ok(Some(address.parse().map_err(|error| format!("{address}: {error}"))?))
        }
        _ => Err("usage: 08_metrics [--listen ADDRESS]".into()),
    }
}
