use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::clock::Clock;
use super::notifier::TimeoutNotifier;
use crate::context;
use crate::error::{DeadlineStage, Rejected, StackError};
use crate::observe::event::Limit;
use crate::rt::panic::polled_again;
use crate::rt::time::TimeUp;

pin_project! {
    /// The response future of [`TimeoutService`](super::TimeoutService), and what [`Timeout::run`](super::Timeout::run)
    /// returns.
    ///
    /// # Cancellation
    /// Dropping it drops the inner future. When the time is up, the poll that notices it drops the inner future.
    ///
    /// # Panics
    /// It needs tokio's timer as soon as it has to wait: if the inner future is pending and there is a limit, polling
    /// it panics outside a runtime with time enabled.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        call: Call<F>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = CallProj]
    enum Call<F> {
        Running { clock: Clock, notifier: TimeoutNotifier, #[pin] inner: F },
        GivenUp,
    }
}

impl<F> ResponseFuture<F> {
    #[inline]
    pub(super) fn new(inner: F, after: Option<Duration>, notifier: TimeoutNotifier) -> ResponseFuture<F> {
        ResponseFuture { call: Call::Running { clock: Clock::new(after), notifier, inner } }
    }
}

impl<F, T, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: StackError,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut call = self.project().call;
        match call.as_mut().project() {
            CallProj::Running { clock, notifier, inner } => {
                // The inner future comes first: a response that has arrived is never lost to the clock.
                if let Poll::Ready(result) = inner.poll(cx) {
                    return Poll::Ready(result);
                }
                let time_up = ready!(clock.poll(cx));
                let notifier = std::mem::take(notifier);
                call.set(Call::GivenUp);
                Poll::Ready(Err(given_up(&notifier, time_up).into()))
            }
            CallProj::GivenUp => polled_again("`ResponseFuture`"),
        }
    }
}

/// Reports that a call has had its time.
#[cold]
pub(crate) fn given_up(notifier: &TimeoutNotifier, time_up: TimeUp) -> Rejected {
    match time_up {
        TimeUp::Limit(after) => notifier.timed_out(Limit::Response, after),
        TimeUp::Deadline => notifier.deadline_exceeded(DeadlineStage::Attempt, context::late_by()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::BoxError;
    use crate::rt::time::readings;
    use crate::timeout::handle::Timeout;

    type Answer = Result<(), BoxError>;

    fn poll_twice<F: Future<Output = Answer> + Unpin>(inner: F) -> [Poll<bool>; 2] {
        let layer = Timeout::new(Duration::from_secs(1));
        let mut future = layer.run(inner);
        let cx = &mut Context::from_waker(std::task::Waker::noop());
        [(); 2].map(|()| Pin::new(&mut future).poll(cx).map(|answer| answer.is_ok()))
    }

    /// TO-03: a response on the first poll costs no clock read; waiting costs one, however often the future is polled.
    #[tokio::test]
    async fn who_waits_reads_the_clock_once() {
        let first = std::future::poll_fn(|_| Poll::Ready(Ok(())));
        assert_eq!(readings::during(|| poll_twice(first)), ([Poll::Ready(true); 2], 0));
        assert_eq!(readings::during(|| poll_twice(std::future::pending())), ([Poll::Pending; 2], 1));
    }

    /// A timeout's overhead counts once for each future of the stack around it.
    #[test]
    fn the_future_is_three_words_larger_than_the_inner_one() {
        let words = |bytes| bytes / size_of::<usize>();
        assert_eq!(words(size_of::<ResponseFuture<[usize; 9]>>()), 9 + 3);
    }
}
