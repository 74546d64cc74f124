use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use proptest::prelude::*;
use seaworthy::http::grpc::{Code, GrpcRespondLayer, grpc_pushback, grpc_status, grpc_status_of};
use seaworthy::http::{RespondBody, RespondLayer, response_of};
use seaworthy::retry::Decision;
use seaworthy::{Bulkhead, DeadlineStage, Error, Name, Rejected, RetryAfter, WrapErrorLayer};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

type Body = Full<Bytes>;
type Answer = Response<RespondBody<Body>>;

const GRPC: &str = "application/grpc+proto";

fn after(wait: Option<Duration>) -> RetryAfter {
    RetryAfter::from(wait)
}

fn deadline_exceeded(stage: DeadlineStage) -> Rejected {
    Rejected::DeadlineExceeded { stage }
}

fn rejections() -> [Rejected; 12] {
    let name = Name::from("secret");
    let wait = Some(Duration::from_micros(1_200_500));
    [
        Rejected::CircuitOpen { name: name.clone(), retry_after: after(wait) },
        Rejected::CircuitOpen { name: name.clone(), retry_after: after(None) },
        Rejected::BulkheadFull { name: name.clone(), retry_after: after(wait) },
        Rejected::BulkheadFull { name: name.clone(), retry_after: after(None) },
        Rejected::NotReady { reason: name.clone(), retry_after: after(wait) },
        Rejected::NotReady { reason: name.clone(), retry_after: after(None) },
        Rejected::TimedOut { after: Duration::from_secs(1).into(), timeout: Some(name.clone()) },
        deadline_exceeded(DeadlineStage::Arrival),
        deadline_exceeded(DeadlineStage::Queue),
        deadline_exceeded(DeadlineStage::Attempt),
        deadline_exceeded(DeadlineStage::Body),
        Rejected::Withdrawn { name },
    ]
}

fn request(content_type: &str) -> Request<()> {
    Request::post("/shop.Cart/Get").header("content-type", content_type).body(()).unwrap()
}

/// What the layer answers to this request if this is the rejection.
async fn answer(layer: GrpcRespondLayer, content_type: &str, rejected: &Rejected) -> Answer {
    let error = Error::<Infallible>::Rejected(rejected.clone());
    let inner = service_fn(move |_: Request<()>| std::future::ready(Err::<Response<Body>, _>(error.clone())));
    let Ok(response) = layer.layer(inner).oneshot(request(content_type)).await;
    response
}

fn header<'a>(response: &'a Answer, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

/// X-01: the table of rejections over gRPC: the code, and what callers are told of another attempt.
#[tokio::test]
async fn x_01_the_table() {
    let pushback = |rejected: &Rejected| rejected.retry_after().map(|_| "1201");
    for rejected in rejections() {
        let (code, pushback) = match &rejected {
            Rejected::CircuitOpen { .. } => (14, Some("-1")),
            Rejected::BulkheadFull { .. } => (8, pushback(&rejected)),
            Rejected::NotReady { .. } => (14, pushback(&rejected)),
            Rejected::TimedOut { .. } => (4, None),
            Rejected::DeadlineExceeded { .. } => (4, Some("-1")),
            Rejected::Withdrawn { .. } => (14, Some("-1")),
            other => panic!("{other} has no row"),
        };
        assert_eq!(i32::from(grpc_status_of(&rejected)), code, "{rejected}");
        let response = answer(GrpcRespondLayer::new(), GRPC, &rejected).await;
        assert_eq!(header(&response, "grpc-status"), Some(code.to_string().as_str()), "{rejected}");
        assert_eq!(header(&response, "grpc-retry-pushback-ms"), pushback, "{rejected}");
    }
}

/// GR-09: a gRPC request is answered with the head alone: HTTP 200, the status, a message, and an empty body that is at
/// its end at once.
#[tokio::test]
async fn gr_09_trailers_only() {
    for rejected in rejections() {
        let response = answer(GrpcRespondLayer::new(), GRPC, &rejected).await;
        assert_eq!(response.status(), 200, "{rejected}");
        assert_eq!(header(&response, "content-type"), Some("application/grpc"), "{rejected}");
        let extra = usize::from(response.headers().contains_key("grpc-retry-pushback-ms"));
        assert_eq!(response.headers().len(), 3 + extra, "{rejected}: and no other header");
        assert!(!response.headers().contains_key("retry-after"), "{rejected}");
        assert!(response.body().is_end_stream(), "{rejected}");
        assert_eq!(response.body().size_hint().exact(), Some(0), "{rejected}");
        assert!(response.into_body().frame().await.is_none(), "{rejected}");
    }
}

