use std::future::{Future, pending, ready};

use seaworthy::{BoxError, Deadline, DeadlineStage, Rejected, StackError, Timeout};
use tokio::time::{Duration, advance};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::{MS, Told, stage};

type Answer = Result<(), BoxError>;

fn hangs() -> impl Future<Output = Answer> {
    pending()
}

/// How a call that hangs ends: the stage of its deadline, or none if it was the timeout's own limit; and when.
async fn ends(deadline: Duration, limit: Duration) -> (Option<DeadlineStage>, Duration) {
    let start = crate::support::now();
    let result = Deadline::within(deadline).scope(Timeout::new(limit).run(hangs())).await;
    let is_own = matches!(result.as_ref().unwrap_err().rejected(), Some(Rejected::TimedOut { .. }));
    let stage = stage(result);
    assert_ne!(is_own, stage.is_some());
    (stage, start.elapsed())
}

/// DL-05: the earlier of both ends the call; where they fall together, it had all the time that it was promised.
#[tokio::test(start_paused = true)]
async fn dl_05_the_earlier_ends_the_call() {
    assert_eq!(ends(5 * MS, 9 * MS).await, (Some(DeadlineStage::Attempt), 5 * MS));
    assert_eq!(ends(9 * MS, 5 * MS).await, (None, 5 * MS));
    assert_eq!(ends(5 * MS, 5 * MS).await, (None, 5 * MS));
    assert_eq!(ends(5 * MS, Duration::MAX).await, (Some(DeadlineStage::Attempt), 5 * MS));
    assert_eq!(ends(Duration::MAX, 5 * MS).await, (None, 5 * MS));
    // Without waiting for a timer that would round it up.
    assert_eq!(ends(Duration::ZERO, 5 * MS).await, (Some(DeadlineStage::Attempt), Duration::ZERO));
    assert_eq!(ends(Duration::ZERO, Duration::ZERO).await, (None, Duration::ZERO));
}

/// DL-05: without a deadline, or outside its scope, the timeout is what it was.
#[tokio::test(start_paused = true)]
async fn dl_05_outside_of_a_scope() {
    let mut call = spawn(Timeout::new(5 * MS).run(hangs()));
    assert_pending!(call.poll());
    let _passed = Deadline::within(Duration::ZERO);
    advance(4 * MS).await;
    assert_pending!(call.poll());
    advance(MS).await;
    assert!(matches!(assert_ready!(call.poll()).unwrap_err().rejected(), Some(Rejected::TimedOut { .. })));
}

/// DL-05: an answer that is there wins over both.
#[tokio::test(start_paused = true)]
async fn dl_05_an_answer_wins() {
    let (passed, timeout) = (Deadline::within(Duration::ZERO), Timeout::new(Duration::ZERO));
    passed.scope(timeout.run(ready(Answer::Ok(())))).await.unwrap();
    let deadline = Deadline::within(5 * MS);
    let (answer, answered) = tokio::sync::oneshot::channel();
    let answers = async { answered.await.map_err(BoxError::from) };
    let mut call = spawn(deadline.scope(Timeout::new(9 * MS).run(answers)));
    assert_pending!(call.poll());
    advance(6 * MS).await;
    answer.send(()).unwrap();
    assert_ready!(call.poll()).unwrap();
}

/// DL-05: the time is what remains at the first poll that returned pending, not at `call`.
#[tokio::test(start_paused = true)]
async fn dl_05_a_layer_and_a_late_first_poll() {
    let told = Told::default();
    let timeout = Timeout::builder(Duration::MAX).name("calls").observer(told.clone()).build().unwrap();
    let service = ServiceBuilder::new().layer(timeout.layer()).service(service_fn(|()| hangs()));
    let mut call = spawn(Deadline::within(5 * MS).scope(service.oneshot(())));
    assert_pending!(call.poll());
    advance(4 * MS).await;
    assert_pending!(call.poll());
    advance(MS).await;
    assert!(call.is_woken());
    assert_eq!(stage(assert_ready!(call.poll())), Some(DeadlineStage::Attempt));
    assert_eq!(told.take(), ["calls attempt 0ns"]);
}

/// Tells when it is dropped.
struct OnDrop(Told);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().push("dropped".into());
    }
}

/// DL-05: what was under way is dropped before anybody is told, with how late it is.
#[tokio::test(start_paused = true)]
async fn dl_05_told_after_the_drop() {
    let told = Told::default();
    let timeout = Timeout::builder(Duration::MAX).observer(told.clone()).build().unwrap();
    let inner = OnDrop(told.clone());
    let call = timeout.run(async move {
        let _inner = inner;
        hangs().await
    });
    let mut call = spawn(Deadline::within(5 * MS).scope(call));
    assert_pending!(call.poll());
    advance(7 * MS).await;
    assert_eq!(stage(assert_ready!(call.poll())), Some(DeadlineStage::Attempt));
    assert_eq!(told.take(), ["dropped", " attempt 2ms"]);
}
