use proptest::prelude::*;
use seaworthy::DeadlineStage;
use seaworthy::http::{InboundLayer, OutboundLayer};
use tokio::runtime::{Builder, Runtime};

use super::*;
use crate::support::{MS, SECOND, advance};

/// A machine with a clock of its own, which stands `ahead` of the others'.
fn machine(ahead: Duration) -> Runtime {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(advance(ahead));
    runtime
}

/// What a hop sends on, after it has worked for a while.
fn hop(machine: &Runtime, received: Request<()>, works_for: Duration) -> Result<Request<()>, BoxError> {
    let service = InboundLayer::new().layer(service_fn(async |received: Request<()>| {
        advance(works_for).await;
        let mut sent = request(&[]);
        if let Some(content_type) = received.headers().get("content-type") {
            sent.headers_mut().insert("content-type", content_type.clone());
        }
        let client = OutboundLayer::new().layer(service_fn(async |sent: Request<()>| Ok::<_, BoxError>(sent)));
        client.oneshot(sent).await
    }));
    machine.block_on(service.oneshot(received))
}

/// DL-15: two machines whose clocks differ by an hour agree on what is left, because only that goes over the wire: the
/// time on the wire aside, each hop has what the one before it had left. GR-12: with `grpc-timeout`, too.
#[test]
fn dl_15_clocks_that_differ() {
    let hour = Duration::from_secs(3600);
    for (content_type, name, values) in [
        ("application/json", TIMEOUT, ["2000", "1870", "1690", "1690"]),
        ("application/grpc", GRPC, ["2000000u", "1870000u", "1690000u", "1690000u"]),
    ] {
        for clocks in [[hour, Duration::ZERO, 2 * hour], [Duration::ZERO, hour, Duration::ZERO], [hour; 3]] {
            let mut message = request(&[("content-type", content_type), (name, values[0])]);
            for ((ahead, works_for), expected) in
                clocks.into_iter().zip([130 * MS, 180 * MS, Duration::ZERO]).zip(&values[1..])
            {
                message = hop(&machine(ahead), message, works_for).unwrap();
                assert_eq!(message.headers()[name], expected, "{clocks:?}");
            }
        }
    }
}

/// DL-15: and where the time runs out, the hop at which it does sends nothing.
#[test]
fn dl_15_runs_out() {
    let machine = machine(SECOND);
    let received = || request(&[(TIMEOUT, "100")]);
    assert!(hop(&machine, received(), 99 * MS).is_ok());
    for works_for in [Duration::from_nanos(99_000_001), 100 * MS, SECOND] {
        assert_eq!(stage(&hop(&machine, received(), works_for)), Some(DeadlineStage::Arrival), "{works_for:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// DL-15, GR-12: over any number of hops, gRPC or not, nobody ever has more time than the one before had left.
    #[test]
    fn dl_15_never_grows(
        first in 1..100_000_000_u64,
        hops in proptest::collection::vec((any::<bool>(), 0..40_000_000_000_u64), 1..6),
    ) {
        let machine = machine(Duration::ZERO);
        let mut message = request(&[]);
        message.headers_mut().insert(TIMEOUT, first.to_string().parse().unwrap());
        let mut left = Duration::from_millis(first);
        for (is_grpc, works_for) in hops {
            let content_type = if is_grpc { "application/grpc" } else { "application/json" };
            message.headers_mut().insert("content-type", content_type.parse().unwrap());
            let works_for = Duration::from_nanos(works_for);
            left = left.saturating_sub(works_for);
            let Ok(sent) = hop(&machine, message, works_for) else {
                let too_little = left < if is_grpc { Duration::from_nanos(1) } else { MS };
                prop_assert!(too_little, "{:?}", left);
                return Ok(());
            };
            let mut arrives = request(&[]);
            *arrives.headers_mut() = sent.headers().clone();
            let next = machine.block_on(async { through(InboundLayer::new(), arrives).await.unwrap().left() });
            let next = next.expect("a deadline");
            prop_assert!(next <= left, "{:?} of {:?}", next, left);
            (left, message) = (next, sent);
        }
    }
}
