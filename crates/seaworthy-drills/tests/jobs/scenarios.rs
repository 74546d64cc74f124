//! What must hold of a queue, whichever store it is in.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use seaworthy_drills::jobs::{End, JobStore};
use seaworthy_faults::journal::{Entry, Journal};
use seaworthy_faults::seed::Seed;

use crate::crowd::{Crowd, LIMIT};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// How often each job had its effect.
fn effects(journal: &Journal) -> BTreeMap<String, usize> {
    let mut effects = BTreeMap::new();
    for line in journal.lines() {
        if let Entry::Effect { key } = &line.entry {
            *effects.entry(key.clone()).or_default() += 1;
        }
    }
    effects
}

/// Fails unless each job that was accepted has had its effect or is dead, and none of both kinds was not accepted.
fn accepted_is_done_or_dead(journal: &Journal, dead: &[(String, u32)]) -> usize {
    let accepted: BTreeSet<String> = journal
        .lines()
        .iter()
        .filter_map(|line| match &line.entry {
            Entry::Accepted { job } => Some(job.clone()),
            _ => None,
        })
        .collect();
    let mut ended: BTreeSet<String> = effects(journal).into_keys().collect();
    ended.extend(dead.iter().map(|(id, _)| id.clone()));
    assert!(!accepted.is_empty());
    assert_eq!(accepted, ended, "lost, or never accepted");
    accepted.len()
}

/// DR-11, IN-01: four processes do 500 jobs, and one of them is killed with -9 every 300 ms, 20 times: each job that was
/// accepted is done, none is lost, and each is started again within the bound.
pub(crate) fn killed_in_the_middle<J: JobStore>(mut crowd: Crowd<J>) {
    let mut random = Seed::from_env().rng("kills");
    crowd.accept("job", 500, 60, End::Well);
    for _ in 0..4 {
        crowd.spawn();
    }
    for _ in 0..20 {
        thread::sleep(millis(300));
        let at = usize::try_from(random.below(4)).expect("four");
        crowd.worker(at).kill9();
        drop(crowd.replace(at));
    }
    crowd.finish(LIMIT);
    let (journal, dead) = crowd.end();
    let accepted = accepted_is_done_or_dead(&journal, &dead);
    let effects = effects(&journal);
    let again = effects.values().filter(|times| **times > 1).count();
    println!("{accepted} accepted, {} done, {again} of them more than once, {} dead", effects.len(), dead.len());
    assert_eq!(dead, [], "nothing was poison");
}

/// DR-12: a process that is stopped for two visibilities in the middle of its jobs: others do them, what it had is dropped
/// when it goes on, and it does other jobs.
pub(crate) fn stopped_in_the_middle<J: JobStore>(mut crowd: Crowd<J>) {
    crowd.accept("job", 20, 400, End::Well);
    crowd.spawn();
    let first = crowd.worker(0).name().to_owned();
    crowd.journals.wait_for(LIMIT, |line| matches!(line.entry, Entry::Start { .. }));
    crowd.worker(0).stop();
    let stopped = crowd.journals.read();
    let had: BTreeSet<String> = stopped
        .of(&first)
        .filter_map(|line| match &line.entry {
            Entry::Start { job } => Some(job.clone()),
            _ => None,
        })
        .collect();
    crowd.spawn();
    let until = Instant::now() + millis(2_000);
    crowd.journals.wait_for(LIMIT, |line| {
        matches!(&line.entry, Entry::Start { job } if had.contains(job)) && line.worker != first
    });
    thread::sleep(until.saturating_duration_since(Instant::now()));
    crowd.worker(0).cont();
    crowd.finish(LIMIT);
    let (journal, dead) = crowd.end();
    accepted_is_done_or_dead(&journal, &dead);
    let effects = effects(&journal);
    assert!(had.iter().all(|job| effects.get(job) == Some(&1)), "what it had was done by others alone: {effects:?}");
}

/// DR-16, IN-04: three jobs among many abort their process: they are dead after exactly five starts each, all others are
/// done, and none of them was abandoned more than twice.
pub(crate) fn poison<J: JobStore>(mut crowd: Crowd<J>) {
    crowd.accept("good", 100, 20, End::Well);
    crowd.accept("poison", 3, 20, End::Abort);
    crowd.accept("more", 97, 20, End::Well);
    for _ in 0..3 {
        crowd.spawn();
    }
    let restarted = crowd.finish(LIMIT);
    let (journal, mut dead) = crowd.end();
    dead.sort();
    assert_eq!(dead, [0, 1, 2].map(|number| (format!("poison-{number}"), 5)));
    accepted_is_done_or_dead(&journal, &dead);
    let (mut starts, mut abandoned) = (BTreeMap::<&str, usize>::new(), 0);
    for line in journal.lines() {
        if let Entry::Start { job } = &line.entry {
            *starts.entry(job).or_default() += 1;
        }
    }
    for line in journal.notes("try") {
        let job = line.entry.field("job").and_then(|job| job.as_str()).expect("an id");
        if !job.starts_with("poison") {
            let times = line.entry.field("abandoned").and_then(|times| times.as_u64()).expect("a number");
            abandoned = abandoned.max(times);
        }
    }
    println!("{restarted} restarts; innocents were abandoned {abandoned} times at most");
    assert!((0..3).all(|number| starts[&*format!("poison-{number}")] == 5), "{starts:?}");
    assert!(abandoned <= 2);
}

/// DR-17: a rolling deployment: four processes are replaced one after the other by SIGTERM under load: nothing is lost,
/// and no attempt is spent by it.
pub(crate) fn rolling<J: JobStore>(mut crowd: Crowd<J>) {
    crowd.accept("job", 300, 50, End::Well);
    for _ in 0..4 {
        crowd.spawn();
    }
    crowd.journals.wait_for(LIMIT, |line| matches!(line.entry, Entry::Start { .. }));
    for _ in 0..crowd.workers() {
        thread::sleep(millis(200));
        crowd.worker(0).term();
        let old = crowd.replace(0);
        old.wait_ok(LIMIT);
    }
    crowd.finish(LIMIT);
    let (journal, dead) = crowd.end();
    accepted_is_done_or_dead(&journal, &dead);
    assert!(effects(&journal).values().all(|times| *times == 1));
    let attempts: Vec<_> = journal.notes("try").map(|line| line.entry.field("attempt")?.as_u64()).collect();
    assert!(attempts.len() >= 300);
    let spent = attempts.iter().filter(|attempt| **attempt != Some(1));
    assert_eq!(spent.count(), 0, "attempts were spent");
}

/// All of them, in places of a kind.
macro_rules! tests_of_jobs {
    ($store:ty, $crowd:expr) => {
        use crate::scenarios;

        #[test]
        fn killed_in_the_middle() {
            scenarios::killed_in_the_middle::<$store>($crowd(&[]));
        }

        #[test]
        fn stopped_in_the_middle() {
            scenarios::stopped_in_the_middle::<$store>($crowd(&[]));
        }

        #[test]
        fn poison() {
            scenarios::poison::<$store>($crowd(&["--max-deliveries=5"]));
        }

        #[test]
        fn rolling() {
            scenarios::rolling::<$store>($crowd(&["--visibility=5000"]));
        }
    };
}
pub(crate) use tests_of_jobs;
