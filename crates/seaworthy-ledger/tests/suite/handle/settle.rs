use std::time::Duration;

use seaworthy_ledger::{Claimed, EntryState, Kept, LedgerError};
use seaworthy_store::time::{now, sleep};

use super::{LEASE, key, ledger, mine, settle_down, state};
use crate::doubles::Fault;

/// LG-09: a claim that is dropped is given back in the background; the grant does not count.
#[tokio::test(start_paused = true)]
async fn lg_09_dropped_before_the_work() {
    let (ledger, _) = ledger();
    drop(mine(&ledger, &key("a")).await);
    ledger.close().await;
    assert_eq!(state(&ledger, &key("a")).await, Some(EntryState::Failed));
    let again = mine(&ledger, &key("a")).await;
    assert_eq!((again.fence(), again.is_first()), (2, true));
}

/// LG-09: one whose work had begun is left to its lease.
#[tokio::test(start_paused = true)]
async fn lg_09_dropped_in_the_work() {
    let (ledger, store) = ledger();
    let mut claim = mine(&ledger, &key("a")).await;
    claim.begin();
    claim.hold();
    store.take_calls();
    drop(claim);
    ledger.close().await;
    assert!(store.take_calls().is_empty());
    assert!(matches!(ledger.claim(&key("a")).await.unwrap(), Claimed::Busy { retry_in } if retry_in == LEASE));
    sleep(LEASE).await;
    let again = mine(&ledger, &key("a")).await;
    assert_eq!((again.fence(), again.is_first()), (2, false));
}

/// LG-09: dropped outside of a runtime, it is left to its lease, and nothing panics.
#[test]
fn lg_09_dropped_outside() {
    let (ledger, store) = ledger();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let claim = runtime.block_on(async { mine(&ledger, &key("a")).await });
    drop(runtime);
    store.take_calls();
    drop(claim);
    assert!(store.take_calls().is_empty());
    assert_eq!(ledger.held(), 0);
}

/// LG-16: a result that is too large is refused before the store is asked, and the claim stays with the caller.
#[tokio::test(start_paused = true)]
async fn lg_16_too_large() {
    let store = crate::doubles::Faulty::default();
    let ledger = seaworthy_ledger::Ledger::with_store("tests", store.clone()).max_result(3).build().unwrap();
    let claim = mine(&ledger, &key("a")).await;
    store.take_calls();
    let (claim, error) = claim.complete("four").await.unwrap_err().into_parts();
    assert!(matches!(error, LedgerError::TooLarge { size: 4, limit: 3 }));
    assert!(store.take_calls().is_empty());
    assert!(claim.complete("two").await.unwrap().is_yes());
}

/// LG-08: a reason is cut at a character's boundary, within 1,024 bytes.
#[tokio::test(start_paused = true)]
async fn lg_08_long_reasons() {
    let (ledger, _) = ledger();
    let reason = format!("a{}", "é".repeat(600));
    assert!(mine(&ledger, &key("a")).await.fail(reason).await.unwrap().is_yes());
    let kept = ledger.lookup(&key("a")).await.unwrap().unwrap().reason.unwrap();
    assert_eq!((kept.len(), kept.chars().count()), (1_023, 512));
}

/// LG-16: what Postgres could not keep in a text is not in one.
#[tokio::test(start_paused = true)]
async fn lg_16_no_nul() {
    let (ledger, _) = ledger();
    let completion = seaworthy_ledger::Completion::new("x").content_type("a\0b");
    assert!(mine(&ledger, &key("a")).await.complete(completion).await.unwrap().is_yes());
    let Claimed::Done(record) = ledger.claim(&key("a")).await.unwrap() else { panic!("not done") };
    assert_eq!(record.kept, Kept::Result { bytes: "x".into(), content_type: "a\u{fffd}b".into() });
}

/// LG-08: what becomes longer because Postgres could not keep it is cut after that.
#[tokio::test(start_paused = true)]
async fn lg_08_nul_in_reasons() {
    let (ledger, _) = ledger();
    assert!(mine(&ledger, &key("a")).await.fail("\0".repeat(1_000)).await.unwrap().is_yes());
    let kept = ledger.lookup(&key("a")).await.unwrap().unwrap().reason.unwrap();
    assert_eq!((kept.len(), kept.chars().all(|c| c == '\u{fffd}')), (1_023, true));
}

/// CO-16: a settlement that has begun goes on when its future is dropped.
#[tokio::test(start_paused = true)]
async fn co_16_dropped_while_settling() {
    for fault in [Fault::Hangs, Fault::LosesAnswers] {
        let (ledger, store) = ledger();
        let claim = mine(&ledger, &key("a")).await;
        store.set(fault);
        let mut completing = tokio_test::task::spawn(claim.complete("x"));
        assert!(completing.poll().is_pending());
        drop(completing);
        settle_down().await;
        sleep(Duration::from_secs(10)).await;
        store.set(Fault::None);
        ledger.close().await;
        assert_eq!(state(&ledger, &key("a")).await, Some(EntryState::Done));
    }
}

/// CO-16, CO-15: it is tried again with waits that grow, to the end of the lease and no longer.
#[tokio::test(start_paused = true)]
async fn co_16_to_the_end_of_the_lease() {
    let (ledger, store) = ledger();
    let claim = mine(&ledger, &key("a")).await;
    store.set(Fault::Down);
    store.take_calls();
    claim.complete("x").await.unwrap_err().keep_trying();
    let begun = now();
    ledger.close().await;
    let (tries, took) = (store.take_calls().len(), begun.elapsed());
    assert!((12..=40).contains(&tries), "{tries}");
    assert!(took > LEASE - Duration::from_secs(6) && took <= LEASE, "{took:?}");
    store.set(Fault::None);
    assert!(matches!(state(&ledger, &key("a")).await, Some(EntryState::Running { .. })));
}

