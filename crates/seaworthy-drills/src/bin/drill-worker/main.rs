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
mod consume;
#[cfg(unix)]
mod options;
#[cfg(unix)]
mod work;
#[cfg(unix)]
mod write;

#[cfg(unix)]
fn main() {
    // Those of leadership are a library's, because the program `failover` is its own worker, too.
    if !seaworthy_drills::leader::worker::run() {
        work_on_keys();
    }
}

#[cfg(unix)]
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn work_on_keys() {
    use seaworthy_drills::sqlite::SqliteFile;

    let options = options::Options::from_args();
    if options.task() == "consume" {
        return do_jobs(&options).await;
    }
    match options.store().split(':').next() {
        Some("sqlite") => run::<SqliteFile>(&options).await,
        #[cfg(feature = "servers")]
        Some("postgres" | "postgresql") => run::<seaworthy_drills::postgres::PostgresSchema>(&options).await,
        _ => panic!("this program was not built with the store that it was given"),
    }
}

#[cfg(unix)]
async fn do_jobs(options: &options::Options) {
    use seaworthy_drills::jobs;

    match options.store().split(':').next() {
        Some("sqlite") => consume::run::<jobs::InSqlite>(options).await,
        #[cfg(feature = "servers")]
        Some("postgres" | "postgresql") => consume::run::<jobs::InPostgres>(options).await,
        #[cfg(feature = "servers")]
        Some("redis") => consume::run::<jobs::InRedis>(options).await,
        _ => panic!("this program was not built with the store that it was given"),
    }
}

#[cfg(unix)]
async fn run<D: seaworthy_drills::database::Database>(options: &options::Options) {
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
