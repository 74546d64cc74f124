//! The drills, each of them a row.

use super::row::Row;
use super::setup::Setup;
use super::store::JobStore;

/// DR-11, LG-27: a worker killed with -9 in the middle of its jobs, twenty times, with the ledger behind it.
pub fn killed<J: JobStore>(setup: &Setup) -> Row {
    super::killed::killed::<J>(setup)
}

/// DR-12: a worker stopped for two visibilities in the middle of its jobs, and continued.
pub fn stopped<J: JobStore>(setup: &Setup) -> Row {
    super::stopped::stopped::<J>(setup)
}

/// DR-13, IN-06: the store away for a moment, in each way that there is, with and without jobs that run.
pub fn blips<J: JobStore>(setup: &Setup) -> Row {
    super::blips::blips::<J>(setup)
}

/// DR-13: Redis restarted without persistence.
#[cfg(feature = "servers")]
pub fn without_persistence() -> Row {
    super::blips::without_persistence()
}

/// DR-14: all backends of a Postgres terminated every second, for ten seconds.
#[cfg(feature = "servers")]
pub fn terminated(setup: &Setup) -> Row {
    super::terminated::terminated::<super::store::InPostgres>(setup)
}

/// DR-15: the backend away, with jobs waiting.
pub fn backend_away<J: JobStore>(setup: &Setup) -> Row {
    super::outage::backend_away::<J>(setup)
}

/// DR-16: poison among good jobs.
pub fn poison<J: JobStore>(setup: &Setup) -> Row {
    super::poison::among_good::<J>(setup)
}

/// IN-04: dead after exactly N starts.
pub fn exactly<J: JobStore>(setup: &Setup) -> Row {
    super::poison::exactly::<J>(setup)
}

/// DR-17: a rolling deployment.
pub fn rolling<J: JobStore>(setup: &Setup) -> Row {
    super::rolling::rolling::<J>(setup)
}

/// IN-01: 500 jobs and 20 kills. RG-9: any number of jobs, with 3 kills for 100 of them.
pub fn crash<J: JobStore>(setup: &Setup, jobs: usize) -> Row {
    let drill = if jobs == 500 { "IN-01" } else { "RG-9, IN-01" };
    super::crash::killed_at_random::<J>(setup, drill, jobs, if jobs == 500 { 20 } else { (jobs * 3 / 100).max(1) })
}

/// IN-17: all workers and the server killed with -9 at once, ten times.
pub fn all_killed<J: JobStore>(setup: &Setup) -> Row {
    super::crash::all_killed::<J>(setup)
}

/// RG-12: the dead redriven at a rate, while workers are killed.
pub fn redriven<J: JobStore>(setup: &Setup) -> Row {
    super::redrive::redriven::<J>(setup)
}
