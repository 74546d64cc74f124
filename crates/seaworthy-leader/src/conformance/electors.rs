use std::fmt::Debug;
use std::time::Duration;

use seaworthy::Name;
use seaworthy_store::time::now;
use tokio::task::JoinSet;

use super::ElectorSubject;
use crate::elector::Elector;
use crate::error::ElectionError;
use crate::term::Term;

fn expect<T: PartialEq + Debug>(number: &str, what: &str, answered: T, expected: T) {
    assert!(answered == expected, "{number}: {what}: expected {expected:?}, answered {answered:?}");
}

fn led<S>(number: &str, what: &str, answer: Result<Term<S>, ElectionError>) -> Term<S> {
    answer.unwrap_or_else(|error| panic!("{number}: {what}: expected a term, failed with {error}"))
}

async fn once<E: Elector>(number: &str, what: &str, elector: &E, leads: bool) -> Option<Term<E::Store>> {
    match elector.try_campaign(Name::from("a")).await {
        Ok(term) => {
            expect(number, what, term.is_some(), leads);
            term
        }
        Err(error) => panic!("{number}: {what}: expected an answer, failed with {error}"),
    }
}

async fn pair<S: ElectorSubject>(subject: &S) -> (S::Elector, S::Elector) {
    let mut candidates = subject.candidates(2).await;
    match (candidates.pop(), candidates.pop()) {
        (Some(one), Some(other)) => (one, other),
        _ => panic!("the subject gave fewer than two candidates"),
    }
}

/// LE-01: a campaign waits until it leads; asking once says whether it does. A term says what it is.
///
/// # Panics
/// If it does not hold.
pub async fn campaigns_wait<S: ElectorSubject>(subject: &S) {
    let number = "LE-01";
    let (one, other) = pair(subject).await;
    let term = led(number, "a campaign", one.campaign(Name::from("a")).await);
    expect(number, "its name", term.name().as_str(), "a");
    expect(number, "whether it is valid", (term.is_valid(), term.ended().is_requested()), (true, false));
    let deadline = term.deadline();
    let in_time = deadline.is_some_and(|at| at > now().into_std() && at <= (now() + one.pace().ttl).into_std());
    assert!(in_time, "{number}: its deadline: answered {deadline:?}");
    once(number, "asking once while another leads", &other, false).await;
    let waiting = tokio::spawn({
        let other = other.clone();
        async move { other.campaign(Name::from("a")).await }
    });
    subject.pass(Duration::from_millis(50)).await;
    expect(number, "a campaign while another leads ends", waiting.is_finished(), false);
    term.resign().await;
    match waiting.await {
        Ok(next) => drop(led(number, "the campaign that waited", next)),
        Err(_) => panic!("{number}: the campaign that waited panicked"),
    }
}

/// LE-02: of candidates that ask at the same time one leads, at any time. LE-03: with epochs that grow.
///
/// # Panics
/// If it does not hold.
pub async fn one_term_at_a_time<S: ElectorSubject>(subject: &S, candidates: usize) {
    let number = "LE-02";
    let mut asking = JoinSet::new();
    for elector in subject.candidates(candidates).await {
        let subject = subject.clone();
        asking.spawn(async move {
            let term = led(number, "a campaign", elector.campaign(Name::from("a")).await);
            let began = now();
            subject.pass(Duration::from_millis(20)).await;
            let epoch = term.epoch();
            let ended = now();
            term.resign().await;
            (epoch, began, ended)
        });
    }
    let mut terms = asking.join_all().await;
    terms.sort_unstable();
    expect(number, "terms of that many candidates", terms.len(), candidates);
    for pair in terms.windows(2) {
        if let [(older, _, ended), (newer, began, _)] = pair {
            assert!(newer > older && began >= ended, "{number}: two terms: answered {pair:?}");
        }
    }
}

/// LE-03: each epoch is greater than every earlier one of its name, also when the same elector leads again, and however
/// the term ended.
///
/// # Panics
/// If it does not hold.
pub async fn epochs_of_terms_grow<S: ElectorSubject>(subject: &S) {
    let number = "LE-03";
    let (one, other) = pair(subject).await;
    let mut newest = None;
    for (n, elector) in [&one, &one, &other, &one, &other, &other].into_iter().enumerate() {
        let term = led(number, "a campaign", elector.campaign(Name::from("a")).await);
        let epoch = term.epoch();
        assert!(Some(epoch) > newest, "{number}: an epoch after {newest:?}: answered {epoch:?}");
        newest = Some(epoch);
        if n % 2 == 0 { term.resign().await } else { drop(term) }
    }
}

