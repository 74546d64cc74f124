use std::time::Duration;

use seaworthy_ledger::EntryState;
use seaworthy_ledger::Held;
use seaworthy_ledger::store::{Answer, LedgerStore, Renewal};

use super::{Clock, Directory, LEASE, attempt, done, granted, key, opened, settled};

const MOMENT: Duration = Duration::from_micros(1);

/// CO-22: a machine's clock that is stepped forward ends leases early; whoever held one is refused by the fence.
#[tokio::test]
async fn stepped_forward() {
    let (directory, clock) = (Directory::new(), Clock::new());
    let engine = opened(clock.of(directory.builder())).await;
    let first = granted(&engine, &key("a")).await;
    clock.forward(LEASE - MOMENT);
    assert_eq!(engine.claim(&attempt(&key("a"))).await.expect("up"), Answer::Busy { left: MOMENT });
    assert_eq!(engine.stale().await.expect("up"), 0);
    clock.forward(MOMENT);
    assert_eq!(engine.stale().await.expect("up"), 1);
    // Over, and nobody took it: it cannot be renewed.
    assert_eq!(engine.renew(&[(first.clone(), LEASE)]).await.expect("up"), [Renewal::Lost]);
    let second = granted(&engine, &key("a")).await;
    assert_eq!((first.fence, second.fence), (1, 2));
    assert_eq!(settled(&engine, &first, &done(b"old")).await, Held::Lost);
    assert_eq!(settled(&engine, &second, &done(b"new")).await, Held::Yes);
}

/// CO-22: a machine's clock that is stepped back by less than a lease, or by just that, keeps the lease, which is said
/// to last for no more than its length; it can be renewed.
#[tokio::test]
async fn stepped_back_a_little() {
    for step in [MOMENT, Duration::from_secs(30), LEASE] {
        let (directory, clock) = (Directory::new(), Clock::new());
        let engine = opened(clock.of(directory.builder())).await;
        let first = granted(&engine, &key("a")).await;
        clock.back(step);
        assert_eq!(engine.claim(&attempt(&key("a"))).await.expect("up"), Answer::Busy { left: LEASE }, "{step:?}");
        assert_eq!(engine.stale().await.expect("up"), 0);
        assert_eq!(engine.renew(&[(first.clone(), LEASE)]).await.expect("up"), [Renewal::Renewed]);
        // From now on it goes by the clock as it is now.
        clock.forward(LEASE - MOMENT);
        assert_eq!(engine.claim(&attempt(&key("a"))).await.expect("up"), Answer::Busy { left: MOMENT });
        clock.forward(MOMENT);
        assert_eq!(granted(&engine, &key("a")).await.fence, 2);
    }
}

/// CO-22: a machine's clock that is stepped back by more than a lease ends it, so that it does not last for as long as
/// the step was; also after the lease was renewed, from when it counts. The fence refuses whoever held it.
#[tokio::test]
async fn stepped_back_by_more_than_a_lease() {
    for renewed in [false, true] {
        let (directory, clock) = (Directory::new(), Clock::new());
        let engine = opened(clock.of(directory.builder())).await;
        let first = granted(&engine, &key("a")).await;
        let other = granted(&engine, &key("b")).await;
        if renewed {
            clock.forward(LEASE / 3);
            assert_eq!(engine.renew(&[(first.clone(), LEASE)]).await.expect("up"), [Renewal::Renewed]);
        }
        clock.back(LEASE + MOMENT);
        // The other's lease began a third of a lease earlier, and so is not over by this clock.
        let left = engine.stale().await.expect("up");
        assert_eq!(left, if renewed { 1 } else { 2 });
        let entry = engine.lookup(&key("a")).await.expect("up").expect("known");
        assert_eq!(entry.state, EntryState::Running { left: Duration::ZERO });
        assert_eq!(engine.renew(&[(first.clone(), LEASE)]).await.expect("up"), [Renewal::Lost]);
        let second = granted(&engine, &key("a")).await;
        assert_eq!(second.fence, 2);
        assert_eq!(settled(&engine, &first, &done(b"old")).await, Held::Lost);
        // What was not taken is settled all the same.
        assert_eq!(settled(&engine, &other, &done(b"done")).await, Held::Yes);
    }
}
