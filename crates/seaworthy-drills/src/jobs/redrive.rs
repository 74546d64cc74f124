use std::thread;
use std::time::{Duration, Instant};

use super::crowd::{Crowd, LIMIT, Plan};
use super::job::{End, Work};
use super::judges;
use super::row::{Row, seconds};
use super::setup::Setup;
use super::store::JobStore;

const JOBS: usize = 100;
const PER_SECOND: u32 = 50;
const KILLS: usize = 3;

/// RG-12: a hundred dead jobs are redriven at 50 a second, while workers are killed.
pub(super) fn redriven<J: JobStore>(setup: &Setup) -> Row {
    let bound = "100 done, each recorded once; not faster than 50 a second";
    Row::of("RG-12", "100 dead redriven at 50/s, workers killed -9", bound, || {
        let plan = Plan { has_ledger: true, ..Plan::default() };
        let mut crowd = Crowd::<J>::new(setup, plan, &["--concurrency=4"]);
        crowd.accept("job", JOBS, Work { millis: 50, end: End::WellRedriven });
        crowd.spawn(3);
        crowd.until(LIMIT, |depth| depth.dead == JOBS as u64);
        let (dead, began) = (crowd.queue.dead(), Instant::now());
        let redriving = crowd.spawn_task(async move {
            let redriven = dead.redrive_all(PER_SECOND).await;
            (redriven, began.elapsed())
        });
        for _ in 0..KILLS {
            thread::sleep(Duration::from_millis(500));
            crowd.kill(0);
        }
        let (redriven, took) = crowd.block_on(redriving).expect("no panic");
        assert_eq!(redriven.expect("up"), JOBS as u64);
        assert!(took >= Duration::from_secs(1) / PER_SECOND * (JOBS as u32 - 1), "too fast: {took:?}");
        let outcome = crowd.end(LIMIT);
        assert_eq!(outcome.kills(), KILLS);
        assert_eq!(judges::none_lost(&outcome.journal, &outcome.recorded, &outcome.dead), JOBS);
        assert_eq!(judges::each_once(&outcome.recorded), JOBS);
        assert_eq!(outcome.dead, [], "one died again");
        let starts = judges::starts(&outcome.journal);
        format!("{JOBS} redriven in {}, {KILLS} kills, {starts} starts, {JOBS} recorded", seconds(took))
    })
}
