use std::thread;
use std::time::{Duration, Instant};

use seaworthy_faults::journal::Entry;

use super::crowd::{Crowd, LIMIT, Plan};
use super::job::Work;
use super::judges;
use super::row::Row;
use super::setup::Setup;
use super::store::JobStore;

const SECONDS: u32 = 10;

/// DR-14: all backends are terminated every second, for ten seconds, while jobs are accepted and done.
pub(super) fn terminated<J: JobStore>(setup: &Setup) -> Row {
    let bound = "0 lost, each recorded once; errors only in the middle";
    Row::of("DR-14", "all backends terminated every second for 10 s", bound, || {
        let plan = Plan { is_killed: true, has_ledger: true };
        let mut crowd = Crowd::<J>::new(setup, plan, &["--visibility=2000", "--concurrency=8"]);
        crowd.spawn(3);
        let producer = crowd.produce("job", 500, Work::well(100), Duration::from_millis(20));
        let mut ended = 0;
        for _ in 0..SECONDS {
            let next = Instant::now() + Duration::from_secs(1);
            crowd.journals.write(Entry::note("terminating"));
            ended += crowd.place.disconnect();
            crowd.journals.write(Entry::note("terminated"));
            crowd.supervise();
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        crowd.produced(producer);
        let outcome = crowd.end(LIMIT);
        let accepted = judges::none_lost(&outcome.journal, &outcome.recorded, &outcome.dead);
        assert_eq!(outcome.dead, [], "nothing was poison");
        assert_eq!(judges::each_once(&outcome.recorded), accepted);
        let errors = judges::only_in_the_middle(&outcome.journal);
        let starts = judges::starts(&outcome.journal);
        format!("{ended} connections ended, {accepted} accepted and recorded, {starts} starts, {errors} errors")
    })
}
