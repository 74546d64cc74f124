//! The drills of the durable queue on one store, in short. `cargo run -p seaworthy-drills --bin jobs` makes one table
//! of all of them.

use seaworthy_drills::jobs::drill;
use seaworthy_drills::jobs::setup::{Setup, Size};
use seaworthy_drills::jobs::store::JobStore;
use seaworthy_faults::seed::Seed;

fn setup() -> Setup {
    Setup { program: env!("CARGO_BIN_EXE_drill-worker").into(), seed: Seed::from_env(), size: Size::Short }
}

/// DR-11, QU-18, LG-27: one of four processes is killed with -9 in the middle of its jobs, twenty times: each job that
/// it had begun is started again by another, within the visibility, a sixth of it and a receive, and never before the
/// visibility is over; with the ledger behind it the effect of each job is recorded once.
pub(crate) fn killed<J: JobStore>() {
    drill::killed::<J>(&setup()).assert_held();
}

/// DR-12: a process that is stopped for two visibilities in the middle of its jobs: others do them, what it had is told
/// as lost and dropped within 1 s of its going on, and it does other jobs.
pub(crate) fn stopped<J: JobStore>() {
    drill::stopped::<J>(&setup()).assert_held();
}

/// DR-13, IN-06: all clients of a server are cut off, it is stopped for 3 s, killed with -9 and restarted; a file is
/// locked for 3 s; each with jobs of 4 s that run, and with nothing to do: one start and one effect for each job, no
/// call is dropped, and none is lost.
pub(crate) fn blips<J: JobStore>() {
    drill::blips::<J>(&setup()).assert_held();
}

/// DR-13: a Redis without persistence is refused at connect; with `accept_loss`, killed and restarted, it has lost a
/// hundred of a hundred.
#[cfg(feature = "servers")]
pub(crate) fn without_persistence() {
    drill::without_persistence().assert_held();
}

/// DR-14: all backends are terminated every second for 10 s under load: no job is lost, none is recorded twice, and an
/// error has only who was in the middle of something.
#[cfg(feature = "servers")]
pub(crate) fn terminated() {
    drill::terminated(&setup()).assert_held();
}

/// DR-15: the backend is away for two open times of 3 s, with 300 jobs waiting: 12 deliveries at most, no other attempt
/// spent, all done within a minute of its return, none dead.
pub(crate) fn backend_away<J: JobStore>() {
    drill::backend_away::<J>(&setup()).assert_held();
}

/// DR-16, QU-27: three jobs among 200 abort their process: they are dead after exactly five starts each, all others are
/// done, and none of them was abandoned more than twice.
pub(crate) fn poison<J: JobStore>() {
    drill::poison::<J>(&setup()).assert_held();
}

/// IN-04, QU-22: a job that ends by an error, a panic, an abort of its process or a timeout is dead after exactly N
/// starts, N being 1, 3 and 5, and nine beside it are done, each abandoned twice at most.
pub(crate) fn exactly<J: JobStore>() {
    drill::exactly::<J>(&setup()).assert_held();
}

/// DR-17: four processes are replaced one after the other by SIGTERM under load: nothing is lost, no attempt is spent
/// by it, and 99 of 100 jobs wait for less than 5 s.
pub(crate) fn rolling<J: JobStore>() {
    drill::rolling::<J>(&setup()).assert_held();
}

/// IN-01, RG-9: 500 jobs are accepted and done while one of four processes is killed with -9 every 300 ms, 20 times,
/// and the server every 2 s: exactly those that were accepted are done.
pub(crate) fn crash<J: JobStore>() {
    drill::crash::<J>(&setup(), 500).assert_held();
}

/// IN-17: all processes and the server are killed with -9 at once, ten times: nothing is lost, and for each job one
/// effect is recorded.
pub(crate) fn all_killed<J: JobStore>() {
    drill::all_killed::<J>(&setup()).assert_held();
}

/// RG-12: 100 dead jobs are redriven at 50 a second while processes are killed: 100 are done, each is recorded once.
pub(crate) fn redriven<J: JobStore>() {
    drill::redriven::<J>(&setup()).assert_held();
}

/// All of these tests, for one store.
macro_rules! tests_of_jobs {
    ($store:ty) => {
        use crate::short;

        #[test]
        fn killed() {
            short::killed::<$store>();
        }

        #[test]
        fn stopped() {
            short::stopped::<$store>();
        }

        #[test]
        fn blips() {
            short::blips::<$store>();
        }

        #[test]
        fn backend_away() {
            short::backend_away::<$store>();
        }

        #[test]
        fn poison() {
            short::poison::<$store>();
        }

        #[test]
        fn exactly() {
            short::exactly::<$store>();
        }

        #[test]
        fn rolling() {
            short::rolling::<$store>();
        }

        #[test]
        fn crash() {
            short::crash::<$store>();
        }

        #[test]
        fn all_killed() {
            short::all_killed::<$store>();
        }

        #[test]
        fn redriven() {
            short::redriven::<$store>();
        }
    };
}
pub(crate) use tests_of_jobs;
