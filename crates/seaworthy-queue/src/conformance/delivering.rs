use std::time::Duration;

use super::Subject;
use super::case::{BRIEF, Case, LONG, PAST, holder, id, job, retry, take};
use crate::store::{DeadLetters, Source, Take};

/// QU-10, QU-15: no more than there is room for, the oldest first, and each to one.
///
/// # Panics
/// If it does not hold.
pub async fn room_is_kept<S: Subject>(subject: &S) {
    let case = Case::of(subject, "QU-10").await;
    for name in ["a", "b", "c", "d"] {
        case.accept(&[job(name)]).await;
        // So that they are not of one moment.
        case.pass(Duration::from_millis(2)).await;
    }
    case.expect("without room", case.ids(&Take { room: 0, ..take() }).await, vec![]);
    case.expect("the first two", case.ids(&Take { room: 2, ..take() }).await, vec!["a".to_owned(), "b".to_owned()]);
    case.expect("the others", case.ids(&Take { room: 9, ..take() }).await, vec!["c".to_owned(), "d".to_owned()]);
    case.none("when all are given").await;
    let depth = case.depth().await;
    case.expect("counts", (depth.ready, depth.running), (0, 4));
}

/// QU-10, QU-18: a job is invisible until its visibility is over, and then comes back, before those that are new, with
/// one more attempt and one more abandonment.
///
/// # Panics
/// If it does not hold.
pub async fn abandoned_come_back<S: Subject>(subject: &S) {
    let case = Case::of(subject, "QU-18").await;
    case.accept(&[job("a")]).await;
    let first = case.one("a job", &Take { visibility: PAST * 2, ..take() }).await;
    case.none("while it is invisible").await;
    case.accept(&[job("b")]).await;
    case.pass(PAST * 3).await;
    let again = case.one("when it is visible", &take()).await;
    case.expect("the abandoned one first", again.id.as_str(), "a");
    case.expect("what it cost", (again.attempt, again.abandoned), (2, 1));
    case.check("fences", (first.fence, again.fence), first.fence < again.fence);
    case.expect("the new one next", case.ids(&take()).await, vec!["b".to_owned()]);
}

/// QU-22: a job that was delivered as often as it may be is dead instead, with its last reason, and takes no room.
///
/// # Panics
/// If it does not hold.
pub async fn dead_after_the_most<S: Subject>(subject: &S) {
    let case = Case::of(subject, "QU-22").await;
    case.accept(&[job("a"), job("b")]).await;
    let two = || Take { room: 2, visibility: BRIEF, max_deliveries: 2, ..take() };
    let asked = two();
    let taken = case.receive(&asked).await.jobs;
    case.expect("the first time", taken.len(), 2);
    for taken in &taken {
        let settled = case.settle(&holder(&asked, taken), &retry(Duration::ZERO)).await;
        case.check("a failure", settled, settled.is_yes());
    }
    case.expect("the second time", case.receive(&two()).await.jobs.len(), 2);
    case.pass(PAST).await;
    case.accept(&[job("c")]).await;
    let third = case.receive(&Take { room: 1, max_deliveries: 2, ..take() }).await;
    let ids: Vec<&str> = third.jobs.iter().map(|job| job.id.as_str()).collect();
    case.expect("the third time", ids, vec!["c"]);
    let mut died: Vec<String> = third.died.iter().map(ToString::to_string).collect();
    died.sort();
    case.expect("who died", died, vec!["a".to_owned(), "b".to_owned()]);
    case.expect("the dead", case.depth().await.dead, 2);
    let dead = case.ask("one of them", case.store.get(&id("a"))).await;
    let shown = dead.map(|dead| (dead.reason.to_string(), dead.attempts));
    case.expect("its last reason, and its attempts", shown, Some(("no luck".to_owned(), 2)));
}

/// QU-16: an asking whose answer was lost is given the same jobs by its repetition, at no cost; another is not.
///
/// # Panics
/// If it does not hold.
pub async fn lost_answers_are_repeated<S: Subject>(subject: &S) {
    let case = Case::of(subject, "QU-16").await;
    case.accept(&[job("a"), job("b"), job("c")]).await;
    let asked = Take { room: 2, ..take() };
    let first = case.receive(&asked).await.jobs;
    let other = case.receive(&Take { repeats: true, room: 9, ..take() }).await.jobs;
    case.expect("another's repetition", other.iter().map(|job| job.id.as_str()).collect(), vec!["c"]);
    let again = case.receive(&Take { repeats: true, room: 9, ..asked }).await.jobs;
    let seen = |jobs: &[crate::store::Taken]| {
        let mut all: Vec<_> = jobs.iter().map(|job| (job.id.clone(), job.attempt, job.fence)).collect();
        all.sort();
        all
    };
    case.expect("the repetition", seen(&again), seen(&first));
    let extended = case.store.extend(&[holder(&asked, &first[0])], LONG).await;
    case.check("an extension after it", &extended, extended.as_ref().is_ok_and(|held| held[0].is_yes()));
}

/// QU-16: what a repetition is given has a lease that begins with it: it is nobody else's when the first one is over.
///
/// # Panics
/// If it does not hold.
pub async fn repetitions_begin_anew<S: Subject>(subject: &S) {
    let case = Case::of(subject, "QU-16").await;
    case.accept(&[job("a")]).await;
    let asked = Take { visibility: Duration::from_millis(900), ..take() };
    let first = case.one("a taking", &asked).await;
    case.pass(Duration::from_millis(500)).await;
    let again = case.one("its repetition", &Take { repeats: true, ..asked }).await;
    case.expect("the same delivery", again.fence, first.fence);
    case.pass(Duration::from_millis(500)).await;
    case.none("while the second lease lasts").await;
    let held = case.extend(&holder(&asked, &again), LONG).await;
    case.check("an extension in its time", held, held.is_yes());
}
