use std::time::Duration;

use bytes::Bytes;

use super::jobs::{Jobs, NoRoom};
use crate::headers::Headers;
use crate::job_id::JobId;
use crate::store::{Cancelled, Due, Entry, Held, Holder, NewJob, Received, Settlement, Take};

const VISIBILITY: Duration = Duration::from_secs(30);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn id(id: &str) -> JobId {
    JobId::new(id).unwrap()
}

fn job(id: &str) -> NewJob {
    let id = JobId::new(id).unwrap();
    NewJob { id, kind: "k".into(), version: 1, headers: Headers::default(), body: Bytes::from("1"), due: Due::Now }
}

fn take(owner: u128, room: u32) -> Take {
    Take { owner, repeats: false, room, visibility: VISIBILITY, max_deliveries: 3 }
}

fn ids(received: &Received) -> Vec<&str> {
    received.jobs.iter().map(|job| job.id.as_str()).collect()
}

fn holder(received: &Received, owner: u128) -> Holder {
    let job = &received.jobs[0];
    Holder { id: job.id.clone(), owner, fence: job.fence }
}

fn with(jobs: &[NewJob]) -> Jobs {
    let mut all = Jobs::default();
    assert!(all.enqueue(jobs, None, Duration::ZERO).is_ok());
    all
}

/// QU-02: an id that is live, dead or remembered is there already, and is free again afterwards.
#[test]
fn ids_are_told_apart() {
    let mut jobs = with(&[job("a")]);
    let again = |jobs: &mut Jobs, now| jobs.enqueue(&[job("a")], None, now).unwrap()[0];
    assert_eq!(again(&mut jobs, seconds(1)), Entry::Already);
    let received = jobs.take(&take(1, 1), seconds(1));
    assert_eq!(again(&mut jobs, seconds(1)), Entry::Already);
    let ack = Settlement::Ack { remember: Some(seconds(60)) };
    assert_eq!(jobs.settle(&holder(&received, 1), &ack, seconds(2)), Held::Yes);
    assert_eq!(again(&mut jobs, seconds(61)), Entry::Already);
    assert_eq!(again(&mut jobs, seconds(62)), Entry::Accepted);
    let received = jobs.take(&take(2, 1), seconds(62));
    let dead = Settlement::Dead { reason: "no".into() };
    assert_eq!(jobs.settle(&holder(&received, 2), &dead, seconds(62)), Held::Yes);
    assert_eq!(again(&mut jobs, seconds(63)), Entry::Already);
    assert!(jobs.discard(&id("a")));
    assert_eq!(again(&mut jobs, seconds(63)), Entry::Accepted);
}

/// QU-04, QU-05: all or none, and what is there already needs no room.
#[test]
fn all_or_none() {
    let mut jobs = with(&[job("a")]);
    assert_eq!(jobs.enqueue(&[job("b"), job("c")], Some(2), seconds(1)), Err(NoRoom));
    assert_eq!(jobs.depth(seconds(1)).ready, 1);
    assert_eq!(jobs.enqueue(&[job("a")], Some(1), seconds(1)), Ok(vec![Entry::Already]));
    let both = [Entry::Already, Entry::Accepted];
    assert_eq!(jobs.enqueue(&[job("a"), job("b")], Some(2), seconds(1)), Ok(both.to_vec()));
}

/// QU-06, QU-07: later is not before then; what waits can be cancelled, and what runs cannot.
#[test]
fn later_and_cancelled() {
    let mut jobs =
        with(&[NewJob { due: Due::After(seconds(10)), ..job("a") }, NewJob { due: Due::At(seconds(5)), ..job("b") }]);
    assert_eq!(ids(&jobs.take(&take(1, 9), seconds(4))), [""; 0]);
    assert_eq!(jobs.take(&take(1, 9), seconds(4)).next_due, Some(seconds(1)));
    assert_eq!(ids(&jobs.take(&take(1, 9), seconds(5))), ["b"]);
    assert_eq!(jobs.cancel(&id("b")), Cancelled::Running);
    assert_eq!((jobs.cancel(&id("a")), jobs.cancel(&id("a"))), (Cancelled::Removed, Cancelled::Unknown));
    assert_eq!(ids(&jobs.take(&take(1, 9), seconds(20))), [""; 0]);
}

/// QU-10, QU-15: oldest first, invisible to others until the visibility is over, and abandoned ones before new ones.
#[test]
fn invisible_while_leased() {
    let mut jobs = with(&[job("a"), job("b"), job("c")]);
    assert_eq!(ids(&jobs.take(&take(1, 2), seconds(0))), ["a", "b"]);
    assert_eq!(ids(&jobs.take(&take(2, 0), seconds(0))), [""; 0]);
    let first = jobs.take(&take(2, 1), VISIBILITY - Duration::from_nanos(1));
    assert_eq!((ids(&first), first.jobs[0].attempt, first.jobs[0].abandoned), (vec!["c"], 1, 0));
    assert!(jobs.enqueue(&[job("d")], None, VISIBILITY).is_ok());
    let again = jobs.take(&take(2, 3), VISIBILITY);
    assert_eq!(ids(&again), ["a", "b", "d"]);
    let a = &again.jobs[0];
    assert_eq!((a.attempt, a.abandoned, a.fence), (2, 1, 2));
}

