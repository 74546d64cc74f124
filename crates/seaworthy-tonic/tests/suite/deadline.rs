use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::http::grpc::GrpcRespondLayer;
use seaworthy::http::{InboundLayer, OutboundLayer};
use seaworthy::{BoxError, Deadline, DeadlineStage, Rejected, WrapErrorLayer};
use seaworthy_tonic::{ChannelLayer, DeadlineInterceptor, rejected_of};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::{Code, Request, Status};
use tower::{ServiceBuilder, service_fn};

use crate::support::numbers::{NumbersClient, NumbersServer};
use crate::support::{Running, in_time};

/// What each hop found in `grpc-timeout`, and had left.
type Seen = Arc<Mutex<Vec<(Option<String>, Option<Duration>)>>>;

/// A server that passes each call on to `next`, or answers it if there is none.
async fn hop<T>(seen: &Seen, next: Option<T>) -> Running
where
    T: GrpcService<Body, Future: Send, ResponseBody = Body> + Clone + Send + Sync + 'static,
    T::Error: Into<BoxError> + Send,
{
    let seen = Arc::clone(seen);
    Running::start(async move |listener| {
        let pass_on = tower::layer::layer_fn(move |own: tonic::service::Routes| {
            let (seen, next) = (Arc::clone(&seen), next.clone());
            service_fn(move |request: http::Request<Body>| {
                let header = request.headers().get("grpc-timeout").and_then(|value| value.to_str().ok());
                let left = Deadline::current().map(Deadline::remaining);
                seen.lock().expect("nobody panics").push((header.map(str::to_owned), left));
                let (mut own, next) = (own.clone(), next.clone());
                async move {
                    // Work that takes a while.
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    let Some(mut next) = next else { return tower::Service::call(&mut own, request).await };
                    let answer = match std::future::poll_fn(|cx| next.poll_ready(cx)).await {
                        Ok(()) => next.call(request).await,
                        Err(error) => Err(error),
                    };
                    Ok(answer.unwrap_or_else(|error| Status::from_error(error.into()).into_http()))
                }
            })
        });
        let stack = ServiceBuilder::new()
            .layer(GrpcRespondLayer::new())
            .layer(InboundLayer::new())
            .layer(WrapErrorLayer::new())
            .layer(pass_on);
        let server = Server::builder().layer(stack).add_service(NumbersServer);
        server.serve_with_incoming(TcpListenerStream::new(listener)).await.expect("served");
    })
    .await
}

fn millis_in(header: &str) -> f64 {
    let (number, unit) = header.split_at(header.len() - 1);
    let factor = match unit {
        "n" => 1e-6,
        "u" => 1e-3,
        "m" => 1.0,
        other => panic!("{other}"),
    };
    number.parse::<f64>().expect("digits") * factor
}

/// TR-03, DL-14: over three hops each sees less than the one before, by at least what that one's work took; without a
/// deadline none sees any; with too little none is called.
#[tokio::test]
async fn tr_03_three_hops() {
    let seen = Seen::default();
    let stack = |running: &Running| {
        ServiceBuilder::new().layer(OutboundLayer::new()).layer(ChannelLayer::new()).service(running.channel())
    };
    let third = hop(&seen, None::<tonic::transport::Channel>).await;
    let second = hop(&seen, Some(stack(&third))).await;
    let first = hop(&seen, Some(stack(&second))).await;
    let client = NumbersClient::new(stack(&first));

    let given = Duration::from_secs(10);
    let answer = in_time(Deadline::within(given).scope(client.double(Request::new(7)))).await;
    assert_eq!(answer.expect("in time").into_inner(), 14);
    let hops = std::mem::take(&mut *seen.lock().expect("nobody panics"));
    assert_eq!(hops.len(), 3);
    let mut before = given.as_secs_f64() * 1000.0;
    for (at, (header, left)) in hops.iter().enumerate() {
        let header = millis_in(header.as_deref().expect("a header"));
        let spent = if at == 0 { 0.0 } else { 5.0 };
        assert!(header < before - spent && header > before - 5000.0, "{at}: {header} after {before}");
        let left = left.expect("a deadline").as_secs_f64() * 1000.0;
        assert!(left <= header, "{at}: {left} of {header}");
        before = header;
    }

    in_time(client.double(Request::new(7))).await.expect("no deadline");
    assert_eq!(std::mem::take(&mut *seen.lock().expect("nobody panics")), vec![(None, None); 3]);

    let late = in_time(Deadline::within(Duration::ZERO).scope(client.double(Request::new(7)))).await;
    let status = late.expect_err("no time is left");
    assert_eq!((status.code(), status.message()), (Code::DeadlineExceeded, "deadline exceeded"));
    assert_eq!(rejected_of(&status), Some(&Rejected::DeadlineExceeded { stage: DeadlineStage::Arrival }));
    assert!(seen.lock().expect("nobody panics").is_empty());
}

