//! A job that takes much longer than its visibility.

use std::time::Duration;

use seaworthy_queue::store::QueueStore;
use seaworthy_queue::{Consumer, Queue};

use super::support::{Calls, Counted, Number, Running, counts, emptied};

/// Two jobs, of which one waits and the other blocks its thread for several visibilities, are each begun once and done
/// once, while two others have nothing to do and look for more. In real time, with four threads at least.
pub(crate) async fn kept<S: QueueStore>(stores: [S; 3], visibility: Duration, work: Duration) {
    let calls = Calls::default();
    let service = calls.noted(move |number, _| async move {
        if number == 0 {
            tokio::time::sleep(work).await;
        } else {
            std::thread::sleep(work);
        }
        Ok(())
    });
    let stores = stores.map(Counted::new);
    let queues = stores.clone().map(|store| {
        let queue = Queue::with_store("slow", store).request_timeout(visibility / 4);
        queue.build().unwrap()
    });
    for number in 0..2 {
        queues[0].enqueue(Number(number)).await.unwrap();
    }
    let running =
        queues.map(|queue| Running::start(Consumer::new(queue).visibility(visibility).service(service.clone())));
    tokio::time::sleep(work - visibility / 2).await;
    assert_eq!((counts(&stores[0]).await, calls.len()), ((0, 0, 2, 0), 2));
    emptied(&stores[0]).await;
    assert_eq!((calls.attempts(0), calls.attempts(1)), (vec![1], vec![1]));
    assert_eq!(counts(&stores[0]).await, (0, 0, 0, 0));
    let looks: Vec<u32> = stores.iter().map(Counted::receives).collect();
    assert!(looks.iter().all(|looks| *looks >= 3), "they did not look for it: {looks:?}");
    for running in running {
        running.end().await;
    }
}
