use seaworthy::http::{InboundBuilder, InboundLayer, OutboundLayer};

use super::*;
use crate::support::{MS, SECOND};

/// DL-13: `timeout_header` renames the header, and `also_read` reads more of them; the smallest counts.
#[tokio::test(start_paused = true)]
async fn dl_13_other_names() {
    const ENVOY: &str = "x-envoy-expected-rq-timeout-ms";
    let renamed = InboundLayer::builder().timeout_header("X-Time-Left").build().unwrap();
    let more = InboundLayer::builder().also_read(ENVOY).also_read("x-other").build().unwrap();
    for (layer, headers, left) in [
        (&renamed, vec![("x-time-left", "7"), (TIMEOUT, "5")], Some(7 * MS)),
        (&renamed, vec![(TIMEOUT, "5")], None),
        (&renamed, vec![("x-time-left", "7"), (GRPC, "5m")], Some(5 * MS)),
        (&more, vec![(TIMEOUT, "7"), (ENVOY, "5")], Some(5 * MS)),
        (&more, vec![(TIMEOUT, "5"), (ENVOY, "7"), ("x-other", "6")], Some(5 * MS)),
        (&more, vec![("x-other", "6")], Some(6 * MS)),
        (&more, vec![(ENVOY, "x"), (GRPC, "9m")], Some(9 * MS)),
    ] {
        assert_eq!(through(layer, request(&headers)).await.unwrap().left(), left, "{headers:?}");
    }
    let told = Told::default();
    let layer = InboundLayer::builder().also_read(ENVOY).observer(told.clone()).build().unwrap();
    through(&layer, request(&[(ENVOY, "x")])).await.unwrap();
    assert_eq!(told.take(), [format!("malformed {ENVOY}")]);
}

/// DL-12, DL-13: what is wrong is refused by the builder, which names the field, the value and the rule.
#[test]
fn dl_12_bad_settings() {
    type Set = fn(InboundBuilder) -> InboundBuilder;
    let table: [(Set, &str); 15] = [
        (|it| it.max(Duration::ZERO), "max is 0ns, must be longer than zero"),
        (|it| it.default(Duration::ZERO), "default is 0ns, must be longer than zero"),
        (|it| it.least(Duration::ZERO), "least is 0ns, must be longer than zero"),
        (|it| it.max(MS).default(2 * MS), "default is 2ms, must not be above `max`"),
        (|it| it.max(MS).least(2 * MS), "least is 2ms, must not be above `max`"),
        (|it| it.default(MS).least(2 * MS), "least is 2ms, must not be above `default`"),
        (|it| it.timeout_header(""), "timeout_header is \"\", must be the name of a header"),
        (|it| it.timeout_header("time left"), "timeout_header is \"time left\", must be the name of a header"),
        (|it| it.timeout_header("zeit-übrig"), "timeout_header is \"zeit-übrig\", must be the name of a header"),
        (|it| it.also_read("a\nb"), "also_read is \"a\\nb\", must be the name of a header"),
        (
            |it| it.timeout_header("grpc-timeout"),
            "timeout_header is \"grpc-timeout\", must not be gRPC's, which is not in milliseconds",
        ),
        (
            |it| it.also_read("Grpc-Timeout"),
            "also_read is \"Grpc-Timeout\", must not be gRPC's, which is not in milliseconds",
        ),
        (|it| it.also_read("X-Request-Timeout-Ms"), "also_read is \"X-Request-Timeout-Ms\", must not be read already"),
        (|it| it.timeout_header("a").also_read("b").also_read("b"), "also_read is \"b\", must not be read already"),
        (|it| it.name(""), "name is \"\", must not be empty"),
    ];
    for (set, expected) in table {
        let error = set(InboundLayer::builder()).build().unwrap_err();
        assert_eq!(error.to_string(), format!("inbound layer: {expected}"));
    }
    let error = InboundLayer::builder().name("edge").max(Duration::ZERO).build().unwrap_err();
    assert_eq!(error.to_string(), "inbound layer `edge`: max is 0ns, must be longer than zero");
    assert!(InboundLayer::builder().max(MS).default(MS).least(MS).build().is_ok());
    assert!(InboundLayer::builder().timeout_header("a").also_read(TIMEOUT).build().is_ok());
}

/// DL-14: the same for the way out.
#[test]
fn dl_14_bad_settings() {
    let build = OutboundLayer::builder;
    let error = build().timeout_header("a b").build().unwrap_err().to_string();
    assert_eq!(error, "outbound layer: timeout_header is \"a b\", must be the name of a header");
    let error = build().timeout_header(http::HeaderName::from_static(GRPC)).build().unwrap_err();
    assert_eq!((error.field(), error.rule()), ("timeout_header", "must not be gRPC's, which is not in milliseconds"));
    assert_eq!(build().name("").build().unwrap_err().field(), "name");
    assert!(build().name("client").allowance(SECOND).timeout_header("x-left").build().is_ok());
}