fn timeout(request: &Request<()>) -> Option<&str> {
    request.metadata().get("grpc-timeout").and_then(|value| value.to_str().ok())
}

/// GR-17, DL-14: the interceptor sends what is left, rounded down, less the allowance, or what the request's own timeout
/// says if that is less; without a deadline it changes nothing; with nothing left it refuses.
#[tokio::test(start_paused = true)]
async fn gr_17_the_interceptor() {
    let intercept = async |mut interceptor: DeadlineInterceptor, left: Duration, own: Option<Duration>| {
        let mut request = Request::new(());
        if let Some(own) = own {
            request.set_timeout(own);
        }
        Deadline::within(left).scope(async { interceptor.call(request) }).await
    };
    let millis = Duration::from_millis;
    for (left, own, sent) in [
        (millis(1500), None, "1500000u"),
        (Duration::from_nanos(1_500_000_999), None, "1500000u"),
        (millis(1500), Some(millis(700)), "700000u"),
        (millis(1500), Some(millis(9000)), "1500000u"),
        (Duration::from_nanos(1), None, "1n"),
        (millis(28 * 3_600_000), None, "100800S"),
    ] {
        let request = intercept(DeadlineInterceptor::new(), left, own).await.expect("time is left");
        assert_eq!(timeout(&request), Some(sent), "{left:?} {own:?}");
    }
    let less = DeadlineInterceptor::new().allowance(millis(5));
    let request = intercept(less.clone(), millis(30), None).await.expect("time is left");
    assert_eq!(timeout(&request), Some("25000000n"));

    for (interceptor, left) in [(DeadlineInterceptor::new(), Duration::ZERO), (less, millis(5))] {
        let status = intercept(interceptor, left, None).await.expect_err("nothing is left");
        assert_eq!((status.code(), status.message()), (Code::DeadlineExceeded, "deadline exceeded"));
        assert!(rejected_of(&status).is_some());
    }

    let untouched = DeadlineInterceptor::new().call(Request::new(())).expect("no deadline");
    assert_eq!(timeout(&untouched), None);
    let mut own = Request::new(());
    own.set_timeout(millis(700));
    assert_eq!(
        timeout(&DeadlineInterceptor::from(OutboundLayer::new()).call(own).expect("no deadline")),
        Some("700000u")
    );
}

/// TR-03, GR-17: the interceptor under a tonic client, and a server that reads what it sends.
#[tokio::test]
async fn tr_03_the_interceptor_under_a_client() {
    let seen = Seen::default();
    let server = hop(&seen, None::<tonic::transport::Channel>).await;
    let client = NumbersClient::new(InterceptedService::new(server.channel(), DeadlineInterceptor::new()));
    let answer = in_time(Deadline::within(Duration::from_secs(10)).scope(client.double(Request::new(7)))).await;
    assert_eq!(answer.expect("in time").into_inner(), 14);
    let (header, left) = seen.lock().expect("nobody panics").pop().expect("a call");
    assert!(header.is_some() && left.is_some_and(|left| left < Duration::from_secs(10)));

    let late = in_time(Deadline::within(Duration::ZERO).scope(client.double(Request::new(7)))).await;
    assert_eq!(late.expect_err("no time is left").code(), Code::DeadlineExceeded);
    assert!(seen.lock().expect("nobody panics").is_empty());
}
