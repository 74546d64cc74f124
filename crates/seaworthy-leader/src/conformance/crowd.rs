use std::collections::HashSet;

use tokio::task::JoinSet;

use super::Subject;
use super::case::{BRIEF, CANDIDATE, Case, LONG, PAST, WHENEVER, bid};
use crate::store::{Acquired, LeaseStore, Renewal, Tenure};

/// LE-37: up to 500 leases are taken, and renewed, in one statement, each by itself, with the answers in the order
/// asked.
///
/// # Panics
/// If it does not hold.
pub async fn many_in_one_statement<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LE-37").await;
    let taken = case.granted("a bid", LONG, &bid("name 7"), 1, 0).await;
    let bids: Vec<_> = (0..500).map(|n| bid(&format!("name {n}"))).collect();
    let answers = case.acquire_all(&CANDIDATE, &bids, WHENEVER).await;
    for (n, answer) in answers.iter().enumerate() {
        match answer {
            Acquired::Held(row) if n == 7 => case.expect("the epoch of one that is held", row.epoch, 1),
            answer => case.expect(&format!("the answer to bid {n}"), (n == 7, answer), (false, &GRANTED)),
        }
    }
    let mut tenures: Vec<_> =
        bids.iter().map(|bid| Tenure { name: bid.name.clone(), epoch: 1, term: bid.term }).collect();
    tenures[499].epoch = 2;
    tenures.reverse();
    let answers = case.renew_all(&tenures, LONG * 2, WHENEVER).await;
    for (n, answer) in answers.into_iter().enumerate() {
        let expected = if n == 0 || n == 492 { Renewal::Lost } else { Renewal::Renewed };
        case.expect(&format!("the answer to renewal {n}"), answer, expected);
    }
    case.expect("a renewal of the one that was held", case.renew(&taken, LONG).await, Renewal::Renewed);
    case.expect("bids for nothing", case.acquire_all(&CANDIDATE, &[], WHENEVER).await, vec![]);
}

const GRANTED: Acquired = Acquired::Granted { epoch: 1, before: 0 };

/// LE-02: of any number of candidates at the same time one has each name, fresh, given back, and over; and no epoch is
/// given twice. 16 candidates of `names` names.
///
/// # Panics
/// If it does not hold.
pub async fn one_leader<S: Subject>(subject: &S, names: usize) {
    let case = Case::of(subject, "LE-02").await;
    let mut epochs = HashSet::new();
    for round in ["fresh", "given back", "over"] {
        let mut candidates = JoinSet::new();
        for _ in 0..16 {
            let store = case.store.clone();
            let bids: Vec<_> = (0..names).map(|n| bid(&format!("name {n}"))).collect();
            candidates.spawn(async move {
                let mut granted = Vec::new();
                // One by one and all at once, so that statements meet in different orders.
                for bid in &bids {
                    let answers = store.acquire(&CANDIDATE, std::slice::from_ref(bid), WHENEVER).await;
                    for answer in answers.map(|answers| answers.each).unwrap_or_default() {
                        if let Acquired::Granted { epoch, .. } = answer {
                            granted.push(Tenure { name: bid.name.clone(), epoch, term: bid.term });
                        }
                    }
                }
                granted
            });
        }
        let granted = candidates.join_all().await.concat();
        case.expect(&format!("leases of {names} names, {round}"), granted.len(), names);
        for tenure in granted {
            let is_new = epochs.insert((tenure.name.clone(), tenure.epoch));
            case.check(&format!("epochs, {round}"), &tenure, is_new);
            if round == "fresh" {
                case.release(&tenure).await;
            } else {
                case.expect("a renewal", case.renew(&tenure, BRIEF).await, Renewal::Renewed);
            }
        }
        case.pass(PAST).await;
    }
}
