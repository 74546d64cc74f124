use std::time::Duration;

use seaworthy_queue::store::{Held, Source};

use super::{ACK, Clock, Directory, VISIBILITY, accept, counts, ids, job, one, opened, received, settled, take};

const MOMENT: Duration = Duration::from_micros(1);

/// CO-22, QU-10: a machine's clock that is stepped forward ends leases early, and not a moment before they are over by
/// it; whoever held one is refused.
#[tokio::test]
async fn stepped_forward() {
    let (directory, clock) = (Directory::new(), Clock::new());
    let engine = opened(clock.of(directory.builder())).await;
    accept(&engine, &[job("a")]).await;
    let (old, _) = one(&engine).await;
    clock.forward(VISIBILITY - MOMENT);
    assert_eq!(received(&engine, &take(1)).await.next_due, Some(MOMENT));
    assert!(ids(&engine, 1).await.is_empty());
    clock.forward(MOMENT);
    // Over, and nobody took it: it cannot be extended.
    assert_eq!(engine.extend(std::slice::from_ref(&old), VISIBILITY).await.expect("up"), [Held::Lost]);
    let (new, taken) = one(&engine).await;
    assert_eq!((taken.attempt, taken.abandoned, old.fence, new.fence), (2, 1, 1, 2));
    assert_eq!(settled(&engine, &old, &ACK).await, Held::Lost);
    assert_eq!(settled(&engine, &new, &ACK).await, Held::Yes);
}

/// CO-22: a machine's clock that is stepped back by less than a lease, or by just that, keeps the lease, and it can be
/// extended.
#[tokio::test]
async fn stepped_back_a_little() {
    for step in [MOMENT, VISIBILITY / 2, VISIBILITY] {
        let (directory, clock) = (Directory::new(), Clock::new());
        let engine = opened(clock.of(directory.builder())).await;
        accept(&engine, &[job("a")]).await;
        let (held, _) = one(&engine).await;
        clock.back(step);
        assert!(ids(&engine, 1).await.is_empty(), "{step:?}");
        assert_eq!(engine.extend(std::slice::from_ref(&held), VISIBILITY).await.expect("up"), [Held::Yes]);
        // From now on it goes by the clock as it is now.
        clock.forward(VISIBILITY - MOMENT);
        assert!(ids(&engine, 1).await.is_empty(), "{step:?}");
        clock.forward(MOMENT);
        assert_eq!(ids(&engine, 1).await, ["a"]);
    }
}

/// CO-22: a machine's clock that is stepped back by more than a lease ends it, also after it was extended: the jobs are
/// handed out again, one of them at a time where there is room for one, and none waits for as long as the step was.
#[tokio::test]
async fn stepped_back_by_more_than_a_lease() {
    for is_extended in [false, true] {
        let (directory, clock) = (Directory::new(), Clock::new());
        let engine = opened(clock.of(directory.builder())).await;
        accept(&engine, &[job("a"), job("b")]).await;
        let (first, _) = one(&engine).await;
        let (other, _) = one(&engine).await;
        if is_extended {
            clock.forward(VISIBILITY / 3);
            let all = engine.extend(&[first.clone(), other.clone()], VISIBILITY).await.expect("up");
            assert_eq!(all, [Held::Yes, Held::Yes]);
        }
        clock.back(VISIBILITY + MOMENT);
        assert_eq!(engine.extend(std::slice::from_ref(&first), VISIBILITY).await.expect("up"), [Held::Lost]);
        let (again, taken) = one(&engine).await;
        assert_eq!((taken.attempt, taken.abandoned), (2, 1));
        assert_eq!(counts(&engine).await, (0, 0, 2, 0));
        let old = if again.id == first.id { &first } else { &other };
        assert_eq!(settled(&engine, old, &ACK).await, Held::Lost);
        assert_eq!(settled(&engine, &again, &ACK).await, Held::Yes);
        // What was not taken is settled all the same.
        let rest = if again.id == first.id { &other } else { &first };
        assert_eq!(settled(&engine, rest, &ACK).await, Held::Yes);
        assert!(ids(&engine, 9).await.is_empty());
    }
}

/// QU-06: a job that is due later waits for as long as the clock says, and times that were before a step back are none.
#[tokio::test]
async fn waits_are_not_below_zero() {
    let (directory, clock) = (Directory::new(), Clock::new());
    let engine = opened(clock.of(directory.builder())).await;
    accept(&engine, &[job("a")]).await;
    clock.back(MOMENT);
    assert_eq!(received(&engine, &take(1)).await.next_due, Some(MOMENT));
    assert_eq!(counts(&engine).await, (0, 1, 0, 0));
    clock.forward(MOMENT);
    let (_, taken) = one(&engine).await;
    assert_eq!(taken.waited, Duration::ZERO);
}
