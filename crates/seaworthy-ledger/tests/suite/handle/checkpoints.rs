use std::io;

use seaworthy_ledger::{LedgerError, StepError};
use tokio::time::advance;

use super::{LEASE, key, ledger, mine};
use crate::doubles::Fault;

async fn fine<T>(value: T) -> Result<T, io::Error> {
    Ok(value)
}

/// WF-10: a step is done once for a key, whichever claim is at it; the next gets what it gave.
#[tokio::test(start_paused = true)]
async fn wf_10_once() {
    let (ledger, _) = ledger();
    let mut done = 0;
    for fence in 1..=3 {
        let claim = mine(&ledger, &key("a")).await;
        let steps = claim.checkpoints();
        let network: String = steps
            .run("network", || {
                done += 1;
                fine(format!("net-{fence}"))
            })
            .await
            .unwrap();
        assert_eq!(network, "net-1");
        assert!(claim.fail("later").await.unwrap().is_yes());
    }
    assert_eq!(done, 1);
}

/// WF-10: at the same time, in any order, of any type.
#[tokio::test(start_paused = true)]
async fn wf_10_together() {
    let (ledger, _) = ledger();
    let claim = mine(&ledger, &key("a")).await;
    let steps = claim.checkpoints();
    let (one, other) =
        tokio::join!(steps.run("one", || fine(vec![1_u8])), steps.run("other", || fine(Some("text".to_owned()))));
    assert_eq!((one.unwrap(), other.unwrap()), (vec![1], Some("text".to_owned())));
}

/// WF-11: who has lost the work keeps no step, and is told; a step that is there is given whoever wrote it.
#[tokio::test(start_paused = true)]
async fn wf_11_lost() {
    let (ledger, store) = ledger();
    let other = seaworthy_ledger::Ledger::with_store("other", store).build().unwrap();
    let mut old = mine(&ledger, &key("a")).await;
    old.begin();
    advance(LEASE).await;
    let new = mine(&other, &key("a")).await;
    let late = old.checkpoints().run("disk", || fine(1)).await;
    assert!(matches!(late, Err(StepError::Lost)));
    assert_eq!(new.checkpoints().run("disk", || fine(2)).await.unwrap(), 2);
    // The old one reads what the new one wrote.
    assert_eq!(old.checkpoints().run("disk", || fine(3)).await.unwrap(), 2);
}

/// WF-12: a step that did not end is done again, with the same key for remotes.
#[tokio::test(start_paused = true)]
async fn wf_12_again() {
    let (ledger, store) = ledger();
    let claim = mine(&ledger, &key("a")).await;
    let steps = claim.checkpoints();
    let first = steps.idempotency_key("network");
    let failed = steps.run::<u8, _, _>("network", || async { Err(io::Error::other("no")) }).await;
    assert!(matches!(failed, Err(StepError::Step(_))));
    // It may be tried again in the same run, because it failed; and a drop frees the name, too.
    let mut hung = Box::pin(steps.run::<u8, io::Error, _>("network", std::future::pending));
    assert!(tokio_test::task::spawn(hung.as_mut()).poll().is_pending());
    drop(hung);
    assert_eq!(steps.run("network", || fine(7)).await.unwrap(), 7);
    assert!(claim.fail("x").await.unwrap().is_yes());
    let claim = mine(&ledger, &key("a")).await;
    assert_eq!(claim.checkpoints().idempotency_key("network"), first);
    assert_ne!(claim.checkpoints().idempotency_key("disk"), first);
    assert_ne!(claim.idempotency_key(), first);
    // A store that is down before a step: the step is not begun.
    store.set(Fault::Down);
    let down = claim.checkpoints().run::<u8, io::Error, _>("disk", || async { panic!("begun") }).await;
    assert!(matches!(down, Err(StepError::Ledger(error)) if error.is_unavailable()));
}

/// WF-13: the same name twice in a run is an error, and so is a result of another type; neither does the step.
#[tokio::test(start_paused = true)]
async fn wf_13_twice() {
    let (ledger, _) = ledger();
    let claim = mine(&ledger, &key("a")).await;
    let steps = claim.checkpoints();
    assert_eq!(steps.run("disk", || fine("text".to_owned())).await.unwrap(), "text");
    let twice = steps.clone().run::<String, io::Error, _>("disk", || async { panic!("begun") }).await;
    assert_eq!(twice.unwrap_err().to_string(), "step: name is \"disk\", must be new in each run");
    let other = claim.checkpoints().run::<u32, io::Error, _>("disk", || async { panic!("begun") }).await;
    // CO-24: nothing of what is kept is told.
    assert_eq!(
        other.unwrap_err().to_string(),
        "the step's result: what is kept is JSON of something else, line 1 column 6"
    );
    for name in ["", "a\n", &"n".repeat(101)] {
        assert!(matches!(steps.run(name, || fine(1)).await, Err(StepError::Name(_))));
    }
}

/// WF-10: a result that is too large is not kept, and the step's caller is told.
#[tokio::test(start_paused = true)]
async fn wf_10_too_large() {
    let ledger = seaworthy_ledger::Ledger::memory("tests").max_result(4).build().unwrap();
    let claim = mine(&ledger, &key("a")).await;
    let large = claim.checkpoints().run("disk", || fine("123".to_owned())).await;
    assert!(matches!(large, Err(StepError::Ledger(LedgerError::TooLarge { size: 5, limit: 4 }))));
    assert_eq!(claim.checkpoints().run("net", || fine("12".to_owned())).await.unwrap(), "12");
}

/// WF-15: steps go with their row, and those that nobody asks for are in nobody's way.
#[tokio::test(start_paused = true)]
async fn wf_15_removed() {
    let (ledger, _) = ledger();
    let claim = mine(&ledger, &key("a")).await;
    claim.checkpoints().run("old step", || fine(1)).await.unwrap();
    assert!(claim.fail("x").await.unwrap().is_yes());
    let claim = mine(&ledger, &key("a")).await;
    claim.checkpoints().run("new step", || fine(2)).await.unwrap();
    assert!(claim.complete("x").await.unwrap().is_yes());
    advance(8 * 24 * 60 * LEASE).await;
    assert_eq!(ledger.sweep().await.unwrap(), 1);
    let claim = mine(&ledger, &key("a")).await;
    assert_eq!(claim.checkpoints().run("old step", || fine(3)).await.unwrap(), 3);
}
