use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use seaworthy_faults::journal::Entry;
use seaworthy_faults::worker::Journals;

use super::crowd::{Crowd, LIMIT, Plan};
use super::job::Work;
use super::judges;
use super::row::{Row, seconds};
use super::setup::Setup;
use super::store::JobStore;

const CONCURRENCY: usize = 10;
/// Those of a circuit breaker whose open time is half of the outage.
const PROBES: usize = 2;

/// DR-15: the backend of a worker is away for two open times of its circuit breaker, while jobs wait.
pub(super) fn backend_away<J: JobStore>(setup: &Setup) -> Row {
    let (jobs, away) = (setup.size.or(300, 1_000), Duration::from_secs(setup.size.or(6, 60)));
    let most = CONCURRENCY + PROBES;
    let bound = format!("{most} deliveries meanwhile at most; all within {} after", seconds(LIMIT / 2));
    Row::of("DR-15", &format!("the backend away for {} with {jobs} jobs waiting", seconds(away)), &bound, || {
        let place = Journals::new();
        let file = place.directory().join("away");
        let open_for = format!("--open-for={}", away.as_millis() / 2);
        let backend = format!("--backend={}", file.display());
        let concurrency = format!("--concurrency={CONCURRENCY}");
        let mut crowd =
            Crowd::<J>::new(setup, Plan::default(), &[&open_for, &backend, &concurrency, "--visibility=10000"]);
        crowd.accept("job", jobs, Work::well(20));
        fs::write(&file, "").expect("a file");
        crowd.journals.write(Entry::note("away"));
        crowd.spawn(1);
        crowd.started();
        thread::sleep(away);
        fs::remove_file(&file).expect("it is there");
        crowd.journals.write(Entry::note("back"));
        let back = Instant::now();
        crowd.until(LIMIT, |depth| depth.ready + depth.later + depth.running == 0);
        let took = back.elapsed();
        let outcome = crowd.end(LIMIT);
        let effects = judges::effects(&outcome.journal);
        let accepted = judges::none_lost(&outcome.journal, &effects, &outcome.dead);
        assert_eq!(outcome.dead, [], "none may be dead");
        assert_eq!(judges::each_once(&effects), accepted);
        let (deliveries, failed) = judges::deliveries_while_away(&outcome.journal);
        assert!(deliveries <= most, "{deliveries} deliveries while the backend was away");
        assert!(failed <= most, "{failed} deliveries failed");
        judges::within(&[took], LIMIT / 2);
        format!("{deliveries} deliveries meanwhile, {failed} failed of all; {accepted} done within {}", seconds(took))
    })
}