/// QU-11, CO: an asking whose answer was lost is given the same jobs again, and they cost nothing more.
#[test]
fn repeated_asking() {
    let mut jobs = with(&[job("a"), job("b")]);
    let first = jobs.take(&take(1, 1), seconds(0));
    let again = jobs.take(&Take { repeats: true, ..take(1, 1) }, seconds(1));
    assert_eq!(ids(&again), ["a"]);
    assert_eq!(again.jobs[0].fence, first.jobs[0].fence);
    assert_eq!(ids(&jobs.take(&Take { repeats: true, ..take(2, 1) }, seconds(1))), ["b"]);
}

/// QU-20 to QU-26: what each settlement does to the attempt, and when the job is due again.
#[test]
fn settlements() {
    let retry = Settlement::Retry { after: seconds(5), reason: "x".into() };
    let defer = Settlement::Defer { after: seconds(5) };
    for (settlement, due, attempt) in [(retry, 15, 2), (defer, 15, 1)] {
        let mut jobs = with(&[job("a")]);
        let received = jobs.take(&take(1, 1), seconds(0));
        assert_eq!(jobs.settle(&holder(&received, 1), &settlement, seconds(10)), Held::Yes);
        assert_eq!(jobs.settle(&holder(&received, 1), &settlement, seconds(10)), Held::Lost);
        let before = jobs.take(&take(2, 1), seconds(due) - Duration::from_nanos(1));
        assert_eq!(ids(&before), [""; 0], "{settlement:?}");
        assert_eq!(jobs.take(&take(2, 1), seconds(due)).jobs[0].attempt, attempt, "{settlement:?}");
    }
    // What is released is ready at once, and before what came after it.
    let mut jobs = with(&[job("a"), job("b")]);
    let received = jobs.take(&take(1, 1), seconds(0));
    assert_eq!(jobs.settle(&holder(&received, 1), &Settlement::Release, seconds(10)), Held::Yes);
    let again = jobs.take(&take(2, 2), seconds(10));
    assert_eq!((ids(&again), again.jobs[0].attempt), (vec!["a", "b"], 1));
}

/// QU-22: given out at most so often, whether it fails or is abandoned, and dead then, with its last reason.
#[test]
fn exactly_n() {
    let mut jobs = with(&[job("a")]);
    for start in 0..3 {
        assert_eq!(ids(&jobs.take(&take(1, 1), VISIBILITY * start)), ["a"]);
    }
    let last = jobs.take(&take(1, 1), VISIBILITY * 3);
    assert_eq!((ids(&last), last.died.len(), jobs.depth(VISIBILITY * 3).dead), (vec![], 1, 1));
    assert_eq!(&*jobs.dead(&id("a")).unwrap().reason, "was abandoned each time");
}

/// QU-24: whoever is not the owner, or has an older fence, changes nothing.
#[test]
fn stale_owners() {
    let mut jobs = with(&[job("a")]);
    let old = holder(&jobs.take(&take(1, 1), seconds(0)), 1);
    assert_eq!(jobs.extend(&old, VISIBILITY, seconds(1)), Held::Yes);
    let late = VISIBILITY + seconds(1);
    assert_eq!(jobs.extend(&old, VISIBILITY, late), Held::Lost);
    let new = holder(&jobs.take(&take(2, 1), late), 2);
    let dead = Settlement::Dead { reason: "x".into() };
    let all = [Settlement::Ack { remember: None }, Settlement::Release, Settlement::Defer { after: seconds(1) }, dead];
    for settlement in &all {
        for stale in [&old, &Holder { owner: 2, ..old.clone() }, &Holder { owner: 3, ..new.clone() }] {
            assert_eq!(jobs.settle(stale, settlement, late), Held::Lost);
        }
    }
    assert_eq!(jobs.settle(&new, &all[0], late), Held::Yes);
}

/// QU-40, QU-41: the dead are kept in their order, redriven with no attempt made, and swept only on request.
#[test]
fn dead_letters() {
    let mut jobs = with(&[job("a"), job("b"), job("c")]);
    for owner in 1..=3 {
        let received = jobs.take(&take(owner, 1), seconds(0));
        let reason = owner.to_string().into();
        let _ = jobs.settle(
            &holder(&received, owner),
            &Settlement::Dead { reason },
            seconds(10 * u64::try_from(owner).unwrap()),
        );
    }
    let listed = |jobs: &Jobs, after: Option<&str>, most| {
        let after = after.map(id);
        jobs.list(after.as_ref(), most).iter().map(|job| job.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&jobs, None, 2), ["a", "b"]);
    assert_eq!(listed(&jobs, Some("b"), 2), ["c"]);
    assert!(jobs.redrive(&id("b"), seconds(40)) && !jobs.redrive(&id("b"), seconds(40)));
    let again = jobs.take(&take(9, 1), seconds(40));
    assert_eq!((again.jobs[0].attempt, again.jobs[0].headers.get("redriven")), (1, Some("1")));
    assert_eq!(jobs.sweep(None, None, seconds(99)), 0);
    assert_eq!(jobs.sweep(Some(seconds(30)), None, seconds(41)), 1);
    assert_eq!(listed(&jobs, None, 9), ["c"]);
    assert_eq!(jobs.sweep(None, Some(0), seconds(41)), 1);
}
