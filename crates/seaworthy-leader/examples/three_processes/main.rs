//! Three processes on one SQLite file, of which one leads and ticks. The one that leads is killed, then stopped for
//! longer than its lease and continued, then ended, and each time another takes over. What the one that was stopped
//! still writes is refused. It ends by itself, after half a minute:
//! `cargo run --example three_processes --features sqlite`

#![expect(clippy::disallowed_methods, clippy::exit, reason = "its time is real, and a process that hangs must go")]

#[cfg(unix)]
mod parent;
#[cfg(unix)]
mod worker;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcome = runtime.map_err(Into::into).and_then(|runtime| match &arguments[..] {
        [] => runtime.block_on(parent::run()),
        [file, worker] => runtime.block_on(worker::run(file.as_ref(), worker)),
        _ => Err("it is started without arguments".into()),
    });
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", arguments.last().map_or("three_processes", |worker| worker));
            std::process::ExitCode::FAILURE
        }
    }
}

#[cfg(not(unix))]
fn main() {
    println!("It stops and continues processes, which only Unix can do.");
}
