use std::time::Duration;

use bytes::Bytes;
use seaworthy_store::ErrorClass;

use super::Subject;
use super::case::{ACK, Case, LONG, PAST, dead, holder, id, job, take};
use crate::headers::Headers;
use crate::store::{Cancelled, Due, Entry, NewJob, Producer, Settlement};

/// QU-03: a job comes as it was accepted, whatever its bytes are.
///
/// # Panics
/// If it does not hold.
pub async fn jobs_come_as_they_were<S: Subject>(subject: &S) {
    let case = Case::of(subject, "QU-03").await;
    let mut headers = Headers::default();
    for (name, value) in [("traceparent", "00-ab-cd-01"), ("ü ", ""), ("x", "'; DROP TABLE")] {
        let inserted = headers.insert(name, value);
        case.check("a header", &inserted, inserted.is_ok());
    }
    let bodies = [Bytes::from_static(b""), Bytes::from_static(b"\0\xff\"'"), vec![7; 100_000].into()];
    for (number, body) in bodies.into_iter().enumerate() {
        let job = NewJob { headers: headers.clone(), version: u16::MAX, body, ..job(&format!("j{number}")) };
        case.accept(std::slice::from_ref(&job)).await;
        let taken = case.one("a job", &take()).await;
        let came = (taken.id, taken.kind, taken.version, taken.headers, taken.body);
        case.expect("what came", came, (job.id, job.kind, job.version, job.headers, job.body));
        case.expect("its first attempt", (taken.attempt, taken.abandoned, taken.deferred_for), (1, 0, None));
    }
}

/// QU-02: an id that is ready, later, running, dead or remembered is there already, and nothing changes.
///
/// # Panics
/// If it does not hold.
pub async fn ids_are_told_apart<S: Subject>(subject: &S) {
    let case = Case::of(subject, "QU-02").await;
    let again = NewJob { body: Bytes::from_static(b"other"), ..job("a") };
    let already = async |what: &str| {
        case.expect(what, case.enqueue(std::slice::from_ref(&again)).await, vec![Entry::Already]);
    };
    case.accept(&[job("a"), NewJob { due: Due::After(LONG), ..job("later") }, job("A")]).await;
    already("one that is ready").await;
    let later = case.enqueue(&[job("later")]).await;
    case.expect("one that is later", later, vec![Entry::Already]);
    let asked = take();
    let taken = case.one("the first", &asked).await;
    case.expect("the first, as it was", taken.body.clone(), job("a").body);
    already("one that runs").await;
    let remember = Settlement::Ack { remember: Some(PAST * 3) };
    case.check("an ack", "", case.settle(&holder(&asked, &taken), &remember).await.is_yes());
    already("one that is remembered").await;
    case.pass(PAST * 4).await;
    case.expect("one that is forgotten", case.enqueue(&[job("a")]).await, vec![Entry::Accepted]);
    case.expect("the one with another case", case.ids(&take()).await, vec!["A".to_owned()]);
    let asked = take();
    let taken = case.one("the first again", &asked).await;
    case.check("a death", "", case.settle(&holder(&asked, &taken), &dead("x")).await.is_yes());
    already("one that is dead").await;
    case.none("what is left").await;
}

/// QU-04, QU-05: all are accepted, or none if that would be too many; what is there already needs no room.
///
/// # Panics
/// If it does not hold.
pub async fn all_or_none<S: Subject>(subject: &S) {
    let case = Case::of(subject, "QU-05").await;
    case.accept(&[job("a")]).await;
    let full = case.store.enqueue(&[job("b"), job("c")], Some(2)).await;
    let class = full.as_ref().err().map(|error| error.class());
    case.expect("two where one fits", class, Some(ErrorClass::Full));
    case.expect("what is there", case.depth().await.ready, 1);
    let fits = case.ask("one that is there", case.store.enqueue(&[job("a")], Some(1))).await;
    case.expect("one that is there", fits, vec![Entry::Already]);
    let fits = case.ask("what fits", case.store.enqueue(&[job("a"), job("b")], Some(2))).await;
    case.expect("what fits", fits, vec![Entry::Already, Entry::Accepted]);
    let many: Vec<_> = (0..1_000).map(|number| job(&format!("many-{number}"))).collect();
    case.accept(&many).await;
    case.expect("all of them", case.depth().await.ready, 1_002);
}

/// QU-06, QU-07: later is not before then, and then soon; what waits can be cancelled, what runs cannot.
///
/// # Panics
/// If it does not hold.
pub async fn later_is_later<S: Subject>(subject: &S) {
    let case = Case::of(subject, "QU-06").await;
    let jobs = [
        NewJob { due: Due::After(PAST * 2), ..job("soon") },
        NewJob { due: Due::At(Duration::from_secs(1)), ..job("past") },
        NewJob { due: Due::At(Duration::from_secs(1 << 33)), ..job("far") },
        NewJob { due: Due::After(LONG), ..job("cancelled") },
    ];
    case.accept(&jobs).await;
    case.expect("what is due", case.ids(&take()).await, vec!["past".to_owned()]);
    case.none("what is not due").await;
    let cancel = async |what: &str| case.ask("a cancellation", case.store.cancel(&id(what))).await;
    case.expect("cancelling what is later", cancel("cancelled").await, Cancelled::Removed);
    case.expect("cancelling it again", cancel("cancelled").await, Cancelled::Unknown);
    case.expect("cancelling what runs", cancel("past").await, Cancelled::Running);
    let depth = case.depth().await;
    case.expect("counts", (depth.ready, depth.later, depth.running), (0, 2, 1));
    case.pass(PAST * 3).await;
    let asked = take();
    let taken = case.one("what is due now", &asked).await;
    case.expect("what is due now", taken.id.as_str(), "soon");
    case.check("an ack", "", case.settle(&holder(&asked, &taken), &ACK).await.is_yes());
    case.none("what is far").await;
}
