//! Every order of the four layers, dropped at every await point: none of them loses anything.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio_test::task::spawn;

use super::*;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Retry,
    CircuitBreaker,
    BulkheadService,
    Timeout,
}

/// All 24, from the outermost to the innermost.
fn orders() -> Vec<Vec<Part>> {
    [Part::Retry, Part::CircuitBreaker, Part::BulkheadService, Part::Timeout].iter().fold(
        vec![vec![]],
        |orders, part| {
            let insert = |order: &Vec<Part>, at| [&order[..at], &[*part], &order[at..]].concat();
            orders.iter().flat_map(|order| (0..=order.len()).map(move |at| insert(order, at))).collect()
        },
    )
}

impl Parts {
    fn in_order(&self, order: &[Part], inner: Boxed<Arc<()>>) -> Boxed<Arc<()>> {
        order.iter().rev().fold(inner, |inner, part| {
            let stack = ServiceBuilder::new();
            match part {
                Part::Retry => stack.layer(self.retry.layer()).service(inner).boxed_clone(),
                Part::CircuitBreaker => stack.layer(self.circuit_breaker.layer()).service(inner).boxed_clone(),
                Part::BulkheadService => stack.layer(self.bulkhead.layer()).service(inner).boxed_clone(),
                Part::Timeout => stack.layer(self.timeout.layer()).service(inner).boxed_clone(),
            }
        })
    }
}

/// How each call of the backend ends, unless it is dropped.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Answer,
    Error,
    Panic,
    Never,
}

/// What it panics with.
struct OnPurpose;

/// Not ready at once, and answers late. It counts what is alive.
#[derive(Debug)]
struct Slow {
    alive: Arc<()>,
    end: End,
    asked: bool,
    ready: bool,
}

impl Clone for Slow {
    fn clone(&self) -> Slow {
        Slow { alive: Arc::clone(&self.alive), end: self.end, asked: false, ready: false }
    }
}

impl Service<Arc<()>> for Slow {
    type Response = &'static str;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<&'static str, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.ready = std::mem::replace(&mut self.asked, true);
        if self.ready {
            return Poll::Ready(Ok(()));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn call(&mut self, request: Arc<()>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without being ready");
        self.asked = false;
        let (alive, end) = (Arc::clone(&self.alive), self.end);
        Box::pin(async move {
            let _held = (alive, request);
            pause().await;
            match end {
                End::Answer => Ok("fine"),
                End::Error => Err("broken".into()),
                // Like `panic!`, but without a message.
                End::Panic => resume_unwind(Box::new(OnPurpose)),
                End::Never => std::future::pending().await,
            }
        })
    }
}

/// Pending once.
async fn pause() {
    let mut polled = false;
    std::future::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// With an await point between each of the steps of a call.
async fn call(mut service: Boxed<Arc<()>>, request: Arc<()>) -> Result<&'static str, BoxError> {
    service.ready().await?;
    pause().await;
    let response = service.call(request);
    drop(service);
    pause().await;
    response.await
}

#[derive(Clone, Copy, Debug)]
struct Story {
    end: End,
    half_open: bool,
    /// Another call has the permit for this many polls; after one of them, it is free again between readiness and call.
    slot_after: usize,
    /// Then it is dropped.
    polls: usize,
}

/// Returns whether the call ended before it was dropped.
async fn drive(order: &[Part], story: Story) -> bool {
    let Story { end, half_open, slot_after, polls } = story;
    let parts = Parts::new(3, Some(QUEUE));
    if half_open {
        parts.trip();
        advance(OPEN).await;
    }
    let (alive, request) = (Arc::new(()), Arc::new(()));
    let slow = Slow { alive: Arc::clone(&alive), end, asked: false, ready: false };
    let mut permit = Some(parts.bulkhead.try_acquire().unwrap());
    let mut call = spawn(call(parts.in_order(order, BoxCloneService::new(slow)), Arc::clone(&request)));
    let mut ended = false;
    for poll in 0..polls {
        if poll == slot_after {
            permit = None;
        }
        // The executor may drop the future of a call that panicked much later.
        ended = match catch_unwind(AssertUnwindSafe(|| call.poll())) {
            Ok(poll) => poll.is_ready(),
            Err(panic) if panic.is::<OnPurpose>() => true,
            Err(panic) => resume_unwind(panic),
        };
        if ended {
            break;
        }
        advance(6 * MS).await;
    }
    if ended {
        drop(permit);
        parts.assert_whole(&(order, story, "ended")).await;
        drop(call);
    } else {
        drop(call);
        drop(permit);
        parts.assert_whole(&(order, story)).await;
    }
    let counts = (Arc::strong_count(&alive), Arc::strong_count(&request));
    assert_eq!(counts, (1, 1), "{order:?}, {story:?}");
    ended
}

/// Whatever the order, however the backend ends, whether the call is a probe and whether it has to wait for a permit:
/// dropped after any number of polls, it leaves nothing behind.
#[tokio::test(start_paused = true)]
async fn every_order_dropped_at_every_await_point() {
    let orders = orders();
    assert_eq!(orders.len(), 24);
    for order in &orders {
        for end in [End::Answer, End::Error, End::Panic, End::Never] {
            for half_open in [false, true] {
                for slot_after in [0, 1, 4, usize::MAX] {
                    let mut polls = 0;
                    while !drive(order, Story { end, half_open, slot_after, polls }).await {
                        polls += 1;
                        assert!(polls < 60, "it ends: {order:?}, {end:?}");
                    }
                }
            }
        }
    }
}
