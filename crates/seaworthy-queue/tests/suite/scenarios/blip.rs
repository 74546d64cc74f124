//! A store that is away for a moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use seaworthy::observe::Interest;
use seaworthy::{Event, Observer};
use seaworthy_queue::store::QueueStore;
use seaworthy_queue::{Consumer, Queue};

use super::support::{Calls, Number, Running, SECOND, counts, emptied, millis};

/// What became of the calls.
#[derive(Clone, Default)]
struct Ends {
    came_to_its_end: Arc<AtomicU32>,
    dropped: Arc<AtomicU32>,
    acked: Arc<AtomicU32>,
    lost: Arc<AtomicU32>,
}

impl Observer for Ends {
    fn on_event(&self, event: &Event<'_>) {
        let Event::Extension(event) = event else { return };
        let count = match event.kind() {
            "settled" => &self.acked,
            "lost" => &self.lost,
            _ => return,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    fn interest(&self) -> Interest {
        Interest::Calls
    }
}

/// Counts how a call ends.
struct Call {
    ends: Ends,
    came_to_its_end: bool,
}

impl Drop for Call {
    fn drop(&mut self) {
        let Ends { came_to_its_end, dropped, .. } = &self.ends;
        let count = if self.came_to_its_end { came_to_its_end } else { dropped };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// A job of 4 s, after two of which the store has a `blip`, is begun once, comes to its end, and is acked once. In real
/// time.
pub(crate) async fn survived<S: QueueStore>(store: S, blip: impl AsyncFnOnce()) {
    let ends = Ends::default();
    let queue = Queue::with_store("blips", store.clone()).request_timeout(SECOND).observer(ends.clone());
    let queue: Queue<Number, S> = queue.build().unwrap();
    let (calls, noted) = (Calls::default(), ends.clone());
    let service = calls.noted(move |number, _| {
        let mut call = Call { ends: noted.clone(), came_to_its_end: false };
        async move {
            let call = &mut call;
            tokio::time::sleep(if number == 0 { 4 * SECOND } else { millis(1) }).await;
            call.came_to_its_end = true;
            Ok(())
        }
    });
    let consumer = Consumer::new(queue.clone()).visibility(9 * SECOND).service(service);
    let running = Running::start(consumer);
    queue.enqueue(Number(0)).await.unwrap();
    while calls.len() == 0 {
        tokio::time::sleep(millis(10)).await;
    }
    tokio::time::sleep(2 * SECOND).await;
    blip().await;
    emptied(&store).await;
    // The store may have done it before the answer could be had.
    let told = || ends.acked.load(Ordering::Relaxed) + ends.lost.load(Ordering::Relaxed);
    for _ in 0..500 {
        if told() > 0 {
            break;
        }
        tokio::time::sleep(millis(20)).await;
    }
    assert_eq!((calls.attempts(0), counts(&store).await), (vec![1], (0, 0, 0, 0)));
    let ended = [&ends.came_to_its_end, &ends.dropped, &ends.acked, &ends.lost];
    assert_eq!(ended.map(|count| count.load(Ordering::Relaxed)), [1, 0, 1, 0], "ended, dropped, acked, lost");
    // It works as before.
    queue.enqueue(Number(1)).await.unwrap();
    while calls.len() == 1 {
        tokio::time::sleep(millis(10)).await;
    }
    running.end().await;
    assert_eq!(counts(&store).await, (0, 0, 0, 0));
}