/// GR-09: requests that are not gRPC are answered as by `RespondLayer`, so one layer serves a port with both; the next
/// request's protocol is its own.
#[tokio::test]
async fn gr_09_a_port_with_both() {
    let bulkhead = Bulkhead::builder("work").limit(1).build().unwrap();
    let stack = ServiceBuilder::new()
        .layer(GrpcRespondLayer::new())
        .layer(bulkhead.layer())
        .layer(WrapErrorLayer::new())
        .service(service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(Body::from("hello")))));
    let mut service = stack.clone();
    let _permit = bulkhead.try_acquire().unwrap();
    let table = [(GRPC, 200), ("application/json", 503), ("application/grpc", 200), ("application/grpc-web", 503)];
    for (content_type, status) in table {
        let Ok::<_, Infallible>(response) = service.ready().await.unwrap().call(request(content_type)).await;
        assert_eq!(response.status(), status, "{content_type}");
        assert_eq!(header(&response, "grpc-status"), (status == 200).then_some("8"), "{content_type}");
        if status == 503 {
            let made = response_of(&Rejected::BulkheadFull { name: "work".into(), retry_after: after(None) });
            assert_eq!(response.headers(), made.headers());
            let text = made.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), text);
        }
    }
    // Two calls at a time, of one service: each keeps its own protocol.
    let one = service.ready().await.unwrap().call(request(GRPC));
    let other = service.ready().await.unwrap().call(request("text/plain"));
    let (Ok(other), Ok(one)) = (other.await, one.await);
    assert_eq!((one.status().as_u16(), other.status().as_u16()), (200, 503));
    // What is not rejected passes, with its body.
    drop(_permit);
    let Ok::<_, Infallible>(response) = stack.oneshot(request(GRPC)).await;
    assert_eq!((response.status().as_u16(), response.headers().len()), (200, 0));
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hello");
}

/// GR-09: single variants can have other codes, and HTTP requests the answers of another `RespondLayer`.
#[tokio::test]
async fn gr_09_overrides() {
    let layer = GrpcRespondLayer::new().status(|rejected| match rejected {
        Rejected::BulkheadFull { .. } => Code::Unavailable,
        other => grpc_status_of(other),
    });
    for rejected in rejections() {
        let response = answer(layer.clone(), GRPC, &rejected).await;
        let expected = match &rejected {
            Rejected::BulkheadFull { .. } => Code::Unavailable,
            other => grpc_status_of(other),
        };
        assert_eq!(grpc_status(response.headers()), Some(expected), "{rejected}");
        let message = header(&response, "grpc-message").map(str::to_owned);
        let usual = answer(GrpcRespondLayer::new(), GRPC, &rejected).await;
        assert_eq!(message.as_deref(), header(&usual, "grpc-message"), "{rejected}");
    }
    let http = RespondLayer::new().status(|_| StatusCode::IM_A_TEAPOT);
    for layer in [layer.clone().http(http), GrpcRespondLayer::default().http(http).status(grpc_status_of)] {
        for rejected in rejections() {
            assert_eq!(answer(layer.clone(), "text/plain", &rejected).await.status(), 418);
            assert_eq!(answer(layer.clone(), GRPC, &rejected).await.status(), 200);
        }
    }
}

/// GR-09: other errors are passed on, and a rejection of `poll_ready` is the answer to the call that follows.
#[tokio::test]
async fn gr_09_what_is_no_rejection_of_a_call() {
    let inner = service_fn(async |_: Request<()>| Err::<Response<Body>, _>(Error::Inner("down")));
    let error = GrpcRespondLayer::new().layer(inner).oneshot(request(GRPC)).await.unwrap_err();
    assert_eq!(error, "down");

    let Ok(response) = GrpcRespondLayer::new().layer(RejectsInPollReady).oneshot(request(GRPC)).await;
    assert_eq!(grpc_status(response.headers()), Some(Code::ResourceExhausted));
    let Ok(response) = GrpcRespondLayer::new().layer(RejectsInPollReady).oneshot(request("text/plain")).await;
    assert_eq!(response.status(), 503);
}

/// A service whose `poll_ready` rejects, as a third-party layer may.
#[derive(Clone)]
struct RejectsInPollReady;

impl Service<Request<()>> for RejectsInPollReady {
    type Response = Response<Body>;
    type Error = Error<Infallible>;
    type Future = std::future::Pending<Result<Response<Body>, Error<Infallible>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Err(Error::Rejected(rejections()[3].clone())))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        panic!("called without being ready")
    }
}

