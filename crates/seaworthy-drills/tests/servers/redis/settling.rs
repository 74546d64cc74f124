use std::time::Duration;

use seaworthy_faults::proxy::{Direction, Proxy};
use seaworthy_queue::redis::{Redis, RedisStore};
use seaworthy_queue::store::{Cancelled, DeadLetters, Held, Holder, Producer, Settlement, Source, Take};

use super::support::{ACK, LONG, Space, accept, all, dead, holder, id, job, one, pass, retry, take};

/// Five things to do to a delivery. What it answers.
async fn attempt(queue: &Redis, operation: usize, holder: &Holder) -> Held {
    let settlement = match operation {
        0 => ACK,
        1 => retry(Duration::ZERO),
        2 => Settlement::Release,
        3 => dead("never"),
        _ => return queue.extend(std::slice::from_ref(holder), LONG).await.unwrap()[0],
    };
    queue.settle(holder, &settlement).await.unwrap()
}

/// QU-24: five operations by four kinds of stale owners: 20 of 20 change nothing, and the new owner's job is untouched.
#[tokio::test]
async fn stale_owners_change_nothing() {
    let brief = Duration::from_millis(60);
    let mut refused = 0;
    for operation in 0..5 {
        for kind in 0..4 {
            let space = Space::new().await;
            accept(&space.queue, &[job("a")]).await;
            let visibility = if kind == 0 { brief } else { LONG };
            let asked = Take { visibility, ..take(1) };
            let (_, old) = one(&space.queue, &asked).await;
            match kind {
                // Its lease is over, and another has it.
                0 => pass(brief * 2).await,
                // It has settled, and another has it.
                _ => assert_eq!(space.queue.settle(&old, &Settlement::Release).await.unwrap(), Held::Yes),
            }
            let (taken, new) = one(&space.queue, &take(1)).await;
            let stale = match kind {
                // Another's fence, or another's owner.
                2 => Holder { fence: new.fence, ..old.clone() },
                3 => Holder { owner: new.owner, ..old.clone() },
                _ => old,
            };
            assert_eq!(attempt(&space.queue, operation, &stale).await, Held::Lost, "{operation} {kind}");
            let depth = space.queue.depth().await.unwrap();
            assert_eq!((depth.ready, depth.later, depth.running, depth.dead), (0, 0, 1, 0), "{operation} {kind}");
            assert_eq!(taken.fence, 2);
            assert_eq!(space.queue.settle(&new, &ACK).await.unwrap(), Held::Yes);
            refused += 1;
        }
    }
    assert_eq!(refused, 20);
}

/// QU-65: with a limit of 3 it is started with the counts 1, 2, 3, and is dead then, and nothing is pending.
#[tokio::test]
async fn abandoned_three_times() {
    let space = Space::new().await;
    accept(&space.queue, &[job("a")]).await;
    let brief = Duration::from_millis(60);
    let asked = || Take { visibility: brief, max_deliveries: 3, ..take(1) };
    for count in 1..=3 {
        let taken = all(&space.queue, &asked()).await.pop().unwrap();
        assert_eq!((taken.attempt, taken.fence, taken.abandoned), (count, u64::from(count), count - 1));
        pass(brief * 2).await;
    }
    let received = space.queue.receive(&asked(), Duration::ZERO).await.unwrap();
    assert_eq!((received.jobs.len(), received.died), (0, vec![id("a")]));
    assert_eq!((space.pending(), space.consumers()), (0, 0));
    let dead = space.queue.get(&id("a")).await.unwrap().unwrap();
    assert_eq!((dead.attempts, &*dead.reason), (3, "was abandoned each time"));
}

/// QU-22: a read that waits hands out nothing that has been tried too often, either.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_waits_keeps_the_limit() {
    let space = Space::new().await;
    accept(&space.queue, &[job("a")]).await;
    let (_, held) = one(&space.queue, &take(1)).await;
    let queue = space.queue.clone();
    let asked = Take { max_deliveries: 1, ..take(4) };
    let waiting = tokio::spawn(async move { queue.receive(&asked, Duration::from_secs(5)).await });
    pass(Duration::from_millis(200)).await;
    assert_eq!(space.queue.settle(&held, &retry(Duration::ZERO)).await.unwrap(), Held::Yes);
    let received = waiting.await.unwrap().unwrap();
    assert_eq!((received.jobs.len(), received.died), (0, vec![id("a")]));
    let dead = space.queue.get(&id("a")).await.unwrap().unwrap();
    assert_eq!((dead.attempts, &*dead.reason), (1, "no luck"));
    assert_eq!((space.pending(), space.consumers()), (0, 0));
}

/// QU-66: extending keeps a job from others for longer than it was taken for, and costs no attempt.
#[tokio::test]
async fn extending_keeps() {
    let space = Space::new().await;
    accept(&space.queue, &[job("a")]).await;
    let brief = Duration::from_millis(300);
    let (_, held) = one(&space.queue, &Take { visibility: brief, ..take(1) }).await;
    for _ in 0..4 {
        pass(brief / 3).await;
        assert_eq!(space.queue.extend(std::slice::from_ref(&held), brief).await.unwrap(), [Held::Yes]);
        assert!(all(&space.queue, &take(1)).await.is_empty());
    }
    // A longer lease is kept by all, whatever theirs is.
    assert_eq!(space.queue.extend(std::slice::from_ref(&held), LONG).await.unwrap(), [Held::Yes]);
    pass(brief * 2).await;
    assert!(all(&space.queue, &Take { visibility: brief, ..take(1) }).await.is_empty());
    assert_eq!(space.queue.extend(std::slice::from_ref(&held), brief).await.unwrap(), [Held::Yes]);
    pass(brief + brief / 3).await;
    assert_eq!(space.queue.extend(std::slice::from_ref(&held), brief).await.unwrap(), [Held::Lost], "it is over");
    let (taken, _) = one(&space.queue, &take(1)).await;
    assert_eq!((taken.attempt, taken.abandoned), (2, 1));
}

