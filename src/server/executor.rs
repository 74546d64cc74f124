use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use hyper::rt::Executor;

use super::heard::ShutdownWatch;
use crate::shutdown::Shutdown;

/// Runs the streams of HTTP/2, each until it ends or the server is dropped.
#[derive(Clone)]
pub(super) struct Spawner {
    pub(super) cut: Shutdown,
}

impl<F> Executor<F> for Spawner
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, stream: F) {
        let mut cut = ShutdownWatch::new(self.cut.clone());
        tokio::spawn(async move {
            let mut stream = pin!(stream);
            poll_fn(|cx| if cut.is_requested(cx) { Poll::Ready(()) } else { stream.as_mut().poll(cx).map(drop) }).await;
        });
    }
}
