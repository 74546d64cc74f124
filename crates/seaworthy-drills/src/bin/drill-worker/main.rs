//! A process of a drill. It does what its arguments say, on the store that `--store=URL` names, and writes down what it
//! does; see `seaworthy_faults::worker`.
//!
//! ```text
//!     drill-worker claim-all --store=URL --begin=FILE --keys=2000 --from=0     claims each key once
//!     drill-worker work      --store=URL --keys=20 [--in-transaction]           does the work of all keys
//!     drill-worker write     --store=URL                                        keeps a transaction open
//!     drill-worker consume   --store=URL [--visibility=1000 …]                  does jobs
//!     drill-worker lead      --store=URL [--every=20] [--ttl=3000 …]            leads while it can
//!     drill-worker lock      --store=URL                                        keeps others from a file
//! ```
//!
//! `--die-at=POINT[:N]` and `--stop-at=POINT` end or stop it where the work passes that point; see `work.rs`.

#[cfg(unix)]
mod claim_all;
#[cfg(unix)]
mod work;
#[cfg(unix)]
mod write;

#[cfg(unix)]
fn main() {
    // These are a library's, because the programs `failover` and `jobs` are their own workers, too.
    if !seaworthy_drills::leader::worker::run() && !seaworthy_drills::jobs::worker::run() {
        work_on_keys();
    }
}

#[cfg(unix)]
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn work_on_keys() {
    use seaworthy_drills::options::Options;
    use seaworthy_drills::sqlite::SqliteFile;

    let options = Options::from_args();
    match options.store().split(':').next() {
        Some("sqlite") => run::<SqliteFile>(&options).await,
        #[cfg(feature = "servers")]
        Some("postgres" | "postgresql") => run::<seaworthy_drills::postgres::PostgresSchema>(&options).await,
        _ => panic!("this program was not built with the store that it was given"),
    }
}

#[cfg(unix)]
async fn run<D: seaworthy_drills::database::Database>(options: &seaworthy_drills::options::Options) {
    match options.task() {
        "claim-all" => claim_all::run::<D>(options).await,
        "work" => work::run::<D>(options).await,
        "write" => write::run::<D>(options).await,
        task => panic!("what is `{task}`?"),
    }
}

/// Without signals there is nothing to show.
#[cfg(not(unix))]
fn main() {}
