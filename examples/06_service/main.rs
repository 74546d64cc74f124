//! A whole service: it starts, reports its health, keeps going without its dependency, and shuts down gracefully.
//!
//!     cargo run --release --all-features --example 06_service -- --demo      plays through its life in a few seconds
//!     cargo run --release --all-features --example 06_service                serves until Ctrl-C or SIGTERM
//!
//! `service.rs` is the part to copy; `../kubernetes.yaml` is the deployment for it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example speaks")]
#![allow(clippy::disallowed_methods, reason = "an example lives in real time")]

mod arguments;
mod demo;
mod dependency;
mod service;

use std::process::ExitCode;

use arguments::Arguments;
use seaworthy::BoxError;
use tracing_subscriber::fmt::time::Uptime;

#[tokio::main]
async fn main() -> ExitCode {
    let ended = match arguments::parse(std::env::args_os().skip(1)) {
        Ok(Arguments::Help) => {
            println!("{}", arguments::HELP);
            Ok(())
        }
        Ok(Arguments::Demo) => {
            tracing_subscriber::fmt().with_timer(Uptime::default()).with_ansi(false).init();
            demo::run().await
        }
        Ok(Arguments::Serve(settings)) => {
            tracing_subscriber::fmt().with_writer(std::io::stderr).init();
            serve(settings).await
        }
        Err(problem) => Err(format!("{problem}\n\n{}", arguments::HELP).into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(settings: service::Settings) -> Result<(), BoxError> {
    let (runner, address) = service::build(&settings).await?;
    println!("listening on http://{address}");
    Ok(runner.run().await?)
}