/// LE-04: a term that was resigned is valid no more, for those who watch it, too, and has ended; LE-80: so is one that
/// was dropped. The name is free then.
///
/// # Panics
/// If it does not hold.
pub async fn resigned_is_over<S: ElectorSubject>(subject: &S) {
    let number = "LE-04";
    let (one, other) = pair(subject).await;
    let term = led(number, "a campaign", one.campaign(Name::from("a")).await);
    let watch = term.watch();
    expect(number, "what its watch says", (watch.is_valid(), watch.ended().is_requested()), (true, false));
    term.resign().await;
    expect(number, "after it was resigned", (watch.is_valid(), watch.ended().is_requested()), (false, true));
    expect(number, "its deadline after that", watch.deadline(), None);
    let next = once(number, "asking after it was resigned", &other, true).await;
    let watch = next.as_ref().map(Term::watch);
    drop(next);
    let ended = watch.map(|watch| (watch.is_valid(), watch.ended().is_requested()));
    expect(number, "after it was dropped", ended, Some((false, true)));
    drop(led(number, "a campaign after it was dropped", one.campaign(Name::from("a")).await));
}

/// LE-08: followers read who leads, its epoch, and the time to the end of its lease.
///
/// # Panics
/// If it does not hold.
pub async fn followers_read<S: ElectorSubject>(subject: &S) {
    let number = "LE-08";
    let (one, other) = pair(subject).await;
    let read = async |what: &str| match other.leader(Name::from("a")).await {
        Ok(leader) => leader,
        Err(error) => panic!("{number}: {what}: expected an answer, failed with {error}"),
    };
    expect(number, "who leads before anybody does", read("before").await, None);
    let term = led(number, "a campaign", one.campaign(Name::from("a")).await);
    let leader = read("while it leads").await;
    let shown = leader.as_ref().map(|leader| (leader.epoch, leader.left <= one.pace().ttl));
    expect(number, "who leads", shown, Some((term.epoch(), true)));
    term.resign().await;
    expect(number, "who leads after it was resigned", read("after").await, None);
}

/// LE-08: names that cannot be are refused.
///
/// # Panics
/// If it does not hold.
pub async fn names_are_checked<S: ElectorSubject>(subject: &S) {
    let (one, _) = pair(subject).await;
    for name in [String::new(), "a\nb".to_owned(), "n".repeat(101)] {
        let refused = (
            matches!(one.campaign(Name::from(name.clone())).await, Err(ElectionError::Request(_))),
            matches!(one.try_campaign(Name::from(name.clone())).await, Err(ElectionError::Request(_))),
            matches!(one.leader(Name::from(name.clone())).await, Err(ElectionError::Request(_))),
        );
        expect("LE-08", &format!("whether {name:?} is refused"), refused, (true, true, true));
    }
    let longest = one.try_campaign(Name::from("n".repeat(100))).await;
    expect("LE-08", "a name of 100 bytes", longest.is_ok_and(|term| term.is_some()), true);
}

/// LE-09: in the same process, too, one leads, and the second waits as any other candidate.
///
/// # Panics
/// If it does not hold.
pub async fn same_process_waits<S: ElectorSubject>(subject: &S) {
    let number = "LE-09";
    let (one, _) = pair(subject).await;
    let term = led(number, "a campaign", one.campaign(Name::from("a")).await);
    once(number, "asking again, in the same process", &one, false).await;
    let waiting = tokio::spawn({
        let one = one.clone();
        async move { one.campaign(Name::from("a")).await }
    });
    subject.pass(Duration::from_millis(50)).await;
    expect(number, "whether a second campaign ends", (waiting.is_finished(), term.is_valid()), (false, true));
    term.resign().await;
    match waiting.await {
        Ok(next) => drop(led(number, "the campaign that waited", next)),
        Err(_) => panic!("{number}: the campaign that waited panicked"),
    }
}
