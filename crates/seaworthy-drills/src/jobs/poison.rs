//! Jobs that kill their process, or never end well.

use super::crowd::{Crowd, LIMIT, Plan};
use super::job::{End, Work};
use super::judges;
use super::row::Row;
use super::setup::Setup;
use super::store::JobStore;
use crate::at_once::at_once;

/// DR-16: three jobs among many abort their process.
pub(super) fn among_good<J: JobStore>(setup: &Setup) -> Row {
    let (workers, slots, good) = setup.size.or((3, 4, 197), (4, 10, 997));
    let what = format!("3 of {} jobs abort, {workers} workers × {slots}", good + 3);
    Row::of("DR-16", &what, "3 dead after 5 starts; others abandoned ≤ 2 times", || {
        let slots = format!("--concurrency={slots}");
        let mut crowd = Crowd::<J>::new(setup, Plan::default(), &["--max-deliveries=5", &slots]);
        crowd.accept("good", good / 2, Work::well(20));
        crowd.accept("poison", 3, Work { millis: 20, end: End::Abort });
        crowd.accept("more", good - good / 2, Work::well(20));
        crowd.spawn(workers);
        let outcome = crowd.end(LIMIT);
        let effects = judges::effects(&outcome.journal);
        judges::none_lost(&outcome.journal, &effects, &outcome.dead);
        assert_eq!(effects.len(), good);
        let abandoned = judges::poison_alone_is_dead(&outcome.journal, &outcome.dead, 5);
        assert!(abandoned <= 2, "an innocent was abandoned {abandoned} times");
        let (done, dead, restarts) = (effects.len(), outcome.dead.len(), outcome.restarts);
        format!("{done} done, {dead} dead after 5 starts, others abandoned ≤ {abandoned} times, {restarts} restarts")
    })
}

/// One way in which a job does not end well.
#[derive(Clone, Copy, Debug)]
enum Way {
    Error,
    Panic,
    Abort,
    TimedOut,
}

const WAYS: [Way; 4] = [Way::Error, Way::Panic, Way::Abort, Way::TimedOut];

impl Way {
    fn work(self) -> Work {
        let (millis, end) = match self {
            Way::Error => (20, End::Error),
            Way::Panic => (20, End::Panic),
            Way::Abort => (20, End::Abort),
            Way::TimedOut => (60_000, End::Well),
        };
        Work { millis, end }
    }
}

/// IN-04: one job ends badly in each of four ways, with 1, 3 and 5 deliveries, beside nine that end well.
pub(super) fn exactly<J: JobStore>(setup: &Setup) -> Row {
    let bound = "1 dead after N starts, 9 done and abandoned ≤ 2 times";
    Row::of("IN-04", "error, panic, abort, timeout; N of 1, 3, 5", bound, || {
        let mut worst = 0;
        for deliveries in [1, 3, 5] {
            let abandoned = at_once(WAYS.len(), |way| one_way::<J>(setup, WAYS[way], deliveries));
            worst = abandoned.into_iter().fold(worst, u64::max);
        }
        assert!(worst <= 2, "an innocent was abandoned {worst} times");
        format!("12 of 12 dead after N starts, 9 done beside each, abandoned ≤ {worst} times")
    })
}

fn one_way<J: JobStore>(setup: &Setup, way: Way, deliveries: u32) -> u64 {
    let most = format!("--max-deliveries={deliveries}");
    // With less than three deliveries nothing protects what runs beside a job that kills its process.
    let slots = if deliveries == 1 { "--concurrency=1" } else { "--concurrency=4" };
    let args = [&most, slots, "--job-timeout=500", "--retry-after=50"];
    let mut crowd = Crowd::<J>::new(setup, Plan::default(), &args);
    crowd.accept("good", 5, Work::well(20));
    crowd.accept("poison", 1, way.work());
    crowd.accept("more", 4, Work::well(20));
    crowd.spawn(1);
    let outcome = crowd.end(LIMIT);
    let effects = judges::effects(&outcome.journal);
    judges::none_lost(&outcome.journal, &effects, &outcome.dead);
    assert_eq!(effects.len(), 9, "{way:?} after {deliveries}");
    judges::poison_alone_is_dead(&outcome.journal, &outcome.dead, deliveries)
}