/// LG-07, LG-10: a settlement that is repeated because its answer was lost is recorded once, and says yes.
#[tokio::test(start_paused = true)]
async fn lg_10_repeated() {
    let (ledger, store) = ledger();
    let claim = mine(&ledger, &key("a")).await;
    store.set(Fault::LosesAnswers);
    let (claim, error) = claim.complete("x").await.unwrap_err().into_parts();
    assert!(error.is_unavailable());
    store.set(Fault::None);
    assert!(claim.complete("y").await.unwrap().is_yes());
    let Claimed::Done(record) = ledger.claim(&key("a")).await.unwrap() else { panic!("not done") };
    assert_eq!(record.result().unwrap(), "x");
}

/// LG-58: a refusal is not tried again: the claim is left to its lease.
#[tokio::test(start_paused = true)]
async fn a_refusal_is_not_repeated() {
    let (ledger, store) = ledger();
    let claim = mine(&ledger, &key("a")).await;
    store.set(Fault::Refused);
    store.take_calls();
    claim.complete("x").await.unwrap_err().keep_trying();
    ledger.close().await;
    assert_eq!(store.take_calls(), ["settle"]);
    assert_eq!(ledger.held(), 0);
}

/// LG-03: the other two ways to be done are told as what they are.
#[tokio::test(start_paused = true)]
async fn lg_03_done_otherwise() {
    use seaworthy_ledger::Completion;
    let (ledger, _) = ledger();
    assert!(mine(&ledger, &key("a")).await.complete(Completion::not_kept()).await.unwrap().is_yes());
    assert!(mine(&ledger, &key("b")).await.complete(Completion::failed_for_good("no")).await.unwrap().is_yes());
    for (name, expected) in [("a", Kept::Nothing), ("b", Kept::Failed("no".into()))] {
        let Claimed::Done(record) = ledger.claim(&key(name)).await.unwrap() else { panic!("not done") };
        assert_eq!((record.kept.clone(), record.result()), (expected, None));
    }
}

/// LG-18: the sweeper goes on until nothing is left that is due, and ends with the service.
#[tokio::test(start_paused = true)]
async fn lg_18_sweeper() {
    let (told, observer) = super::events::recorder();
    let ledger = seaworthy_ledger::Ledger::memory("tests").observer(observer).build().unwrap();
    for n in 0..2_500 {
        assert!(mine(&ledger, &key(&n.to_string())).await.complete("x").await.unwrap().is_yes());
    }
    let mut stale = mine(&ledger, &key("stale")).await;
    stale.begin();
    drop(stale);
    sleep(Duration::from_secs(7 * 24 * 60 * 60)).await;
    let runner = seaworthy::Runner::builder().signals([]).build().unwrap();
    runner.handle().start(ledger.sweeper()).unwrap();
    let (stop, run) = (runner.handle(), tokio::spawn(runner.run()));
    sleep(Duration::from_secs(12 * 60)).await;
    stop.stop();
    run.await.unwrap().unwrap();
    assert_eq!(told.swept(), Some((2_500, 1)));
    assert_eq!(state(&ledger, &key("0")).await, None);
    assert!(state(&ledger, &key("stale")).await.is_some());
}

/// LG-09: who completes or fails a claim says that the work was begun: if that cannot be recorded, and the claim is dropped
/// with its error, it is left to its lease and not given back as if nobody had done anything.
#[tokio::test(start_paused = true)]
async fn lg_09_dropped_unsettled() {
    for completes in [true, false] {
        let (ledger, store) = ledger();
        let claim = mine(&ledger, &key("a")).await;
        store.set_for("settle", Fault::Down);
        let settled = if completes { claim.complete("x").await } else { claim.fail("x").await };
        drop(settled.unwrap_err());
        store.heal();
        ledger.close().await;
        assert!(matches!(state(&ledger, &key("a")).await, Some(EntryState::Running { .. })));
        sleep(LEASE).await;
        assert!(!mine(&ledger, &key("a")).await.is_first());
    }
    // Whoever releases it says that it was not.
    let (ledger, store) = ledger();
    let claim = mine(&ledger, &key("a")).await;
    store.set_for("settle", Fault::Down);
    let unsettled = claim.release().await.unwrap_err();
    store.heal();
    drop(unsettled);
    ledger.close().await;
    assert!(mine(&ledger, &key("a")).await.is_first());
}

/// CO-24: what a claim is completed with is in no `Debug`: its length is.
#[test]
fn co_24_results_are_not_shown() {
    use seaworthy_ledger::Completion;
    use seaworthy_ledger::store::{Settlement, StepKept};
    let secret = bytes::Bytes::from_static(b"the secret");
    let done = Settlement::Done { result: secret.clone(), content_type: "text/plain".into(), keep: None };
    let completion = Completion::new(secret.clone()).content_type("text/plain");
    for text in [format!("{done:?}"), format!("{completion:?}"), format!("{:?}", StepKept::Stored(secret))] {
        assert!(!text.contains("secret") && text.contains("10 bytes"), "{text}");
    }
    let reason = format!("{:?}", Settlement::Failed { reason: "no".into(), keep: Some(LEASE) });
    assert!(reason.contains("\"no\"") && reason.contains("60s"), "{reason}");
}
