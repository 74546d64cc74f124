use std::time::Duration;

use tokio::task::JoinSet;

use crate::held_answer::Held;
use crate::key::Key;
use crate::record::EntryState;
use crate::store::{Answer, Attempt, Holder, LedgerStore, Renewal};

use super::Subject;
use super::case::{Case, LONG, PAST, ask, done, each_settlement, failed, named};

const MOST: usize = 500;

/// LG-06: a renewal moves the end of the lease to one lease from now, later or sooner.
///
/// # Panics
/// If it does not hold.
pub async fn renewal_moves_end<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LG-06").await;
    let key = named("renewed");
    let short = Duration::from_secs(2);
    let holder = case.granted("a claim", &Attempt { lease: short, ..ask(&key) }, 1, 1).await;
    case.expect("a renewal of what is held", case.renew(&holder, LONG).await, Renewal::Renewed);
    let left = case.busy("a claim after a renewal", &ask(&key)).await;
    case.check("the time left after a renewal is the new lease", left, left > LONG / 2 && left <= LONG);
    case.expect("another renewal", case.renew(&holder, short).await, Renewal::Renewed);
    let left = case.busy("a claim after another renewal", &ask(&key)).await;
    case.check("the time left after a shorter renewal", left, left <= short);
    let entry = case.entry(&key).await;
    case.expect("fence and grants are as before", (entry.fence, entry.grants), (1, 1));
    case.let_expire(&holder).await;
    case.granted("a claim after the shortest", &ask(&key), 2, 2).await;
}

/// LG-06: a lease that is over is not renewed, although nobody took it; nor is one with another fence, another owner,
/// or a key that is failed, done or unknown.
///
/// # Panics
/// If it does not hold.
pub async fn over_lease_is_not_renewed<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LG-06").await;
    let key = named("over");
    let first = case.first(&key).await;
    for wrong in strangers(&first) {
        case.expect(&format!("a renewal by {wrong:?}"), case.renew(&wrong, LONG).await, Renewal::Lost);
    }
    case.let_expire(&first).await;
    case.expect("a renewal that is late", case.renew(&first, LONG).await, Renewal::Lost);
    let second = case.granted("a claim after a late renewal", &ask(&key), 2, 2).await;
    case.expect("a renewal of what was taken", case.renew(&first, LONG).await, Renewal::Lost);
    case.expect("a renewal by who took it", case.renew(&second, LONG).await, Renewal::Renewed);
    case.settled(&second, &failed("no")).await;
    case.expect("a renewal of what failed", case.renew(&second, LONG).await, Renewal::Lost);
    case.expect("the state after it", case.entry(&key).await.state, EntryState::Failed);
    let third = case.granted("a claim of what failed", &ask(&key), 3, 3).await;
    case.settled(&third, &done("result")).await;
    case.expect("a renewal of what is done", case.renew(&third, LONG).await, Renewal::Lost);
    case.expect("the state after it", case.entry(&key).await.state, EntryState::Done);
}

/// Everything but the holder itself: fences that do not fit into 63 bits, too.
fn strangers(holder: &Holder) -> [Holder; 7] {
    let with = |fence: u64, owner: u128| Holder { key: holder.key.clone(), fence, owner };
    [
        with(holder.fence, holder.owner ^ 1),
        with(holder.fence, holder.owner ^ (1 << 127)),
        with(holder.fence - 1, holder.owner),
        with(holder.fence + 1, holder.owner),
        with(u64::MAX, holder.owner),
        with((1 << 63) + holder.fence, holder.owner),
        Holder { key: named("nobody's"), ..holder.clone() },
    ]
}

/// LG-06: up to 500 leases are renewed at once, each by itself, with the answers in the order asked.
///
/// # Panics
/// If it does not hold.
pub async fn many_renewals_at_once<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LG-06").await;
    case.expect("no renewals", case.renew_all(&[]).await.len(), 0);
    let mut holders = claimed(&case.store).await;
    holders.sort_by(|a, b| a.key.value().cmp(b.key.value()));
    let mut asked = Vec::new();
    let mut expected = Vec::new();
    for (number, holder) in holders.iter().enumerate() {
        let wrong = strangers(holder);
        // Every seventh is asked for by somebody else.
        match wrong.get(number / 7 % wrong.len()).filter(|_| number % 7 == 3) {
            Some(wrong) => asked.push((wrong.clone(), Duration::from_secs(1))),
            None => asked.push((holder.clone(), LONG * 2)),
        }
        expected.push(if number % 7 == 3 { Renewal::Lost } else { Renewal::Renewed });
    }
    case.expect("500 renewals in one", &case.renew_all(&asked).await, &expected);
    for (number, holder) in holders.iter().enumerate().step_by(50).chain(holders.iter().enumerate().skip(3).step_by(49))
    {
        let left = case.busy("a claim of what was renewed", &ask(&holder.key)).await;
        let renewed = expected.get(number) == Some(&Renewal::Renewed);
        let right = if renewed { left > LONG && left <= LONG * 2 } else { left > LONG / 2 && left <= LONG };
        case.check(&format!("the time left of number {number}, renewed: {renewed}"), left, right);
    }
}

async fn claimed<L: LedgerStore>(store: &L) -> Vec<Holder> {
    let mut claims = JoinSet::new();
    for worker in 0..10 {
        let store = store.clone();
        claims.spawn(async move {
            let mut holders = Vec::new();
            for number in (worker..MOST).step_by(10) {
                let attempt = ask(&numbered(number));
                match store.claim(&attempt).await {
                    Ok(Answer::Granted { fence, .. }) => {
                        holders.push(Holder { key: attempt.key, fence, owner: attempt.owner });
                    }
                    other => panic!("LG-06: one of 500 first claims: answered {other:?}"),
                }
            }
            holders
        });
    }
    claims.join_all().await.into_iter().flatten().collect()
}

fn numbered(number: usize) -> Key {
    named(&format!("{number:03}"))
}

/// LG-07: a claim whose lease is over and was not taken is settled all the same, in every way; one that was taken is
/// not.
///
/// # Panics
/// If it does not hold.
pub async fn over_lease_is_settled<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LG-07").await;
    let settlements = each_settlement();
    let mut over = Vec::new();
    for number in 0..settlements.len() {
        let taken = case.first(&named(&format!("taken {number}"))).await;
        let untaken = case.first(&named(&format!("untaken {number}"))).await;
        let brief = [(taken.clone(), Duration::from_millis(5)), (untaken.clone(), Duration::from_millis(5))];
        case.expect("renewals", case.renew_all(&brief).await, vec![Renewal::Renewed; 2]);
        over.push((taken, untaken));
    }
    case.pass(PAST).await;
    for ((taken, untaken), settlement) in over.iter().zip(&settlements) {
        let what = format!("{settlement:?} of a lease that is over and was not taken");
        case.expect(&what, case.settle(untaken, settlement).await, Held::Yes);
        let second = case.granted("a claim of a lease that is over", &ask(&taken.key), 2, 2).await;
        let what = format!("{settlement:?} of a lease that is over and was taken");
        case.expect(&what, case.settle(taken, settlement).await, Held::Lost);
        let state = case.entry(&taken.key).await.state;
        case.check("the state of what was taken", state, matches!(state, EntryState::Running { left } if left > PAST));
        case.expect("who took it completes", case.settle(&second, &done("result")).await, Held::Yes);
    }
}
