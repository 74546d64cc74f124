use std::thread;
use std::time::Duration;

use super::crowd::{Crowd, LIMIT, Plan};
use super::job::Work;
use super::judges;
use super::row::{Row, seconds};
use super::setup::Setup;
use super::store::JobStore;

const WORKERS: usize = 4;
const WAIT: Duration = Duration::from_secs(5);

/// DR-17: four workers are replaced one after the other by SIGTERM, while jobs come.
pub(super) fn rolling<J: JobStore>(setup: &Setup) -> Row {
    let (jobs, rounds) = setup.size.or((300, 1), (1_500, 5));
    let bound = format!("0 lost, 0 attempts spent, p99 of waits below {}", seconds(WAIT));
    Row::of("DR-17", &format!("{} workers replaced by SIGTERM", rounds * WORKERS), &bound, || {
        let mut crowd = Crowd::<J>::new(setup, Plan::default(), &["--visibility=5000"]);
        crowd.spawn(WORKERS);
        let producer = crowd.produce("job", jobs, Work::well(50), Duration::from_millis(20));
        crowd.started();
        for _ in 0..rounds * WORKERS {
            thread::sleep(Duration::from_millis(1_000));
            crowd.workers()[0].term();
            let old = crowd.replace(0);
            old.wait_ok(LIMIT);
        }
        crowd.produced(producer);
        let outcome = crowd.end(LIMIT);
        let effects = judges::effects(&outcome.journal);
        let accepted = judges::none_lost(&outcome.journal, &effects, &outcome.dead);
        assert_eq!(outcome.dead, [], "none may be dead");
        assert_eq!(judges::each_once(&effects), accepted);
        assert!(judges::no_attempt_spent(&outcome.journal) >= accepted);
        let waits = judges::waits(&outcome.journal);
        let p99 = judges::p99(&waits);
        assert!(p99 < WAIT, "p99 of waits is {p99:?}");
        let longest = judges::within(&waits, Duration::MAX);
        format!("{accepted} accepted and done, 0 spent; waits: p99 {}, max {}", seconds(p99), seconds(longest))
    })
}
