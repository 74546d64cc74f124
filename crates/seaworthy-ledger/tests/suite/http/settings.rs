use std::time::Duration;

use seaworthy::ConfigError;
use seaworthy_ledger::Ledger;
use seaworthy_ledger::http::{IdempotencyKeyBuilder, IdempotencyKeyLayer, Scoped};

use super::{ask, body, counting, ledger, post};
use crate::doubles::Faulty;

type Builder = IdempotencyKeyBuilder<Faulty, Scoped>;

fn built(with: impl FnOnce(Builder) -> Builder) -> Result<IdempotencyKeyLayer<Faulty>, ConfigError> {
    with(super::builder(&ledger().0)).build()
}

fn refused(with: impl FnOnce(Builder) -> Builder) -> String {
    built(with).unwrap_err().to_string()
}

/// LG-25: what cannot be used is refused when the layer is built, and the error names the setting.
#[test]
fn refuses() {
    let begin = "idempotency key layer `orders`: ";
    let table = [
        (refused(|b| b.methods([])), "methods is [], must not be empty"),
        (refused(|b| b.max_response(1 << 21)), "max_response is 2097152, must be at most the ledger's max_result"),
        (refused(|b| b.max_response(0)), "max_response is 0, must be at least 1 byte"),
        (
            refused(|b| b.keep(Duration::from_secs(60))),
            "keep is 60s, must be longer than the ledger's lease and at most 10 years",
        ),
        (
            refused(|b| b.keep(Duration::MAX)),
            "keep is 18446744073709551615.999999999s, must be longer than the ledger's lease and at most 10 years",
        ),
        (refused(|b| b.docs("")), "docs is \"\", must be a URL in visible ASCII"),
        (refused(|b| b.docs("https://a b")), "docs is \"https://a b\", must be a URL in visible ASCII"),
    ];
    for (error, expected) in table {
        assert_eq!(error, format!("{begin}{expected}"));
    }
    for name in ["set-cookie", "date", "connection", "transfer-encoding", "content-length", "keep-alive"] {
        let error = refused(|builder| builder.keep_header(name.parse().unwrap()));
        assert_eq!(error, format!("{begin}keep_header is \"{name}\", must not be of one connection or one moment"));
    }
    assert!(built(|b| b.keep(Duration::from_millis(60_001)).max_response(1 << 20).max_request(usize::MAX)).is_ok());
}

/// LG-77: unless it was set, the limit of an answer is what the ledger keeps, and 1 MiB at most.
#[tokio::test(start_paused = true)]
async fn as_much_as_the_ledger_keeps() {
    for (max_result, limit) in [(None, 64 << 10), (Some(100), 100), (Some(2 << 20), 1 << 20)] {
        let ledger = Ledger::with_store("orders", Faulty::default());
        let ledger = max_result.into_iter().fold(ledger, |ledger, bytes| ledger.max_result(bytes)).build().unwrap();
        let (app, _) = super::app(&super::builder(&ledger).build().unwrap(), async |request: super::Asked| {
            let length = request.uri().query().unwrap().parse()?;
            super::ok(vec![b'x'; length])
        });
        for (length, is_kept) in [(limit, true), (limit + 1, false)] {
            let request = || {
                let request =
                    ::http::Request::post(format!("/?{length}")).header("idempotency-key", format!("{length}"));
                request.body(body("")).unwrap()
            };
            assert_eq!(ask(&app, request()).await.body.len(), length);
            assert_eq!(ask(&app, request()).await.is_replayed(), is_kept, "{max_result:?} {length}");
        }
    }
}

/// LG-72: clones of a layer, and services that it makes, share its keys and its count.
#[tokio::test(start_paused = true)]
async fn shared() {
    let (ledger, _) = ledger();
    let layer = super::builder(&ledger).build().unwrap();
    let (one, first) = counting(&layer);
    let (two, second) = counting(&layer.clone());
    ask(&one, post("a")).await;
    assert!(ask(&two, post("a")).await.is_replayed());
    assert_eq!((first.count(), second.count()), (1, 0));
    assert_eq!(layer.ledger().name().as_str(), "orders");
    assert_eq!(
        format!("{layer:?}"),
        r#"IdempotencyKeyLayer { ledger: Ledger { name: "orders", held: 0, .. }, in_flight: 0, .. }"#
    );
}
