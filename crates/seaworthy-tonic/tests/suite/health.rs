use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use seaworthy::http::grpc::{GrpcHealthService, GrpcRespondLayer};
use seaworthy::prober::{GrpcHealth, GrpcProbe, Probe};
use seaworthy::{Deadline, Health, Phase, WrapErrorLayer};
use seaworthy_tonic::TonicHealth;
use tokio::sync::oneshot;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::transport::{Channel, Server};
use tonic::{Code, Status, Streaming};
use tonic_health::ServingStatus::{NotServing, Serving};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tower::ServiceBuilder;

use crate::support::numbers::{NumbersClient, NumbersServer};
use crate::support::{Running, in_time, nobody};

/// A tonic server with our health service beside a service that readiness guards, and what ends it.
async fn serve(health: &Health, grpc: GrpcHealthService) -> (Running, oneshot::Sender<()>) {
    let (end, ended) = oneshot::channel::<()>();
    let stack = ServiceBuilder::new()
        .layer(GrpcRespondLayer::new())
        .layer(health.readiness_layer().refuse_while_draining())
        .layer(WrapErrorLayer::new());
    let running = Running::start(async move |listener| {
        let guarded = Routes::new(NumbersServer).into_axum_router().layer(stack);
        let routes = Routes::from(guarded).add_service(TonicHealth::new(grpc));
        let ended = async { drop(ended.await) };
        let incoming = TcpListenerStream::new(listener);
        Server::builder().add_routes(routes).serve_with_incoming_shutdown(incoming, ended).await.expect("served");
    })
    .await;
    (running, end)
}

