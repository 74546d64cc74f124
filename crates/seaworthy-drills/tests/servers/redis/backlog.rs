use std::time::{Duration, Instant};

use seaworthy_queue::redis::Redis;
use seaworthy_queue::store::{Held, Settlement, Source, Take};

use super::support::{Space, accept, after, job, one, pass, take};

/// Takes one after the other until `wanted` comes. How many came before it.
async fn until_it_comes(queue: &Redis, wanted: &str) -> usize {
    let began = Instant::now();
    for before in 0.. {
        if one(queue, &take(1)).await.0.id.as_str() == wanted {
            return before;
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{before} came, and not {wanted}");
    }
    unreachable!("there is no end of numbers")
}

/// QU-15: while there is more that is new than there is room for, what another process released, what was abandoned and
/// what has become due comes before all of that is taken, and what was released or abandoned before most of it.
#[tokio::test]
async fn hides_nothing() {
    const MANY: usize = 3_000;
    let space = Space::new().await;
    let other = Redis::new(&space.stream(), &space.store);
    let brief = Take { visibility: Duration::from_millis(100), ..take(1) };
    accept(&space.queue, &[job("abandoned"), job("released")]).await;
    let (abandoned, _) = one(&other, &brief).await;
    let (_, released) = one(&other, &take(1)).await;
    assert_eq!(abandoned.id.as_str(), "abandoned");
    for some in (0..MANY).collect::<Vec<_>>().chunks(500) {
        let jobs: Vec<_> = some.iter().map(|number| job(&format!("new-{number}"))).collect();
        accept(&space.queue, &jobs).await;
    }
    pass(brief.visibility * 2).await;
    let queue = Redis::new(&space.stream(), &space.store);
    assert_eq!(until_it_comes(&queue, "abandoned").await, 0, "the first look is at everything");
    one(&queue, &take(1)).await;
    assert_eq!(other.settle(&released, &Settlement::Release).await.unwrap(), Held::Yes);
    let before = until_it_comes(&queue, "released").await;
    assert!(before < MANY / 2, "{before}");
    accept(&other, &[after("due", Duration::from_millis(1))]).await;
    pass(Duration::from_millis(60)).await;
    one(&queue, &take(1)).await;
    let depth = queue.depth().await.unwrap();
    assert_eq!((depth.later, depth.ready > 0), (0, true), "it is in the stream, behind what is new");
}
