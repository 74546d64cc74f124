use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

use crate::shutdown::Shutdown;

/// Checks a [`Shutdown`] on every poll of something that is polled often. All connections of a server share one
/// shutdown, and waiting for it takes its lock; so this registers once, and then only looks.
pub(super) struct ShutdownWatch {
    shutdown: Shutdown,
    requested: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// The waker that is registered.
    waker: Option<Waker>,
}

impl ShutdownWatch {
    pub(super) fn new(shutdown: Shutdown) -> ShutdownWatch {
        ShutdownWatch { requested: Box::pin(shutdown.clone().requested_owned()), shutdown, waker: None }
    }

    /// Whether it was requested; if not, the task that polls is woken when it is.
    pub(super) fn is_requested(&mut self, cx: &mut Context<'_>) -> bool {
        if self.shutdown.is_requested() {
            return true;
        }
        if self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            return false;
        }
        self.waker = Some(cx.waker().clone());
        // Outside the task's cooperative budget: with the budget used up it would not be registered, and it is not
        // polled again. It is not polled after it was ready either, because from then on the shutdown is requested.
        Pin::new(&mut tokio::task::unconstrained(self.requested.as_mut())).poll(cx).is_ready()
    }
}
