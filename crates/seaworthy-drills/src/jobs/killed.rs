use std::thread;
use std::time::{Duration, Instant};

use seaworthy_faults::journal::Entry;

use super::crowd::{Crowd, LIMIT, Plan};
use super::job::Work;
use super::judges;
use super::row::{Row, seconds};
use super::setup::Setup;
use super::store::JobStore;

const KILLS: usize = 20;
const WORKERS: usize = 4;
const VISIBILITY: Duration = Duration::from_secs(2);
/// Of what a worker does between two looks at an idle queue: at most the whole of a receive.
const RECEIVE: Duration = Duration::from_millis(667);
/// For two cores that have more to do than this.
const SLACK: Duration = Duration::from_millis(500);

/// DR-11, LG-27: one of four is killed in the middle of its jobs, twenty times; there is always room for what it had.
pub(super) fn killed<J: JobStore>(setup: &Setup) -> Row {
    let bound = VISIBILITY + VISIBILITY / 6 + RECEIVE + SLACK;
    let said = format!("again within {}; each recorded once", seconds(bound));
    Row::of("DR-11", "a worker killed -9 in the middle of its jobs", &said, || {
        let plan = Plan { has_ledger: true, ..Plan::default() };
        let args = [&*format!("--visibility={}", VISIBILITY.as_millis()), "--concurrency=16", "--never-suspect"];
        let mut crowd = Crowd::<J>::new(setup, plan, &args);
        crowd.spawn(WORKERS);
        for name in 0..WORKERS {
            let name = format!("worker-{name}");
            crowd.journals.wait_for(LIMIT, |line| line.worker == name && line.entry.is_note("ready"));
        }
        for kill in 0..KILLS {
            let began = Instant::now();
            crowd.accept(&format!("job-{kill}"), 6, Work::well(1_000));
            let of = format!("job-{kill}-");
            let start = crowd.journals.wait_for(LIMIT, |line| {
                // Of one that lives.
                let is_mine = crowd.workers().iter().any(|worker| worker.pid() == line.pid);
                is_mine && matches!(&line.entry, Entry::Start { job } if job.starts_with(&of))
            });
            let at = crowd.workers().iter().position(|worker| worker.pid() == start.pid).expect("it lives");
            crowd.kill(at);
            thread::sleep(Duration::from_millis(300).saturating_sub(began.elapsed()));
        }
        let outcome = crowd.end(LIMIT);
        assert_eq!(outcome.kills(), KILLS);
        let accepted = judges::none_lost(&outcome.journal, &outcome.recorded, &outcome.dead);
        assert_eq!(judges::each_once(&outcome.recorded), accepted);
        let took = judges::tried_again(&outcome.journal, VISIBILITY);
        let longest = judges::each_within(&took, bound);
        format!("{KILLS} kills, {} calls of {accepted} jobs cut off, again within {}", took.len(), seconds(longest))
    })
}
