//! `retry.grpc` of a policy from data.

use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use seaworthy::http::ReplayBody;
use seaworthy::http::grpc::{Code, GrpcMethods, GrpcRetry};
use seaworthy::{BoxError, Policies, RetryPolicy};
use tower::{Layer, ServiceExt, service_fn};

use super::data::{flaw, read};

const TABLE: &str = "[a.retry]\nbackoff = { base = \"1ms\", cap = \"1ms\" }\n";

/// How often a method is called whose answer has this code, with the settings of this text.
async fn attempts(settings: &str, path: &str, code: &'static str) -> u32 {
    let policies = read(&format!("{TABLE}{settings}"));
    let calls = AtomicU32::new(0);
    let server = service_fn(|_: Request<ReplayBody<Full<Bytes>>>| {
        calls.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Response::builder().header("grpc-status", code).body(()).map_err(BoxError::from))
    });
    let layer = policies.get("a").unwrap().retry_policy().unwrap().grpc_layer(GrpcMethods::new());
    layer.layer(server).oneshot(Request::post(path).body(Full::default()).unwrap()).await.unwrap();
    calls.load(Ordering::Relaxed)
}

/// TR-01: `retry.grpc.idempotent` and `idempotent_services` say which methods are retried, and nothing else does.
#[tokio::test(start_paused = true)]
async fn tr_01_methods() {
    for (settings, get, list) in [
        ("", 1, 1),
        ("grpc = {}", 1, 1),
        ("grpc = { codes = [\"UNAVAILABLE\"] }", 1, 1),
        ("grpc = { idempotent = [\"/shop.Cart/Get\"] }", 3, 1),
        ("grpc = { idempotent_services = [\"shop.Catalogue\"] }", 1, 3),
        ("grpc.idempotent = [\"/shop.Cart/Get\"]\ngrpc.idempotent_services = [\"shop.Catalogue\", \"a\"]", 3, 3),
    ] {
        assert_eq!(attempts(settings, "/shop.Cart/Get", "14").await, get, "{settings}");
        assert_eq!(attempts(settings, "/shop.Catalogue/List", "14").await, list, "{settings}");
        assert_eq!(attempts(settings, "/shop.Cart/Add", "14").await, 1, "{settings}");
    }
}

/// TR-01: `retry.grpc.codes` says after which codes; UNAVAILABLE alone if it is left out.
#[tokio::test(start_paused = true)]
async fn tr_01_codes() {
    let named = "grpc.idempotent = [\"/a/b\"]\n";
    for (settings, unavailable, aborted) in [
        ("", 3, 1),
        ("grpc.codes = [\"UNAVAILABLE\"]", 3, 1),
        ("grpc.codes = [\"ABORTED\"]", 1, 3),
        ("grpc.codes = [\"ABORTED\", \"UNAVAILABLE\", \"ABORTED\"]", 3, 3),
    ] {
        let settings = format!("{named}{settings}");
        assert_eq!(attempts(&settings, "/a/b", "14").await, unavailable, "{settings}");
        assert_eq!(attempts(&settings, "/a/b", "10").await, aborted, "{settings}");
    }
}

/// TR-01: data and code make the same policy.
#[test]
fn tr_01_as_from_code() {
    let data = read("[a.retry.grpc]\ncodes = [\"UNAVAILABLE\", \"ABORTED\"]\nidempotent = [\"/a/b\"]\n");
    let grpc = GrpcRetry::new(GrpcMethods::builder().idempotent("/a/b").build().unwrap());
    let code = RetryPolicy::builder("a").grpc(grpc.codes(&[Code::Aborted, Code::Unavailable])).build().unwrap();
    assert_eq!(format!("{:?}", data.get("a").unwrap().retry_policy().unwrap()), format!("{code:?}"));
    let without = read("[a.retry]\n");
    assert_ne!(format!("{:?}", without.get("a").unwrap().retry_policy().unwrap()), format!("{code:?}"));
}

/// TR-01: each wrong value has one error, with the path of the key, the value, the rule and the line.
#[test]
fn tr_01_bad_input() {
    let code = "must be the name of a gRPC code, such as UNAVAILABLE";
    let path = "must be the path of a method, such as /shop.Cart/Get";
    let service = "must be the name of a service without slashes, such as shop.Cart";
    for (line, expected) in [
        // An unknown neighbour.
        (
            "idempotnt = []",
            "a.retry.grpc.idempotnt: there is no such key; did you mean idempotent? There are codes, idempotent, \
             idempotent_services",
        ),
        // Nothing, where something is needed.
        ("codes = []", "a.retry.grpc.codes: must not be empty"),
        ("idempotent = []", "a.retry.grpc.idempotent: must not be empty"),
        ("idempotent_services = []", "a.retry.grpc.idempotent_services: must not be empty"),
        // Wrong types.
        ("codes = 14", "invalid type: integer `14`, expected a list of names of gRPC codes for a.retry.grpc.codes"),
        (
            "codes = \"UNAVAILABLE\"",
            "invalid type: string \"UNAVAILABLE\", expected a list of names of gRPC codes for a.retry.grpc.codes",
        ),
        (
            "codes = [14]",
            "invalid type: integer `14`, expected text in the list of names of gRPC codes for a.retry.grpc.codes",
        ),
        (
            "idempotent = true",
            "invalid type: boolean `true`, expected a list of paths of gRPC methods for a.retry.grpc.idempotent",
        ),
        // Names of nothing.
        ("codes = [\"UNAVALABLE\"]", &format!("a.retry.grpc.codes: \"UNAVALABLE\" {code}; did you mean UNAVAILABLE?")),
        ("codes = [\"ABORTED\", \"NOPE\"]", &format!("a.retry.grpc.codes: \"NOPE\" {code}")),
        ("codes = [\"\"]", &format!("a.retry.grpc.codes: \"\" {code}")),
        ("codes = [\"OK\"]", "a.retry.grpc.codes: \"OK\" is no failure"),
        ("idempotent = [\"/a/b\", \"Get\"]", &format!("a.retry.grpc.idempotent: \"Get\" {path}")),
        ("idempotent = [\"/a/b/c\"]", &format!("a.retry.grpc.idempotent: \"/a/b/c\" {path}")),
        ("idempotent = [\"\"]", &format!("a.retry.grpc.idempotent: \"\" {path}")),
        ("idempotent_services = [\"/a/b\"]", &format!("a.retry.grpc.idempotent_services: \"/a/b\" {service}")),
        // Twice.
        ("codes = [\"ABORTED\"]\ncodes = [\"ABORTED\"]", "duplicate key"),
    ] {
        let (text, at) = flaw(&format!("[a.retry.grpc]\n{line}"));
        assert_eq!((text.as_str(), at), (expected, 2 + line.matches('\n').count()), "{line}");
    }
    let (text, at) = flaw("[a.retry]\ngrpc = [\"ABORTED\"]");
    assert_eq!((text.as_str(), at), ("invalid type: sequence, expected a table for a.retry.grpc", 2));
    // In JSON a key that is there twice is our own error.
    let text = r#"{"a": {"retry": {"grpc": {"codes": ["ABORTED"], "codes": ["ABORTED"]}}}}"#;
    let error = serde_json::from_str::<Policies>(text).unwrap_err().to_string();
    assert!(error.starts_with("a.retry.grpc.codes: it is there twice"), "{error}");
}
