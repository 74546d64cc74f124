use std::sync::mpsc;

use seaworthy_leader::Local;
use seaworthy_store::time::sleep;

use super::start;
use crate::doubles::{Fault, Faulty, builder, candidate, millis, recorder, seconds};

/// LE-32: work that blocks its thread cannot be dropped: it is named, the row is not released, and the guard does not
/// campaign while it lives. When it lets go all goes on.
#[test]
fn le_32_blocked() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let local = Local::default();
    let (told, observer) = recorder();
    let store = Faulty::on(&local);
    let elector = builder(&store).ttl(seconds(1)).renew_every(millis(200)).request_timeout(millis(100));
    let elector = elector.retry_renew(millis(100)).stop_time(millis(100)).margin(millis(50)).poll(millis(100));
    let elector = elector.observer(observer).build().unwrap();
    let (let_go, blocked) = mpsc::channel::<()>();
    runtime.block_on(async {
        let mut blocked = Some(blocked);
        let running = start(&elector, move |_term| {
            let blocked = blocked.take();
            async move {
                if let Some(blocked) = blocked {
                    let _never = blocked.recv();
                }
                std::future::pending().await
            }
        });
        sleep(millis(500)).await;
        assert!(store.count("renew") >= 1 && running.watch.epoch().is_some());
        store.set_for("renew", Fault::Down);
        sleep(seconds(3)).await;
        let stuck = told.texts("work_stuck");
        assert_eq!(stuck.len(), 1, "{:?}", told.kinds());
        assert_eq!((store.count("release"), told.texts("elected").len()), (0, 1));
        // The ttl did it.
        let next = candidate(&local).0.try_campaign("a").await.unwrap();
        assert!(next.is_some());
        drop(next);
        store.heal();
        let_go.send(()).unwrap();
        while told.texts("elected").len() < 2 {
            sleep(millis(20)).await;
        }
        running.task.abort();
        elector.close().await;
    });
}

/// LE-32: work that can be dropped is gone when its term is over: it is neither stuck nor expired.
#[tokio::test(start_paused = true)]
async fn le_32_not_stuck() {
    let (told, observer) = recorder();
    let elector = builder(&Faulty::default()).observer(observer).build().unwrap();
    let running = start(&elector, |_term| std::future::pending());
    sleep(seconds(1)).await;
    elector.store().set(Fault::Down);
    sleep(seconds(60)).await;
    assert!(told.texts("work_stuck").is_empty() && told.texts("expired").is_empty());
    assert_eq!(told.texts("released"), ["epoch=1 end=released "]);
    running.task.abort();
}
