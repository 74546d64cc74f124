use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper::rt::Executor;
use tokio::net::TcpStream;

use crate::error::BoxError;
use crate::prober::body::FairStream;
use crate::rt::sync::Mutex;

/// How often a connection that is over is polled to say so to the server, at most. Nothing is waited for.
const LAST_POLLS: u32 = 8;

/// A connection over HTTP/2 for one request. All of it is in the caller's future, so that nothing outlives it.
pub(super) struct OneConnection {
    sender: http2::SendRequest<RequestMessage>,
    parts: ConnectionParts,
}

impl OneConnection {
    pub(super) async fn new(stream: TcpStream) -> Result<OneConnection, BoxError> {
        // What is sent before is sent in order; then the port is free at once, as after a TCP probe.
        let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
        let subtasks = Subtasks::default();
        let (sender, connection) = http2::Builder::new(subtasks.clone()).handshake(FairStream::new(stream)).await?;
        let connection: Subtask = Box::pin(async move {
            // How it ended is what the response says.
            let _ = connection.await;
        });
        Ok(OneConnection { sender, parts: ConnectionParts { running: vec![connection], subtasks } })
    }

    /// Sends `request`, reads the response with `read`, and says goodbye.
    pub(super) async fn ask<T, F>(
        self,
        request: Request<Bytes>,
        read: impl FnOnce(Response<Incoming>) -> F,
    ) -> Result<T, BoxError>
    where
        F: Future<Output = Result<T, BoxError>>,
    {
        let OneConnection { mut sender, mut parts } = self;
        let answer = {
            let response = sender.send_request(request.map(|message| RequestMessage(Some(message))));
            let mut answer = pin!(async move { read(response.await?).await });
            poll_fn(|cx| match answer.as_mut().poll(cx) {
                Poll::Pending => {
                    parts.poll(cx);
                    // What the connection has brought wakes this task.
                    Poll::Pending
                }
                ready @ Poll::Ready(_) => ready,
            })
            .await
        };
        drop(sender);
        poll_fn(|cx| {
            for _ in 0..LAST_POLLS {
                parts.poll(cx);
            }
            Poll::Ready(())
        })
        .await;
        answer
    }
}

type Subtask = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What drives a connection: all of it is polled whenever the probe is.
struct ConnectionParts {
    running: Vec<Subtask>,
    subtasks: Subtasks,
}

impl ConnectionParts {
    fn poll(&mut self, cx: &mut Context<'_>) {
        loop {
            self.running.retain_mut(|part| part.as_mut().poll(cx).is_pending());
            let new = std::mem::take(&mut *self.subtasks.0.lock());
            if new.is_empty() {
                return;
            }
            self.running.extend(new);
        }
    }
}

/// Takes what hyper would have spawned.
#[derive(Clone, Default)]
struct Subtasks(Arc<Mutex<Vec<Subtask>>>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Subtasks {
    fn execute(&self, future: F) {
        self.0.lock().push(Box::pin(future));
    }
}

/// The body of a request.
pub(super) struct RequestMessage(Option<Bytes>);

impl Body for RequestMessage {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::convert::Infallible>>> {
        Poll::Ready(self.0.take().map(|message| Ok(Frame::data(message))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }
}
