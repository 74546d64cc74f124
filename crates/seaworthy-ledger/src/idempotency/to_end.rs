use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll};

use seaworthy::Context as CallContext;
use seaworthy_store::tasks::Tasks;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tracing::Instrument;

use crate::caught::{Payload, caught};

/// The output of a call that is run to its end in a task, or the panic that ended it.
pub(super) struct InTask<T>(oneshot::Receiver<Result<T, Payload>>);

impl<T: Send + 'static> InTask<T> {
    /// With the caller's deadline and span.
    pub(super) fn spawn<F>(tasks: &Tasks, runtime: &Handle, call: F) -> InTask<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let work = async move {
            // If the caller is gone nobody is left to tell.
            let _ = sender.send(caught(call).await);
        };
        tasks.spawn(runtime, CallContext::current().scope(work.in_current_span()));
        InTask(receiver)
    }
}

/// None if the runtime of the task was shut down.
impl<T> Future for InTask<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.0).poll(cx).map(|ended| match ended {
            Ok(Ok(output)) => Some(output),
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_) => None,
        })
    }
}
