//! The events of probed targets.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seaworthy::BoxError;
use seaworthy::prober::{ProbePolicy, Prober, TargetPhase};

use super::Diary;
use crate::support::{MS, SECOND, pass};

fn prober(diary: &Diary) -> Prober {
    Prober::builder().observer(diary.clone()).build().unwrap()
}

pub(super) fn policy() -> ProbePolicy {
    let builder = ProbePolicy::builder().interval(SECOND).timeout(100 * MS).start_period(Duration::ZERO);
    builder.failure_threshold(2).build().unwrap()
}

/// Succeeds, then fails, then hangs for ever.
pub(super) fn script() -> impl Fn() -> std::pin::Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>> + Send + Sync
{
    let runs = Arc::new(AtomicU32::new(0));
    move || {
        let run = runs.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            match run {
                0 => Ok(()),
                1 => Err("down".into()),
                _ => pending().await,
            }
        })
    }
}

/// ME-16: a target reports its creation, each probe that counts with its outcome, each change, and its end.
#[tokio::test(start_paused = true)]
async fn from_the_start_to_the_end() {
    let diary = Diary::new(true);
    let prober = prober(&diary);
    let target = prober.add("t", policy(), script()).unwrap();
    assert!(prober.add("t", policy(), script()).is_err());
    prober.add("off", None, script()).unwrap();
    assert_eq!(diary.take(), ["t added starting", "off added disabled"]);
    let task = prober.spawn();
    pass(MS).await;
    assert_eq!(diary.take(), ["t starting healthy", "t Success 0ns "]);
    pass(SECOND).await;
    assert_eq!(diary.take(), ["t Failure 0ns down"]);
    pass(SECOND + 100 * MS).await;
    assert_eq!(diary.take(), ["t healthy unhealthy", "t TimedOut 100ms timed out after 100ms"]);
    // The one in flight when the window ends does not count.
    pass(SECOND).await;
    target.set_phase(TargetPhase::NotRunning);
    pass(SECOND).await;
    assert_eq!(diary.take(), ["t unhealthy unknown"]);
    assert!(target.remove() && !target.remove() && !prober.remove("t"));
    assert_eq!(diary.take(), ["t removed unknown"]);
    task.stop().await;
    assert_eq!(diary.take(), [""; 0]);
    // A target's handle keeps the prober alive.
    drop(prober);
    assert_eq!(diary.take(), [""; 0]);
    drop(target);
    assert_eq!(diary.take(), ["off removed disabled"]);
}

/// ME-16: an observer that does not want events of calls hears of changes only.
#[tokio::test(start_paused = true)]
async fn who_does_not_want_calls() {
    let diary = Diary::new(false);
    let prober = prober(&diary);
    let target = prober.add("t", policy(), script()).unwrap();
    let task = prober.spawn();
    pass(SECOND + MS).await;
    target.remove();
    task.stop().await;
    drop((target, prober));
    assert_eq!(diary.take(), ["t starting healthy"]);
}
