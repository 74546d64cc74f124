//! Jobs on a SQLite file, or on a server, done by two processes of which one is killed in the middle. Some jobs always
//! fail, one kills whoever does it; they end as dead letters, are looked at, and all but one are given another chance
//! when what was wrong is mended. In the end the numbers add up, or it fails. It ends by itself, after a quarter of a
//! minute:
//!
//! ```text
//! cargo run --example jobs --features sqlite
//! cargo run --example jobs --features sqlite,postgres -- --postgres postgres://postgres:pw@localhost/postgres
//! cargo run --example jobs --features sqlite,redis -- --redis redis://localhost/
//! ```

#![expect(clippy::disallowed_methods, clippy::exit, reason = "its time is real, and a process that hangs must go")]

mod job;
mod parent;
mod place;
mod tally;
mod worker;

use std::process::ExitCode;

use seaworthy::BoxError;
use seaworthy_queue::Queue;
use seaworthy_queue::store::QueueStore;

use job::Provision;
use place::Place;

/// What a process is there for.
pub enum Role {
    /// Enqueues, starts and ends the others, and counts.
    Parent,
    /// Does jobs, until its input ends.
    Worker,
}

impl Role {
    /// The same, whatever the jobs are stored in.
    pub async fn run<S: QueueStore>(self, queue: Queue<Provision, S>, place: &Place) -> Result<(), BoxError> {
        match self {
            Role::Parent => parent::run(queue, place).await,
            Role::Worker => worker::run(queue).await,
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = Place::from_arguments(&arguments).and_then(|(place, role)| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(place.run(role))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("jobs: {error}");
            ExitCode::FAILURE
        }
    }
}
