use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy_leader::Local;
use seaworthy_store::time::{Instant, now, sleep};

use super::{Running, start};
use crate::doubles::{Fault, Faulty, builder, millis};

/// Numbers that are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

type Spans = Arc<Mutex<Vec<(u64, Instant, Option<Instant>)>>>;

/// Work that listens, as a process: from when it begins to when it has stopped.
fn process(local: &Local, spans: &Spans) -> (Running, Faulty) {
    struct Open(Spans, usize);
    impl Drop for Open {
        fn drop(&mut self) {
            self.0.lock().unwrap()[self.1].2 = Some(now());
        }
    }
    let store = Faulty::on(local);
    let elector = builder(&store).build().unwrap();
    let spans = Arc::clone(spans);
    let running = start(&elector, move |term| {
        let spans = Arc::clone(&spans);
        async move {
            let at = {
                let mut spans = spans.lock().unwrap();
                spans.push((term.epoch().get(), now(), None));
                spans.len() - 1
            };
            let _open = Open(spans, at);
            term.ended().requested().await;
            // Its last step, which takes most of the stop time.
            sleep(millis(2_500)).await;
            assert!(term.is_valid(), "it stopped in time");
            Ok(())
        }
    });
    (running, store)
}

/// IN-16: three guards, 200 deaths, cuts and shutdowns: work that listens never runs twice at once, each term has a new
/// epoch, and nobody leads for no longer than the bound after the last one could.
#[tokio::test(start_paused = true)]
async fn in_16_no_overlaps() {
    for seed in 1..=5 {
        let (mut chance, local, spans) = (Chance(seed), Local::default(), Spans::default());
        let mut processes: Vec<_> = (0..3).map(|_| process(&local, &spans)).collect();
        for _ in 0..200 {
            sleep(Duration::from_millis(chance.below(12_000))).await;
            let leading = processes.iter().position(|(running, _)| running.watch.epoch().is_some());
            let victim = leading.unwrap_or(chance.below(3) as usize);
            match chance.below(4) {
                // Killed: its requests go nowhere, and its work is gone.
                0 => {
                    processes[victim].1.set(Fault::Hangs);
                    processes[victim].0.task.abort();
                    processes[victim] = process(&local, &spans);
                }
                // Ended in order.
                1 => {
                    let (running, _) = std::mem::replace(&mut processes[victim], process(&local, &spans));
                    running.trigger.fire();
                    running.task.await.unwrap().unwrap();
                }
                // Cut off for a while, one way or another.
                kind => {
                    let fault = if kind == 2 { Fault::Hangs } else { Fault::SlowAnswer(millis(chance.below(2_500))) };
                    processes[victim].1.set(fault);
                    sleep(Duration::from_millis(chance.below(25_000))).await;
                    processes[victim].1.heal();
                }
            }
        }
        let spans = spans.lock().unwrap().clone();
        assert!(spans.len() >= 60, "{}", spans.len());
        for pair in spans.windows(2) {
            let ((older, _, end), (newer, begin, _)) = (pair[0], pair[1]);
            assert!(newer > older && end.is_some_and(|end| end <= begin), "seed {seed}: {pair:?}");
        }
    }
}
