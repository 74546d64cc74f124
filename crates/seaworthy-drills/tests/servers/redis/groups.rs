use std::time::{Duration, Instant};

use seaworthy_queue::redis::{Redis, RedisStore};
use seaworthy_queue::store::{Held, Producer, Source, Take};
use tokio::time::timeout;

use super::support::{ACK, LONG, Space, accept, after, all, holder, job, one, pass, take};

/// QU-62: jobs that were there before the group are delivered; a group that is gone, and a server that was flushed, cost
/// nothing but what was in it.
#[tokio::test]
async fn a_group_that_is_gone_is_made_again() {
    let space = Space::new().await;
    accept(&space.queue, &[job("a")]).await;
    let asked = take(9);
    let (_, held) = one(&space.queue, &asked).await;
    assert_eq!(space.number(&["XGROUP", "DESTROY", &space.stream(), "seaworthy"]), 1);
    assert_eq!(space.queue.settle(&held, &ACK).await.unwrap(), Held::Lost);
    assert_eq!(space.queue.extend(std::slice::from_ref(&held), LONG).await.unwrap(), [Held::Lost]);
    let (_, held) = one(&space.queue, &take(9)).await;
    space.ask(&["DEL", &space.stream(), &space.beside("ids")]);
    assert_eq!(space.queue.settle(&held, &ACK).await.unwrap(), Held::Lost);
    assert_eq!(space.queue.depth().await.unwrap().ready, 0);
    accept(&space.queue, &[job("a")]).await;
    assert_eq!(all(&space.queue, &take(9)).await.len(), 1);
}

/// QU-62: it goes away under a read that waits, which is neither an error nor an end.
#[tokio::test(flavor = "multi_thread")]
async fn it_may_go_while_we_wait() {
    let space = Space::new().await;
    let queue = space.queue.clone();
    let waiting = tokio::spawn(async move { queue.receive(&take(1), Duration::from_secs(5)).await });
    pass(Duration::from_millis(200)).await;
    space.ask(&["DEL", &space.stream()]);
    pass(Duration::from_millis(100)).await;
    accept(&space.queue, &[job("a")]).await;
    let received = waiting.await.unwrap().unwrap();
    assert_eq!(received.jobs.len(), 1);
}

/// QU-63: askings leave no consumers behind, those that waited in vain, too.
#[tokio::test]
async fn consumers_do_not_pile_up() {
    let space = Space::new().await;
    for _ in 0..20 {
        let received = space.queue.receive(&take(1), Duration::from_millis(10)).await.unwrap();
        assert!(received.jobs.is_empty());
    }
    assert!(space.consumers() <= 1, "{}", space.consumers());
    accept(&space.queue, &[job("a"), job("b")]).await;
    let asked = take(2);
    let both = all(&space.queue, &asked).await;
    assert_eq!(space.consumers(), 1);
    for taken in &both {
        assert_eq!(space.queue.settle(&holder(&asked, taken), &ACK).await.unwrap(), Held::Yes);
    }
    assert_eq!(space.consumers(), 0);
}

/// QU-64: a read waits for longer than the driver would by itself, and has a job as soon as there is one.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_waits() {
    let space = Space::new().await;
    let queue = space.queue.clone();
    let waiting = tokio::spawn(async move { queue.receive(&take(1), Duration::from_secs(5)).await });
    pass(Duration::from_millis(1_500)).await;
    accept(&space.queue, &[job("a")]).await;
    let answered = timeout(Duration::from_millis(300), waiting).await;
    assert_eq!(answered.unwrap().unwrap().unwrap().jobs.len(), 1);
    // While it waits, everything else is answered.
    let queue = space.queue.clone();
    let waiting = tokio::spawn(async move { queue.receive(&take(1), Duration::from_secs(1)).await });
    pass(Duration::from_millis(50)).await;
    let began = Instant::now();
    space.queue.depth().await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(300));
    assert!(waiting.await.unwrap().unwrap().jobs.is_empty());
}

/// QU-64: a read that was dropped while it waited takes no job with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_read_takes_nothing() {
    let space = Space::new().await;
    for round in 0..5 {
        let asked = take(1);
        assert!(timeout(Duration::from_millis(100), space.queue.receive(&asked, LONG)).await.is_err());
        pass(Duration::from_millis(50)).await;
        accept(&space.queue, &[job(&format!("{round}"))]).await;
        let asked = take(1);
        let (_, held) = one(&space.queue, &asked).await;
        assert_eq!(space.queue.settle(&held, &ACK).await.unwrap(), Held::Yes);
    }
}

/// QU-06, QU-18: who waits has what becomes due, and what is abandoned, without anybody's asking anew.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_is_woken() {
    let space = Space::new().await;
    accept(&space.queue, &[after("a", Duration::from_millis(400))]).await;
    let began = Instant::now();
    let asked = Take { visibility: Duration::from_millis(600), ..take(1) };
    let received = space.queue.receive(&asked, Duration::from_secs(5)).await.unwrap();
    assert_eq!(received.jobs.len(), 1);
    assert!((300..1_200).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    // Nobody settles it.
    let began = Instant::now();
    let asked = Take { visibility: Duration::from_millis(600), ..take(1) };
    let received = space.queue.receive(&asked, Duration::from_secs(5)).await.unwrap();
    assert_eq!(received.jobs[0].abandoned, 1);
    assert!((500..1_200).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
}

/// QU-19: with 10,000 jobs running under live leases and one abandoned, it is found within two looks.
#[tokio::test]
async fn the_crowd_hides_nobody() {
    let space = Space::new().await;
    for thousand in 0..10 {
        let jobs: Vec<_> = (0..1_000).map(|number| job(&format!("{thousand}-{number}"))).collect();
        accept(&space.queue, &jobs).await;
    }
    let brief = Duration::from_millis(900);
    for thousand in 0..10 {
        if thousand == 6 {
            assert_eq!(all(&space.queue, &Take { visibility: brief, ..take(1) }).await[0].id.as_str(), "6-0");
        }
        let room = if thousand == 6 { 999 } else { 1_000 };
        assert_eq!(all(&space.queue, &take(room)).await.len(), usize::try_from(room).unwrap());
    }
    assert_eq!(space.pending(), 10_000);
    pass(brief).await;
    let mut found = Vec::new();
    for _ in 0..2 {
        let asked = Take { visibility: brief, ..take(9) };
        let began = Instant::now();
        found.extend(all(&space.queue, &asked).await.iter().map(|job| job.id.to_string()));
        println!("a look took {:?}", began.elapsed());
        pass(brief / 6).await;
    }
    assert_eq!(found, ["6-0"]);
}

/// QU-65: the store of another process does the same, and shares nothing but the server.
#[tokio::test]
async fn two_processes() {
    let space = Space::new().await;
    let other = RedisStore::builder(space.url()).accept_loss().connect().await.unwrap();
    let other = Redis::new(&space.stream(), &other);
    accept(&space.queue, &[job("a")]).await;
    let asked = take(1);
    let (taken, held) = one(&other, &asked).await;
    assert_eq!(space.queue.cancel(&taken.id).await.unwrap(), seaworthy_queue::store::Cancelled::Running);
    assert_eq!(space.queue.settle(&held, &ACK).await.unwrap(), Held::Yes);
    assert_eq!(other.settle(&held, &ACK).await.unwrap(), Held::Lost);
}
