//! The crash table, row by row.

use std::time::Duration;

use seaworthy_drills::database::SHORT_LEASE;
use seaworthy_faults::journal::{Entry, Line};

use crate::processes::{LIMIT, Place, notes, number};

const ONE_KEY: &[&str] = &["--keys=1"];

/// What came of a worker that died at a point, and of the one that was started after it.
struct Aftermath {
    /// The fence of the record.
    fence: u64,
    /// How often the side effect happened.
    effects: usize,
    /// From when the first worker asked to the second's grant, if each was granted the key.
    between: Option<Duration>,
    /// How often the second one was told that the key is busy.
    busy: usize,
}

fn die_at<P: Place>(point: &str) -> Aftermath {
    let space = P::new();
    let die_at = format!("--die-at={point}");
    space.worker("first", "work", &[ONE_KEY[0], &die_at]).wait_aborted(LIMIT);
    space.finish(ONE_KEY);
    let journal = space.journals().read();
    let grants = |worker| notes(&journal, worker, "claimed").first().cloned();
    let done = notes(&journal, "finisher", "done");
    let aftermath = Aftermath {
        fence: number(&done[0], "fence"),
        effects: journal.count(|entry| *entry == Entry::effect("0")),
        between: grants("first").zip(grants("finisher")).map(|(first, second)| between(&first, &second)),
        busy: notes(&journal, "finisher", "busy").len(),
    };
    println!(
        "{point}: {} effects, done with fence {}, second grant after {:?}, {} times busy",
        aftermath.effects, aftermath.fence, aftermath.between, aftermath.busy
    );
    aftermath
}

/// LG-40: it dies before the claim is granted: the next claim is granted at once, and the side effect happens once.
pub(crate) fn before_the_claim<P: Place>() {
    let aftermath = die_at::<P>("before-claim");
    assert_eq!((aftermath.effects, aftermath.fence, aftermath.busy), (1, 1, 0));
    assert_eq!(aftermath.between, None, "there was one grant");
}

/// LG-40: it dies after the grant, before the side effect: the next claim is granted when the lease is over, with the
/// next fence, and the side effect happens once.
pub(crate) fn after_the_grant<P: Place>() {
    let aftermath = die_at::<P>("after-claim");
    assert_eq!((aftermath.effects, aftermath.fence), (1, 2));
    assert!(aftermath.busy > 0);
    assert_granted_after_the_lease(aftermath.between);
}

/// LG-40: it dies after the side effect, before it has recorded it: the next claim is granted when the lease is over, and
/// the side effect happens **twice**. Nothing outside of a transaction can do better, unless the remote honours the key.
pub(crate) fn after_the_side_effect<P: Place>() {
    let aftermath = die_at::<P>("after-effect");
    assert_eq!((aftermath.effects, aftermath.fence), (2, 2), "this is the limit, and not a defect");
    assert!(aftermath.busy > 0);
    assert_granted_after_the_lease(aftermath.between);
}

/// LG-40: it dies after the completion, before the answer is used: the next claim is told that it was done, and the side
/// effect happens once.
pub(crate) fn after_the_completion<P: Place>() {
    let aftermath = die_at::<P>("after-complete");
    assert_eq!((aftermath.effects, aftermath.fence, aftermath.busy), (1, 1, 0));
    assert_eq!(aftermath.between, None, "there was one grant");
}

/// LG-40: it does not die, but stops for longer than its lease: the key is granted to another with the next fence, whose
/// record stays; when it goes on it is told that the claim was lost, and its completion records nothing. The side effect
/// may overlap until then: here it happens twice.
pub(crate) fn stopped_for_longer_than_the_lease<P: Place>() {
    for (point, effects) in [("after-claim", 2), ("after-effect", 2)] {
        let space = P::new();
        let stop_at = format!("--stop-at={point}");
        let stopped = space.worker("stopped", "work", &[ONE_KEY[0], &stop_at]);
        space.journals().wait_for(LIMIT, |line| line.entry.is_note("stopping"));
        stopped.stop();
        space.finish(ONE_KEY);
        let before = space.journals().read();
        assert_eq!(notes(&before, "stopped", "settled").len(), 0, "it has been stopped all the time");
        stopped.cont();
        stopped.wait_ok(LIMIT);

        let journal = space.journals().read();
        let [settled] = &notes(&journal, "stopped", "settled")[..] else { panic!("{}", stopped.output()) };
        let held = settled.entry.field("held");
        assert_eq!((held, number(settled, "fence")), (Some(&false.into()), 1), "its own completion is lost");
        let [told] = &notes(&journal, "stopped", "told")[..] else { panic!("{}", stopped.output()) };
        assert_eq!(told.entry.field("lost"), Some(&true.into()), "and before that it was told");
        for worker in ["finisher", "stopped"] {
            let done = notes(&journal, worker, "done");
            assert_eq!(number(&done[0], "fence"), 2, "{worker}: the record is the second one's");
        }
        assert_eq!(journal.count(|entry| *entry == Entry::effect("0")), effects, "{point}");
        let grant = |worker| notes(&journal, worker, "claimed").remove(0);
        assert_granted_after_the_lease(Some(between(&grant("stopped"), &grant("finisher"))));
    }
}

/// From when the one asked to when the other was granted what it had asked for.
fn between(first: &Line, second: &Line) -> Duration {
    second.at() - Duration::from_nanos(number(first, "asked"))
}

fn assert_granted_after_the_lease(between: Option<Duration>) {
    let between = between.expect("each was granted the key");
    // The row clock is another one.
    let tick = Duration::from_millis(10);
    assert!(between + tick >= SHORT_LEASE, "{between:?}: the lease was not over");
    assert!(between <= SHORT_LEASE + Duration::from_secs(20), "{between:?}: much later than the lease");
}