/// A queue behind a proxy.
async fn behind_a_proxy(space: &Space) -> (Proxy, Redis) {
    let server = space.url().trim_start_matches("redis://").trim_end_matches('/').to_owned();
    let proxy = Proxy::to(&*server);
    let url = format!("redis://{}/", proxy.addr());
    let limit = Duration::from_millis(400);
    let store = RedisStore::builder(&url).accept_loss().request_timeout(limit).connect().await.unwrap();
    (proxy, Redis::new(&space.stream(), &store))
}

/// QU-93: a settlement whose answer was lost is done when it is sent again; another's, and one whose lease is over, is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer() {
    let space = Space::new().await;
    let (proxy, queue) = behind_a_proxy(&space).await;
    for settlement in [ACK, Settlement::Release, retry(LONG), dead("never")] {
        accept(&space.queue, &[job("a")]).await;
        let (_, held) = one(&queue, &take(1)).await;
        // The server knows the script from then on, so that what is dropped is the answer of the step itself.
        let nobody = Holder { owner: 0, ..held.clone() };
        assert_eq!(queue.settle(&nobody, &settlement).await.unwrap(), Held::Lost);
        proxy.drop_next(Direction::Down, 1);
        assert!(queue.settle(&held, &settlement).await.unwrap_err().is_unavailable());
        proxy.heal();
        assert_eq!(space.queue.settle(&held, &settlement).await.unwrap(), Held::Lost, "whoever did not send it");
        assert_eq!(queue.settle(&held, &settlement).await.unwrap(), Held::Yes, "{settlement:?}");
        assert_eq!(queue.settle(&held, &settlement).await.unwrap(), Held::Lost, "once");
        let beside = ["later", "bodies", "dlq", "ids"].map(|what| space.beside(what));
        for key in [&space.stream()].into_iter().chain(&beside) {
            space.ask(&["DEL", key]);
        }
    }
    accept(&space.queue, &[job("b")]).await;
    let (_, held) = one(&queue, &Take { visibility: Duration::from_millis(600), ..take(1) }).await;
    proxy.drop_next(Direction::Down, 1);
    assert!(queue.settle(&held, &ACK).await.unwrap_err().is_unavailable());
    proxy.heal();
    pass(Duration::from_millis(700)).await;
    assert_eq!(queue.settle(&held, &ACK).await.unwrap(), Held::Lost, "others may have had it since");
}

/// QU-93: an asking whose answer was lost is given the same again, whichever of its requests it was, and costs nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_delivery() {
    let space = Space::new().await;
    let (proxy, queue) = behind_a_proxy(&space).await;
    accept(&space.queue, &[job("a"), job("b")]).await;
    let asked = take(1);
    // The server knows the script from then on.
    assert!(all(&queue, &take(0)).await.is_empty());
    proxy.drop_next(Direction::Down, 1);
    assert!(queue.receive(&asked, Duration::ZERO).await.unwrap_err().is_unavailable());
    proxy.heal();
    let again = Take { repeats: true, ..asked };
    for _ in 0..2 {
        let taken = all(&queue, &again).await;
        assert_eq!(taken.len(), 1);
        assert_eq!((taken[0].id.as_str(), taken[0].attempt, taken[0].fence), ("a", 1, 1));
        let held = holder(&again, &taken[0]);
        assert_eq!(queue.extend(&[held], LONG).await.unwrap(), [Held::Yes]);
    }
}

/// QU-10, QU-11, QU-22: what is released keeps its place before what has come since, its attempt is given back, and its
/// fence grows; it can be cancelled, and its fence goes on to grow when it has died.
#[tokio::test]
async fn released_keep_their_place() {
    let space = Space::new().await;
    accept(&space.queue, &[job("a"), job("b"), job("c")]).await;
    for fence in 1..=3 {
        let (taken, held) = one(&space.queue, &take(1)).await;
        assert_eq!((taken.id.as_str(), taken.attempt, taken.abandoned, taken.fence), ("a", 1, 0, fence));
        assert_eq!(space.queue.settle(&held, &Settlement::Release).await.unwrap(), Held::Yes);
        assert_eq!(space.queue.settle(&held, &ACK).await.unwrap(), Held::Lost);
        let depth = space.queue.depth().await.unwrap();
        assert_eq!((depth.ready, depth.later, depth.running, depth.dead), (3, 0, 0, 0));
    }
    let (_, held) = one(&space.queue, &take(1)).await;
    assert_eq!(space.queue.settle(&held, &dead("never")).await.unwrap(), Held::Yes);
    let (taken, held) = one(&space.queue, &take(1)).await;
    assert_eq!(taken.id.as_str(), "b");
    assert_eq!(space.queue.settle(&held, &Settlement::Release).await.unwrap(), Held::Yes);
    assert_eq!(space.queue.cancel(&id("b")).await.unwrap(), Cancelled::Removed);
    assert!(space.queue.redrive(&id("a")).await.unwrap());
    let rest = all(&space.queue, &take(9)).await;
    let rest: Vec<_> = rest.iter().map(|taken| (taken.id.as_str(), taken.attempt, taken.fence)).collect();
    assert_eq!(rest, [("c", 1, 1), ("a", 1, 5)]);
}
