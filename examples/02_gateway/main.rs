//! A gateway that survives its backend.
//!
//! Without arguments it plays through outages, over real sockets: a backend in this process fails, hangs, panics, talks
//! nonsense and hangs up, and heals each time. Watch what the gateway's callers get meanwhile.
//!
//!     cargo run --release --example 02_gateway
//!
//! With arguments it is the same gateway in front of a server of your own, until Ctrl-C:
//!
//!     cargo run --release --example 02_gateway -- --listen 127.0.0.1:8080 --upstream http://127.0.0.1:9000
//!
//! `gateway.rs` is the part to copy: the stack, from the caller down to the upstream. `upstream.rs` forwards requests,
//! and `upload.rs` watches their bodies. The rest is the demonstration: `demo.rs` is the script, `backend.rs`
//! misbehaves, `caller.rs` calls, `latency.rs` measures and `report.rs` prints.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example speaks")]
#![allow(clippy::disallowed_methods, reason = "an example lives in real time")]

mod arguments;
mod backend;
mod caller;
mod demo;
mod gateway;
mod latency;
mod report;
mod upload;
mod upstream;

use std::error::Error as StdError;
use std::process::ExitCode;

use arguments::{Arguments, Listen};
use seaworthy::CircuitBreaker;
use tokio::net::TcpListener;
use tokio::signal::ctrl_c;
use upstream::Upstream;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match arguments::parse(std::env::args_os().skip(1)) {
        Ok(Arguments::Demo) => demo::run().await,
        Ok(Arguments::Listen(settings)) => listen(settings).await,
        Ok(Arguments::Help) => {
            println!("{}", arguments::HELP);
            Ok(())
        }
        Err(problem) => {
            eprintln!("{problem}\n\n{}", arguments::HELP);
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The gateway in front of any server.
async fn listen(settings: Listen) -> Result<(), Box<dyn StdError + Send + Sync>> {
    // The circuit breaker reports opening and closing through `tracing`.
    tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).init();

    let Listen { address, upstream, timeout, open_for } = settings;
    let circuit_breaker = CircuitBreaker::builder("upstream").open_for(open_for).build()?;
    let app = gateway::app(&circuit_breaker, Upstream::new(upstream.clone()), timeout);
    let listener = TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    println!("http://{} passes requests on to http://{upstream}; Ctrl-C stops it", listener.local_addr()?);

    let asked_to_stop = async {
        // If Ctrl-C cannot be listened to, stopping is the best there is to do.
        let _ = ctrl_c().await;
        println!("stopping when the requests under way are done; Ctrl-C again does not wait for them");
    };
    let asked_twice = async {
        let _ = ctrl_c().await;
        let _ = ctrl_c().await;
    };
    tokio::select! {
        served = gateway::serve(listener, app, asked_to_stop) => served?,
        () = asked_twice => {}
    }
    println!("stopped");
    Ok(())
}
