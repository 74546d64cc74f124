//! Kept-alive connections while the service is draining.

use axum::Router;
use seaworthy::http::RespondLayer;
use seaworthy::{Health, Phase, WrapErrorLayer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceBuilder;

use super::{MS, answer, app, ask, closes, closes_within, start};

/// The health endpoints, and two stacks: one that serves while it drains, and one that does not.
fn service(health: &Health) -> Router {
    let refuses = health.readiness_layer().refuse_while_draining();
    let refuses = ServiceBuilder::new().layer(RespondLayer::new()).layer(refuses).layer(WrapErrorLayer::new());
    let serves =
        ServiceBuilder::new().layer(RespondLayer::new()).layer(health.readiness_layer()).layer(WrapErrorLayer::new());
    Router::new()
        .nest("/refuses", app().layer(refuses))
        .merge(app().layer(serves))
        .nest_service("/health", health.endpoints())
}

const ANSWERS: [(&str, &str, &str); 5] = [
    ("/hello", "200", "200"),
    ("/refuses/hello", "200", "503"),
    ("/health/live", "200", "200"),
    ("/health/ready", "200", "503"),
    ("/nowhere", "404", "404"),
];

/// HC-02: while draining every HTTP/1 response closes its connection: served and refused requests, health endpoints and
/// unknown paths. Before that, none does.
#[tokio::test(start_paused = true)]
async fn every_response_closes() {
    let health = Health::new();
    health.advance(Phase::Serving);
    let server = start(service(&health), |server| server.health(&health));
    let mut kept = server.connect();
    for (path, before, _) in ANSWERS {
        let (head, _) = ask(&mut kept, path).await;
        assert!(head.starts_with(&format!("http/1.1 {before} ")) && !closes(&head), "{path}: {head}");
    }
    health.advance(Phase::Draining);
    for (path, _, draining) in ANSWERS {
        for version in ["1.1", "1.0"] {
            let mut stream = server.connect();
            let request = format!("GET {path} HTTP/{version}\r\nhost: x\r\nconnection: keep-alive\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let (head, _) = answer(&mut stream).await;
            assert!(head.starts_with(&format!("http/{version} {draining} ")), "{path}: {head}");
            // An old client expects nothing else.
            assert!(closes(&head) || version == "1.0", "{path}: {head}");
            assert!(head.matches("\r\nconnection:").count() <= 1, "{head}");
            assert!(closes_within(&mut stream, MS).await, "{path}");
        }
    }
    let (head, _) = ask(&mut kept, "/hello").await;
    assert!(closes(&head) && closes_within(&mut kept, MS).await, "{head}");
}

/// HC-02: without a health it cannot know, and goes on until it is told to finish.
#[tokio::test(start_paused = true)]
async fn without_health() {
    let health = Health::new();
    health.advance(Phase::Serving);
    let server = start(service(&health), |server| server);
    let mut kept = server.connect();
    health.advance(Phase::Draining);
    let (head, _) = ask(&mut kept, "/hello").await;
    assert!(!closes(&head) && !closes_within(&mut kept, MS).await, "{head}");
}

/// HC-02: with `axum::serve`, the layer does it.
#[tokio::test]
async fn on_axum() {
    let health = Health::new();
    health.advance(Phase::Serving);
    let app = service(&health).layer(health.drain_layer());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    for draining in [false, true] {
        if draining {
            health.advance(Phase::Draining);
        }
        for (path, before, while_draining) in ANSWERS {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
            let mut text = Vec::new();
            if draining {
                stream.read_to_end(&mut text).await.unwrap();
            } else {
                stream.read_buf(&mut text).await.unwrap();
            }
            let text = String::from_utf8(text).unwrap().to_lowercase();
            let status = if draining { while_draining } else { before };
            assert!(text.starts_with(&format!("http/1.1 {status} ")), "{path}: {text}");
            assert_eq!(closes(&text), draining, "{path}: {text}");
        }
    }
    server.abort();
}
