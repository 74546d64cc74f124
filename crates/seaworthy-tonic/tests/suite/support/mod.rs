//! A gRPC service written by hand, its client, and servers on sockets of their own.

pub(crate) mod h2_server;
pub(crate) mod numbers;
pub(crate) mod verdicts;

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};

/// No test hangs for longer.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A server's task, which ends with the test.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Running {
    /// Runs what `serve` makes of a listener of its own.
    pub(crate) async fn start<F, Fut>(serve: F) -> Running
    where
        F: FnOnce(TcpListener) -> Fut,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        Running { address, task: tokio::spawn(serve(listener)) }
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        endpoint(self.address)
    }

    /// Waits until the server has ended by itself.
    pub(crate) async fn ended(mut self) {
        (&mut self.task).await.expect("it does not panic");
    }

    pub(crate) fn channel(&self) -> Channel {
        self.endpoint().connect_lazy()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn endpoint(address: SocketAddr) -> Endpoint {
    Endpoint::from_shared(format!("http://{address}")).expect("an address")
}

/// A port on which nobody listens.
pub(crate) async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.and_then(|listener| listener.local_addr()).expect("a free port")
}

pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(LONG, future).await.expect("it hangs")
}
