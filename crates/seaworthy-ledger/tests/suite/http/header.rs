use ::http::{HeaderValue, Request};
use seaworthy_ledger::Key;

use super::{App, Body, ask, body, builder, counting, ledger, post};

async fn status_of(app: &App, value: &[u8]) -> u16 {
    let request = Request::post("/orders").header("idempotency-key", HeaderValue::from_bytes(value).unwrap());
    ask(app, request.body(body("")).unwrap()).await.status.as_u16()
}

/// LG-71: a string of a structured field, or the same without quotes, names a key; both the same.
#[tokio::test(start_paused = true)]
async fn two_forms_of_one_key() {
    let (ledger, _) = ledger();
    let (app, calls) = counting(&builder(&ledger).build().unwrap());
    let forms = [r#""8e03-978e""#, "8e03-978e", r#"  "8e03-978e" "#, " 8e03-978e  "];
    for (sent, form) in forms.into_iter().enumerate() {
        let told = ask(&app, post(form)).await;
        assert_eq!((told.status.as_u16(), told.is_replayed()), (200, sent > 0), "{form}");
        assert_eq!(told.body, "call 1");
    }
    assert!(ledger.lookup(&Key::new("http", "8e03-978e").unwrap()).await.unwrap().is_some());

    // Escapes are part of the form, not of the key.
    assert_eq!(ask(&app, post(r#""a\"b\\c""#)).await.body, "call 2");
    assert!(ledger.lookup(&Key::new("http", r#"a"b\c"#).unwrap()).await.unwrap().is_some());
    // What base64 is made of needs no quotes.
    assert_eq!(ask(&app, post("aGVsbG8+/w==")).await.body, "call 3");
    assert!(ask(&app, post(r#""aGVsbG8+/w==""#)).await.is_replayed());
    assert_eq!(calls.count(), 3);
}

/// LG-71: empty, too long, not visible ASCII, a list, parameters, half a string: 400, and nothing was asked of the store.
#[tokio::test(start_paused = true)]
async fn unusable_keys() {
    let (ledger, store) = ledger();
    let (app, calls) = counting(&builder(&ledger).build().unwrap());
    let long = "k".repeat(255);
    let longer = "k".repeat(256);
    let unusable: [&[u8]; 22] = [
        b"",
        b"  ",
        br#""""#,
        longer.as_bytes(),
        b"two words",
        br#""two words""#,
        b"tab\tbed",
        "\"é\"".as_bytes(),
        "é".as_bytes(),
        b"\xff",
        b"a,b",
        br#""a","b""#,
        br#""a", "b""#,
        b"a;p=1",
        br#""a";p=1"#,
        br#""a"#,
        br#"a""#,
        br#"a"b"#,
        br#""a"b""#,
        br#""a\"#,
        br#""a\x""#,
        br#"""#,
    ];
    for value in unusable {
        assert_eq!(status_of(&app, value).await, 400, "{:?}", String::from_utf8_lossy(value));
    }
    assert_eq!((calls.count(), store.take_calls()), (0, vec![]));

    // The opposite: the longest, in both forms. Escapes do not count.
    assert_eq!(status_of(&app, long.as_bytes()).await, 200);
    assert_eq!(status_of(&app, format!("\"{long}\"").as_bytes()).await, 200);
    assert_eq!(status_of(&app, format!("\"{}\"", r"\\".repeat(255)).as_bytes()).await, 200);
    assert_eq!(status_of(&app, format!("\"{}\"", r"\\".repeat(256)).as_bytes()).await, 400);
    assert_eq!(calls.count(), 2);
}

/// LG-71: what was refused at once has one answer; who asks for another hears of it, instead of waiting for ever.
#[tokio::test(start_paused = true)]
#[should_panic(expected = "`IdempotencyKeyFuture` was polled after it was ready")]
async fn refused_once() {
    let (ledger, _) = ledger();
    let (mut app, _) = counting(&builder(&ledger).build().unwrap());
    let mut call = tokio_test::task::spawn(tower::Service::call(&mut app, post("two words")));
    assert!(call.poll().is_ready());
    let _ = call.poll();
}

/// LG-71: two lines of the header are no key, even if they are equal.
#[tokio::test(start_paused = true)]
async fn two_lines() {
    let (ledger, _) = ledger();
    let (app, calls) = counting(&builder(&ledger).build().unwrap());
    for second in ["a", "b", ""] {
        let mut request: Request<Body> = post("a");
        request.headers_mut().append("idempotency-key", second.parse().unwrap());
        assert_eq!(ask(&app, request).await.status, 400);
    }
    assert_eq!(calls.count(), 0);
}

/// LG-71: `strict` refuses the form without quotes, and takes the other.
#[tokio::test(start_paused = true)]
async fn strict() {
    let (ledger, _) = ledger();
    let (app, calls) = counting(&builder(&ledger).strict().build().unwrap());
    assert_eq!(status_of(&app, b"8e03").await, 400);
    assert_eq!(calls.count(), 0);
    assert_eq!(status_of(&app, br#""8e03""#).await, 200);
    assert_eq!(calls.count(), 1);
}

/// LG-71: another header can have the key; then `Idempotency-Key` is one like any other.
#[tokio::test(start_paused = true)]
async fn another_header() {
    let (ledger, _) = ledger();
    let layer = builder(&ledger).header("paypal-request-id".parse().unwrap()).build().unwrap();
    let (app, calls) = counting(&layer);
    let request = |name: &str| Request::post("/").header(name, "a").body(body("")).unwrap();
    for _ in 0..2 {
        ask(&app, request("idempotency-key")).await;
    }
    assert_eq!(calls.count(), 2);
    for _ in 0..2 {
        ask(&app, request("PayPal-Request-Id")).await;
    }
    assert_eq!(calls.count(), 3);
}
