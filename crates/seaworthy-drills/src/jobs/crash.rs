//! Workers and the server are killed, at random and all at once.

use std::thread;
use std::time::{Duration, Instant};

use super::crowd::{Crowd, Plan};
use super::job::Work;
use super::judges;
use super::row::{Row, seconds};
use super::setup::Setup;
use super::store::JobStore;

const WORKERS: usize = 4;
/// Between two kills of a worker.
const KILL_EVERY: Duration = Duration::from_millis(300);
/// Between two kills of the server.
const SERVER_EVERY: Duration = Duration::from_secs(2);

/// IN-01, RG-9: so many jobs are produced while one of four workers is killed every 300 ms, and the server every 2 s.
pub(super) fn killed_at_random<J: JobStore>(setup: &Setup, drill: &'static str, jobs: usize, kills: usize) -> Row {
    let bound = "0 lost, 0 dead: accepted = done";
    Row::of(drill, "kill -9 of a worker every 0.3 s, the server every 2 s", bound, || {
        let mut random = setup.seed.rng("kills");
        let plan = Plan { is_killed: true, ..Plan::default() };
        let mut crowd = Crowd::<J>::new(setup, plan, &["--concurrency=10"]);
        let began = Instant::now();
        // They are accepted for as long as somebody is killed.
        let every = KILL_EVERY * u32::try_from(kills).expect("small") / u32::try_from(jobs).expect("small");
        let producer = crowd.produce("job", jobs, Work::well(60), every);
        crowd.spawn(WORKERS);
        let (mut servers, mut next_server) = (0, Instant::now() + SERVER_EVERY);
        for _ in 0..kills {
            thread::sleep(KILL_EVERY);
            if crowd.place.has_server() && Instant::now() >= next_server {
                crowd.place.kill9();
                crowd.place.restart();
                servers += 1;
                next_server = Instant::now() + SERVER_EVERY;
            }
            crowd.supervise();
            let at = usize::try_from(random.below(WORKERS as u64)).expect("four");
            crowd.kill(at);
        }
        crowd.produced(producer);
        let outcome =
            crowd.end(Duration::from_secs(60) + Duration::from_millis(20) * u32::try_from(jobs).expect("small"));
        let took = began.elapsed();
        let effects = judges::effects(&outcome.journal);
        let accepted = judges::none_lost(&outcome.journal, &effects, &outcome.dead);
        assert_eq!(accepted, jobs);
        assert_eq!(outcome.dead, [], "nothing was poison");
        assert!(outcome.kills() >= kills, "{} kills", outcome.kills());
        let again = effects.iter().filter(|(_, times)| *times > 1).count();
        let (kills, done) = (outcome.kills(), effects.len());
        format!(
            "{accepted} accepted, {done} done ({again} more than once) in {}, {kills} + {servers} kills",
            seconds(took)
        )
    })
}

/// IN-17: all workers and the server are killed at once, ten times.
pub(super) fn all_killed<J: JobStore>(setup: &Setup) -> Row {
    const TIMES: usize = 10;
    Row::of("IN-17", "kill -9 of all workers and the server at once", "0 lost, 0 dead; each recorded once", || {
        let mut random = setup.seed.rng("all killed");
        let plan = Plan { is_killed: true, has_ledger: true };
        let mut crowd = Crowd::<J>::new(setup, plan, &["--concurrency=8"]);
        crowd.accept("job", 200, Work::well(60));
        for time in 0..TIMES {
            crowd.spawn(WORKERS);
            let pids: Vec<u32> = crowd.workers().iter().map(|worker| worker.pid()).collect();
            crowd.accept(&format!("more-{time}"), 30, Work::well(60));
            // Not before somebody is at work; then at any moment.
            crowd.journals.wait_for(super::crowd::LIMIT, |line| pids.contains(&line.pid) && line.entry.is_note("try"));
            thread::sleep(random.duration(Duration::ZERO..Duration::from_millis(400)));
            crowd.kill_all_and_the_server();
            crowd.place.restart();
        }
        crowd.spawn(WORKERS);
        let outcome = crowd.end(Duration::from_secs(60));
        let accepted = judges::none_lost(&outcome.journal, &outcome.recorded, &outcome.dead);
        assert_eq!(outcome.dead, [], "nothing was poison");
        assert_eq!(judges::each_once(&outcome.recorded), accepted);
        let starts = judges::starts(&outcome.journal);
        format!("{TIMES} times all at once, {accepted} accepted, {starts} starts, {accepted} recorded")
    })
}
