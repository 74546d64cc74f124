use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use seaworthy_faults::journal::Entry;

use super::crowd::{Crowd, LIMIT, Plan};
use super::job::Work;
use super::judges;
use super::row::{Row, seconds};
use super::setup::Setup;
use super::store::JobStore;

const VISIBILITY: Duration = Duration::from_secs(1);
/// From CONT on.
const BOUND: Duration = Duration::from_secs(1);

/// DR-12: a worker is stopped for two visibilities in the middle of its jobs, and goes on.
pub(super) fn stopped<J: JobStore>(setup: &Setup) -> Row {
    let bound = format!("its calls dropped within {}, lost; one effect each", seconds(BOUND));
    Row::of("DR-12", "a worker stopped for 2 × visibility", &bound, || {
        let mut crowd = Crowd::<J>::new(setup, Plan::default(), &["--visibility=1000"]);
        crowd.accept("job", 20, Work::well(400));
        crowd.spawn(1);
        crowd.started();
        crowd.workers()[0].stop();
        crowd.journals.write(Entry::note("stopped"));
        let first = crowd.workers()[0].name().to_owned();
        let stopped = crowd.journals.read();
        let begun = |entry: &Entry| if let Entry::Start { job } = entry { Some(job.clone()) } else { None };
        let had: BTreeSet<String> = stopped.of(&first).filter_map(|line| begun(&line.entry)).collect();
        crowd.spawn(1);
        let until = Instant::now() + 2 * VISIBILITY;
        for job in &had {
            crowd
                .journals
                .wait_for(LIMIT, |line| line.worker != first && begun(&line.entry).is_some_and(|of| of == *job));
        }
        thread::sleep(until.saturating_duration_since(Instant::now()));
        crowd.journals.write(Entry::note("continued"));
        crowd.workers()[0].cont();
        let outcome = crowd.end(LIMIT);
        let effects = judges::effects(&outcome.journal);
        let accepted = judges::none_lost(&outcome.journal, &effects, &outcome.dead);
        assert_eq!(judges::each_once(&effects), accepted, "what it had was done by others alone");
        let (had, longest) = judges::dropped_after_it_was_stopped(&outcome.journal, &first);
        judges::within(&[longest], BOUND);
        format!("{accepted} jobs, {had} of them taken over and lost, dropped after {}", seconds(longest))
    })
}