fn about(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

async fn check(client: &HealthClient<Channel>, service: &str) -> Result<ServingStatus, Code> {
    let answer = in_time(client.clone().check(about(service))).await;
    answer.map(|answer| answer.into_inner().status()).map_err(|status| status.code())
}

async fn watch(client: &HealthClient<Channel>, service: &str) -> Streaming<HealthCheckResponse> {
    in_time(client.clone().watch(about(service))).await.expect("a stream").into_inner()
}

async fn next(stream: &mut Streaming<HealthCheckResponse>) -> Result<Option<ServingStatus>, Status> {
    in_time(stream.message()).await.map(|message| message.map(|message| message.status()))
}

/// TR-03, GR-13: tonic-health's client asks our health service, in a tonic server: the whole, a service that was
/// published, and one that was not, while readiness refuses everything else.
#[tokio::test]
async fn tr_03_tonic_healths_client_checks() {
    let (health, is_up) = (Health::new(), Arc::new(AtomicBool::new(true)));
    let database = Arc::clone(&is_up);
    health.require("database", move || database.load(Ordering::Relaxed)).expect("a new name");
    let grpc = health.grpc_service();
    grpc.publish("test.Numbers", &["database"]).expect("a check of this name");
    grpc.publish("test.Phase", &[]).expect("a name");
    let (server, _end) = serve(&health, grpc.clone()).await;
    let client = HealthClient::new(server.channel());
    let numbers = NumbersClient::new(server.channel());
    let assert_states = async |whole, published, by_phase, code: Option<Code>| {
        assert_eq!(check(&client, "").await, Ok(whole));
        assert_eq!(check(&client, "test.Numbers").await, Ok(published));
        assert_eq!(check(&client, "test.Phase").await, Ok(by_phase));
        assert_eq!(check(&client, "test.Other").await, Err(Code::NotFound));
        let answer = in_time(numbers.double(tonic::Request::new(7))).await;
        assert_eq!(answer.err().map(|status| status.code()), code);
    };
    let (yes, no) = (ServingStatus::Serving, ServingStatus::NotServing);
    assert_states(no, no, no, Some(Code::Unavailable)).await;
    health.advance(Phase::Serving);
    assert_states(yes, yes, yes, None).await;
    is_up.store(false, Ordering::Relaxed);
    assert_states(no, no, yes, Some(Code::Unavailable)).await;
    is_up.store(true, Ordering::Relaxed);
    assert_states(yes, yes, yes, None).await;
    assert!(grpc.withdraw("test.Phase"));
    assert_eq!(check(&client, "test.Phase").await, Err(Code::NotFound));
    grpc.publish("test.Phase", &[]).expect("a name");
    health.advance(Phase::Draining);
    assert_states(no, no, no, Some(Code::Unavailable)).await;
    assert_eq!(TonicHealth::NAME, "grpc.health.v1.Health");
}

/// TR-03, GR-14: tonic-health's client watches: each state once, in order, an unknown service until it is published, and
/// status 14 at the end, so that a graceful shutdown of the server is not held up.
#[tokio::test]
async fn tr_03_tonic_healths_client_watches() {
    let health = Health::new();
    let grpc = health.grpc_service();
    let (server, end) = serve(&health, grpc.clone()).await;
    let client = HealthClient::new(server.channel());
    let (mut whole, mut later) = (watch(&client, "").await, watch(&client, "test.Numbers").await);
    assert_eq!(next(&mut whole).await.expect("a state"), Some(ServingStatus::NotServing));
    assert_eq!(next(&mut later).await.expect("a state"), Some(ServingStatus::ServiceUnknown));
    assert_eq!(grpc.watchers(), 2);

    health.advance(Phase::Serving);
    assert_eq!(next(&mut whole).await.expect("a state"), Some(ServingStatus::Serving));
    grpc.publish("test.Numbers", &[]).expect("a name");
    assert_eq!(next(&mut later).await.expect("a state"), Some(ServingStatus::Serving));
    // Nothing new is nothing sent.
    let more = tokio::time::timeout(Duration::from_millis(50), whole.message()).await;
    assert!(more.is_err(), "{more:?}");

    health.advance(Phase::Draining);
    assert_eq!(next(&mut whole).await.expect("a state"), Some(ServingStatus::NotServing));
    health.end_streams();
    end.send(()).expect("the server runs");
    assert_eq!(next(&mut whole).await.expect_err("the end").code(), Code::Unavailable);
    assert_eq!(next(&mut later).await.expect("the last state"), Some(ServingStatus::NotServing));
    assert_eq!(next(&mut later).await.expect_err("the end").code(), Code::Unavailable);
    in_time(async {
        while grpc.watchers() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop((client, whole, later));
    in_time(server.ended()).await;
}

/// TR-03, GR-16: our probe asks tonic-health's server: SERVING is well, all else is not, and says why.
#[tokio::test]
async fn tr_03_a_probe_of_tonic_healths_server() {
    let (reporter, service) = tonic_health::server::health_reporter();
    let server = Running::start(async move |listener| {
        let server = Server::builder().add_service(service);
        server.serve_with_incoming(TcpListenerStream::new(listener)).await.expect("served");
    })
    .await;
    let probe = async |service: &str, port| {
        let probe = GrpcProbe::new(GrpcHealth::new(port).service(service)).expect("a target");
        let deadline = Deadline::within(Duration::from_secs(10));
        in_time(deadline.scope(probe.probe())).await.map_err(|error| error.to_string())
    };
    let port = server.address.port();
    assert_eq!(probe("", port).await, Ok(()));
    let unknown = probe("test.Numbers", port).await.expect_err("unknown");
    assert_eq!(unknown, "NOT_FOUND: service not registered");
    reporter.set_service_status("test.Numbers", NotServing).await;
    assert_eq!(probe("test.Numbers", port).await, Err("NOT_SERVING".to_owned()));
    reporter.set_service_status("test.Numbers", Serving).await;
    assert_eq!(probe("test.Numbers", port).await, Ok(()));

    let without = Running::start(async |listener| {
        let server = Server::builder().add_service(NumbersServer);
        server.serve_with_incoming(TcpListenerStream::new(listener)).await.expect("served");
    })
    .await;
    assert!(probe("", without.address.port()).await.expect_err("no such service").starts_with("UNIMPLEMENTED"));
    assert!(probe("", nobody().await.port()).await.is_err());
}
