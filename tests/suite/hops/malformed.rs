use seaworthy::http::InboundLayer;

use super::*;
use crate::support::{LevelFilter, Log, MS, SECOND};

/// DL-13: malformed is as if absent, is told once a request, and is never a rejection.
#[tokio::test(start_paused = true)]
async fn dl_13_malformed_is_as_if_absent() {
    let told = Told::default();
    let layer = InboundLayer::builder().observer(told.clone()).build().unwrap();
    for value in ["", "soon", "-1", "+1", "1.5", "1 ", "1s", "10000000000", "0x1", "1,2"] {
        let seen = through(&layer, request(&[(TIMEOUT, value)])).await.unwrap();
        assert_eq!((seen.left(), told.take()), (None, vec!["malformed x-request-timeout-ms".into()]), "{value:?}");
    }
    for value in ["", "1", "S", "1s", "-1S", "1.5S", "123456789S", "1 S", "1SS", "m1"] {
        let seen = through(&layer, request(&[(GRPC, value)])).await.unwrap();
        assert_eq!((seen.left(), told.take()), (None, vec!["malformed grpc-timeout".into()]), "{value:?}");
    }
    // Neither text nor a number.
    let mut bytes = request(&[]);
    bytes.headers_mut().insert(TIMEOUT, http::HeaderValue::from_bytes(b"\xff\xfe7").unwrap());
    assert_eq!(through(&layer, bytes).await.unwrap().left(), None);
    assert_eq!(told.take(), ["malformed x-request-timeout-ms"]);
}

/// DL-13: of two of which one is malformed the other counts; of two names, of which one is malformed, too. However many
/// are malformed, it is told once.
#[tokio::test(start_paused = true)]
async fn dl_13_the_well_formed_counts() {
    let told = Told::default();
    let layer = InboundLayer::builder().default(SECOND).observer(told.clone()).build().unwrap();
    for (headers, left) in [
        (vec![(TIMEOUT, "x"), (TIMEOUT, "7")], 7 * MS),
        (vec![(TIMEOUT, "7"), (TIMEOUT, "x")], 7 * MS),
        (vec![(TIMEOUT, "x"), (TIMEOUT, "9"), (TIMEOUT, "7"), (TIMEOUT, "y")], 7 * MS),
        (vec![(TIMEOUT, "x"), (GRPC, "7m")], 7 * MS),
        (vec![(TIMEOUT, "7000"), (GRPC, "7")], 7 * SECOND),
        (vec![(TIMEOUT, "x"), (GRPC, "7")], SECOND),
    ] {
        let seen = through(&layer, request(&headers)).await.unwrap();
        assert_eq!(seen.left(), Some(left), "{headers:?}");
        let told = told.take();
        assert_eq!(told.iter().filter(|text| text.contains("malformed")).count(), 1, "{told:?}");
    }
}

/// DL-13: what nobody observes is logged, at debug, with the name of the header and without its value.
#[tokio::test(start_paused = true)]
async fn dl_13_logged() {
    let log = Log::default();
    let _listening = log.listen(LevelFilter::DEBUG);
    let layer = InboundLayer::builder().name("edge").build().unwrap();
    let seen = through(&layer, request(&[(TIMEOUT, "secret"), (GRPC, "1S")])).await.unwrap();
    assert_eq!(seen.left(), Some(SECOND));
    let logged = log.take();
    let expected = "DEBUG seaworthy::deadline: malformed header ignored name=edge header=\"x-request-timeout-ms\"";
    assert_eq!(logged.trim(), expected);
}
