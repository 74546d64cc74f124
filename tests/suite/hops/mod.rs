//! Deadlines from hop to hop over HTTP: DL-12 to DL-15, GR-12, X-02, X-06.

mod chain;
mod inbound;
mod malformed;
mod outbound;
mod settings;
mod tasks;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, Request};
use seaworthy::observe::{DeadlineEvent, Interest};
use seaworthy::{BoxError, Deadline, DeadlineStage, Event, Observer, Rejected, StackError};
use tower::{Layer, Service, ServiceExt, service_fn};

const TIMEOUT: &str = "x-request-timeout-ms";
const GRPC: &str = "grpc-timeout";

/// A request with these headers, in this order.
fn request(headers: &[(&'static str, &'static str)]) -> Request<()> {
    let mut request = Request::new(());
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request
}

/// How far the call had come when its deadline passed.
fn stage<T>(result: &Result<T, BoxError>) -> Option<DeadlineStage> {
    match result.as_ref().err()?.rejected() {
        Some(Rejected::DeadlineExceeded { stage, .. }) => Some(*stage),
        _ => None,
    }
}

/// What reaches the service below a layer.
#[derive(Debug)]
struct Seen {
    deadline: Option<Deadline>,
    extension: Option<Deadline>,
    headers: HeaderMap,
}

impl Seen {
    fn left(&self) -> Option<Duration> {
        self.deadline.map(Deadline::remaining)
    }

    /// All values of a header.
    fn all(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }
}

/// A service that shows what reaches it, and how often it was called.
#[derive(Clone, Debug, Default)]
struct Below(Arc<AtomicUsize>);

impl Below {
    fn calls(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn service(&self) -> impl Service<Request<()>, Response = Seen, Error = BoxError, Future: Send> + Clone + use<> {
        let calls = Arc::clone(&self.0);
        service_fn(move |request: Request<()>| {
            calls.fetch_add(1, Ordering::Relaxed);
            let in_call = Deadline::current();
            async move {
                tokio::task::yield_now().await;
                assert_eq!(Deadline::current(), in_call, "the same in `call` and in the future");
                let extension = request.extensions().get().copied();
                Ok(Seen { deadline: in_call, extension, headers: request.into_parts().0.headers })
            }
        })
    }
}

/// One request through the layer, to a service that shows what reaches it.
async fn through<L, S>(layer: L, request: Request<()>) -> Result<Seen, BoxError>
where
    L: Layer<BoxedBelow, Service = S>,
    S: Service<Request<()>, Response = Seen, Error = BoxError>,
{
    layer.layer(tower::util::BoxCloneService::new(Below::default().service())).oneshot(request).await
}

type BoxedBelow = tower::util::BoxCloneService<Request<()>, Seen, BoxError>;

/// What was told of deadlines and headers, in words.
#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Told {
    fn on_event(&self, event: &Event<'_>) {
        let Event::Deadline(event) = event else { return };
        let named = |name: Option<&seaworthy::Name>| name.map_or(String::new(), |name| format!("{name}: "));
        let text = match event {
            DeadlineEvent::Arrived { remaining, .. } => format!("arrived with {remaining:?}"),
            DeadlineEvent::Exceeded { name, stage, late, .. } => format!("{}{stage}, late by {late:?}", named(*name)),
            DeadlineEvent::HeaderMalformed { name, header, .. } => format!("{}malformed {header}", named(*name)),
            _ => return,
        };
        self.0.lock().unwrap().push(text);
    }

    fn interest(&self) -> Interest {
        Interest::Calls
    }
}