/// GR-10: the message is the words of RD-04, and leaks as little: no names.
#[tokio::test]
async fn gr_10_the_words() {
    for rejected in rejections() {
        let response = answer(GrpcRespondLayer::new(), GRPC, &rejected).await;
        let words = header(&response, "grpc-message").unwrap();
        let json = response_of(&rejected).into_body().collect().await.unwrap().to_bytes();
        assert_eq!(json, format!(r#"{{"error":"{words}"}}"#), "{rejected}");
        assert!(!words.contains("secret"));
    }
}

/// Decodes a message, and shares no code with what encodes it.
fn decoded(message: &str) -> Vec<u8> {
    let mut parts = message.split('%');
    let mut all = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        all.push(u8::from_str_radix(&part[..2], 16).unwrap());
        assert!(!part[..2].contains(|char: char| char.is_ascii_lowercase()));
        all.extend_from_slice(&part.as_bytes()[2..]);
    }
    all
}

/// The message that arrives if this is what the layer's closure gives.
fn said(text: String) -> String {
    let layer = GrpcRespondLayer::new().message(move |_| text.clone());
    let response = futures_now(answer(layer, GRPC, &rejections()[0]));
    assert_eq!(grpc_status(response.headers()), Some(Code::Unavailable));
    header(&response, "grpc-message").unwrap().to_owned()
}

fn futures_now<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop())) else {
        panic!("it waits for nothing")
    };
    output
}

/// GR-10: a closure replaces the message; it may capture, and it sees the rejection.
#[tokio::test]
async fn gr_10_a_message_of_ones_own() {
    let help = String::from("https://status.example");
    let layer = GrpcRespondLayer::new().message(move |rejected| format!("{rejected}: see {help}"));
    let response = answer(layer.clone(), GRPC, &rejections()[1]).await;
    let expected = "circuit `secret` is open: see https://status.example";
    assert_eq!(header(&response, "grpc-message"), Some(expected));
    // Over HTTP there is no message.
    let response = answer(layer, "text/plain", &rejections()[1]).await;
    assert_eq!((response.status().as_u16(), header(&response, "grpc-message")), (503, None));
    assert_eq!(said("100 % à la\n🚢".into()), "100 %25 %C3%A0 la%0A%F0%9F%9A%A2");
    assert_eq!(said(String::new()), "");
}

proptest! {
    /// GR-10: whatever a closure gives, controls and UTF-8 included, arrives as it was.
    #[test]
    fn gr_10_property_round_trip(text in any::<String>()) {
        let encoded = said(text.clone());
        prop_assert!(encoded.bytes().all(|byte| (0x20..=0x7e).contains(&byte)));
        prop_assert_eq!(decoded(&encoded), text.into_bytes());
    }
}

/// GR-11: where a wait is known it is told in milliseconds, rounded up, at most 2³¹ − 1, and where another attempt is of
/// no use, -1; never both, and what is told is what a caller of ours reads.
#[tokio::test]
async fn gr_11_pushback() {
    let full = |wait| Rejected::BulkheadFull { name: "secret".into(), retry_after: after(Some(wait)) };
    let read = async |rejected: Rejected| {
        let response = answer(GrpcRespondLayer::new(), GRPC, &rejected).await;
        assert!(response.headers().get_all("grpc-retry-pushback-ms").iter().count() <= 1);
        grpc_pushback(response.headers())
    };
    for (wait, expected) in [(1, 1), (1_000, 1), (1_001, 2), (30_000_000, 30_000)] {
        let asked = Some(Decision::RetryAfter(Duration::from_millis(expected)));
        assert_eq!(read(full(Duration::from_micros(wait))).await, asked, "{wait}");
    }
    let most = Some(Decision::RetryAfter(Duration::from_millis(2_147_483_647)));
    assert_eq!(read(full(Duration::from_secs(3_000_000))).await, most);
    for rejected in rejections() {
        let told_not_to = matches!(
            rejected,
            Rejected::CircuitOpen { .. } | Rejected::DeadlineExceeded { .. } | Rejected::Withdrawn { .. }
        );
        let asked = read(rejected.clone()).await;
        assert_eq!(asked == Some(Decision::ToldNotTo), told_not_to, "{rejected}");
        assert_eq!(asked.is_some(), told_not_to || rejected.retry_after().is_some(), "{rejected}");
    }
}

/// GR-09: the layer costs a call three words at most.
#[test]
fn gr_09_sizes() {
    type Inner = std::future::Ready<Result<Response<Body>, Error<Infallible>>>;
    type Future = <seaworthy::http::grpc::GrpcRespondService<Inside> as Service<Request<()>>>::Future;
    assert!(size_of::<Future>() <= size_of::<Inner>() + 32, "{} {}", size_of::<Future>(), size_of::<Inner>());

    #[derive(Clone)]
    struct Inside;

    impl Service<Request<()>> for Inside {
        type Response = Response<Body>;
        type Error = Error<Infallible>;
        type Future = Inner;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<()>) -> Inner {
            std::future::ready(Ok(Response::default()))
        }
    }
}
