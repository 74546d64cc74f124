use std::future::{Future, ready};
use std::pin::pin;
use std::task::{Poll, Waker};
use std::time::Duration;

use super::{Deadline, FAR};
use crate::bulkhead::handle::Bulkhead;
use crate::circuit_breaker::handle::CircuitBreaker;
use crate::error::BoxError;
use crate::rt::time::readings;

type Answer = Result<(), BoxError>;

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut std::task::Context::from_waker(Waker::noop()))
}

fn stack() -> impl Future<Output = Answer> {
    let bulkhead = Bulkhead::builder("b").limit(1).build().expect("valid");
    let circuit_breaker = CircuitBreaker::builder("c").build().expect("valid");
    async move { circuit_breaker.run(bulkhead.run(ready(Answer::Ok(())))).await }
}

/// without a deadline nobody reads the clock; with one that is far, it is read once for all that look within a
/// poll; with one that is near, each looks for itself.
#[tokio::test(start_paused = true)]
async fn x_07_clock_readings() {
    let (far, near) = (Deadline::within(FAR + Duration::from_nanos(1)), Deadline::within(FAR));
    assert_eq!(size_of::<super::Context>(), 16);
    for (deadline, expected) in [(Deadline::NEVER, 0), (far, 1), (near, 2)] {
        let call = stack();
        let (poll, read) = readings::during(|| poll_once(deadline.scope(call)));
        assert!(matches!(poll, Poll::Ready(Ok(()))));
        assert_eq!(read, expected, "{deadline:?}");
    }
}

/// a reading serves the poll in which it was made, and no later one.
#[tokio::test(start_paused = true)]
async fn x_05_a_reading_is_of_its_poll() {
    let deadline = Deadline::within(2 * FAR);
    let looks = async {
        stack().await.expect("in time");
        tokio::time::advance(2 * FAR).await;
        stack().await.expect_err("too late");
    };
    deadline.scope(looks).await;
}
