use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::failure::FailureCause;
use crate::error::BoxError;
use crate::rt::panic::caught;

pub(super) type Outcome = Result<(), FailureCause>;
pub(super) type Boxed<'a, T = ()> = Pin<Box<dyn Future<Output = Result<T, FailureCause>> + Send + 'a>>;
/// Work of a task or a hook.
pub(super) type Work = Guarded<'static>;

/// Foreign code that may panic at any point: when polled and when dropped. The owner has to [`discard`](Work::discard)
/// it, or pass the panic on.
pub(super) struct Guarded<'a, T = ()>(Option<Boxed<'a, T>>);

impl Work {
    /// Calls `make` in the first poll, so that a panic there is the work's own.
    pub(super) fn of<M, F, E>(make: M) -> Work
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        Work::new(Box::pin(async move { make().await.map_err(|error| FailureCause::Error(error.into())) }))
    }
}

impl<'a, T> Guarded<'a, T> {
    pub(super) fn new(future: Boxed<'a, T>) -> Guarded<'a, T> {
        Guarded(Some(future))
    }

    /// Ready once, with the outcome; by then the future is gone.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, FailureCause>> {
        let Some(future) = &mut self.0 else { return Poll::Pending };
        match guarded(|| future.as_mut().poll(cx)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(outcome)) => Poll::Ready(self.discard().and(outcome)),
            Err(panic) => {
                // A second panic, from dropping what the first one left behind, says less than the first.
                let _ = self.discard();
                Poll::Ready(Err(panic))
            }
        }
    }

    /// Drops the future as it is. The only possible error is a panic.
    pub(super) fn discard(&mut self) -> Outcome {
        let future = self.0.take();
        guarded(|| drop(future))
    }
}

impl<T> Future for Guarded<'_, T> {
    type Output = Result<T, FailureCause>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Guarded::poll(self.get_mut(), cx)
    }
}

/// The future with its error boxed.
pub(super) fn boxed<'a, T, E: Into<BoxError>>(work: impl Future<Output = Result<T, E>> + Send + 'a) -> Boxed<'a, T> {
    Box::pin(async move { work.await.map_err(|error| FailureCause::Error(error.into())) })
}

/// Runs foreign code, and turns a panic into a value.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, FailureCause> {
    caught(work).map_err(FailureCause::Panicked)
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;
    use std::task::Waker;

    use super::*;

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("dropped");
            }
        }
    }

    fn outcome<F: Future<Output = Result<(), BoxError>> + Send + 'static>(
        make: impl FnOnce() -> F + Send + 'static,
    ) -> String {
        let mut work = Work::of(make);
        let mut cx = Context::from_waker(Waker::noop());
        let text = match work.poll(&mut cx) {
            Poll::Ready(Ok(())) => "ok".to_owned(),
            Poll::Ready(Err(cause)) => cause.to_string(),
            Poll::Pending => return "pending".to_owned(),
        };
        assert!(work.poll(&mut cx).is_pending(), "it ends once");
        assert!(work.discard().is_ok());
        text
    }

    /// RN-06: any panic, whatever its payload and wherever it came from, has a message.
    #[test]
    fn every_panic_has_a_message() {
        assert_eq!(outcome(|| async { Ok(()) }), "ok");
        assert_eq!(outcome(|| async { Err("no".into()) }), "failed: no");
        assert_eq!(outcome(std::future::pending), "pending");
        assert_eq!(outcome(|| async { panic!("fixed") }), "panicked: fixed");
        assert_eq!(outcome(|| async { panic!("made of {}", 2) }), "panicked: made of 2");
        assert_eq!(outcome(|| async { panic_any(7) }), "panicked: a panic without a message");
        assert_eq!(outcome(|| async { panic_any(Bomb) }), "panicked: a panic without a message");
        assert_eq!(outcome(|| -> std::future::Pending<_> { panic!("not even begun") }), "panicked: not even begun");
    }

    /// RN-06: a future that panics when it is dropped has panicked, whether it had ended or not.
    #[test]
    fn panics_when_dropped() {
        struct Ends(Option<Bomb>);
        impl Future for Ends {
            type Output = Result<(), BoxError>;
            fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
                if self.0.is_some() { Poll::Ready(Ok(())) } else { Poll::Pending }
            }
        }
        assert_eq!(outcome(|| Ends(Some(Bomb))), "panicked: dropped");
        let bomb = Bomb;
        let mut work = Work::of(move || async move {
            let _bomb = bomb;
            std::future::pending::<Result<(), BoxError>>().await
        });
        assert!(work.poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(work.discard().unwrap_err().to_string(), "panicked: dropped");
    }
}
