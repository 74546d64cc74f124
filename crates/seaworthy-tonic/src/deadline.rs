use std::time::Duration;

use seaworthy::http::OutboundLayer;
use tonic::service::Interceptor;
use tonic::{Request, Status};

use crate::status::status_of;

/// Tells the server how much of the call's time is left, in `grpc-timeout`, and refuses to send a call that has none
/// left: what an [`OutboundLayer`] does, for a client whose stack is no more than an interceptor.
///
/// The value is what is left of the [current](seaworthy::Deadline::current) deadline, rounded down, or what the
/// request's own `set_timeout` says, if that is less. Without a deadline the request is sent as it is. A refusal is the
/// status `DeadlineExceeded`, in which [`rejected_of`](crate::rejected_of) finds the rejection.
///
/// ```
/// use seaworthy::Deadline;
/// use seaworthy_tonic::DeadlineInterceptor;
/// use std::time::Duration;
/// use tonic::Request;
/// use tonic::service::Interceptor;
/// use tonic::service::interceptor::InterceptedService;
/// use tonic::transport::Channel;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Or `CartClient::with_interceptor(channel, DeadlineInterceptor::new())`.
/// let channel = Channel::from_static("http://cart:50051").connect_lazy();
/// let client = tonic::client::Grpc::new(InterceptedService::new(channel, DeadlineInterceptor::new()));
/// # let _ = client;
///
/// let sent = async { DeadlineInterceptor::new().call(Request::new(())) };
/// let sent = Deadline::within(Duration::from_secs(2)).scope(sent).await?;
/// assert!(sent.metadata().contains_key("grpc-timeout"));
/// # Ok(())
/// # }
/// ```
///
/// # Clone
/// Costs no more than a clone of an [`OutboundLayer`].
#[derive(Clone, Debug, Default)]
pub struct DeadlineInterceptor {
    outbound: OutboundLayer,
}

impl DeadlineInterceptor {
    /// An interceptor that promises all of what is left.
    #[must_use]
    pub fn new() -> DeadlineInterceptor {
        DeadlineInterceptor::default()
    }

    /// Promises this much less, as [`OutboundLayer::allowance`] does.
    #[must_use]
    pub fn allowance(self, time: Duration) -> DeadlineInterceptor {
        DeadlineInterceptor { outbound: self.outbound.allowance(time) }
    }
}

/// With a name or an observer of your own.
impl From<OutboundLayer> for DeadlineInterceptor {
    fn from(outbound: OutboundLayer) -> DeadlineInterceptor {
        DeadlineInterceptor { outbound }
    }
}

impl Interceptor for DeadlineInterceptor {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        match self.outbound.write_grpc_timeout(request.metadata_mut().as_mut()) {
            Ok(()) => Ok(request),
            Err(rejected) => Err(status_of(&rejected)),
        }
    }
}
