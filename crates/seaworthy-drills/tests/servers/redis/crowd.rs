use std::collections::BTreeMap;
use std::time::Duration;

use seaworthy_queue::redis::{Redis, RedisStore};
use seaworthy_queue::store::{Depth, Held, Source};
use tokio::task::JoinSet;

use super::support::{ACK, Space, accept, all, holder, job, pass, retry, take};

/// QU-26: 40 jobs that wait are moved by six at once: 40 distinct ones, none lost, none twice.
#[tokio::test(flavor = "multi_thread")]
async fn six_promoters() {
    let space = Space::new().await;
    let jobs: Vec<_> = (0..40).map(|number| job(&format!("j{number}"))).collect();
    accept(&space.queue, &jobs).await;
    let asked = take(40);
    let taken = all(&space.queue, &asked).await;
    assert_eq!(taken.len(), 40);
    for taken in &taken {
        let settled = space.queue.settle(&holder(&asked, taken), &retry(Duration::from_millis(300))).await.unwrap();
        assert_eq!(settled, Held::Yes);
    }
    assert_eq!(space.queue.depth().await.unwrap().later, 40);
    let mut promoters = JoinSet::new();
    for _ in 0..6 {
        let store = RedisStore::builder(space.url()).accept_loss().connect().await.unwrap();
        let queue = Redis::new(&space.stream(), &store);
        promoters.spawn(async move {
            let mut seen = Vec::new();
            for _ in 0..60 {
                let asked = take(3);
                for taken in all(&queue, &asked).await {
                    assert_eq!(queue.settle(&holder(&asked, &taken), &ACK).await.unwrap(), Held::Yes);
                    seen.push((taken.id.to_string(), taken.attempt));
                }
                pass(Duration::from_millis(10)).await;
            }
            seen
        });
    }
    let mut times = BTreeMap::new();
    for (id, attempt) in promoters.join_all().await.into_iter().flatten() {
        assert_eq!(attempt, 2);
        *times.entry(id).or_insert(0) += 1;
    }
    assert_eq!(times.len(), 40);
    assert!(times.values().all(|&times| times == 1), "{times:?}");
    assert_eq!(space.queue.depth().await.unwrap(), Depth::default());
    for key in ["later", "bodies", "ids"] {
        assert_eq!(space.number(&["EXISTS", &space.beside(key)]), 0, "{key}");
    }
}
