use std::future::Future;

use hyper::rt::Executor;

use crate::Shutdown;

/// Runs the streams of HTTP/2, each until its end, or until the server is dropped.
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
        let cut = self.cut.clone();
        tokio::spawn(async move {
            cut.until(stream).await;
        });
    }
}
