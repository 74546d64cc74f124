use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use seaworthy::http::{HttpReplay, HttpRetry, ReplayBody};
use seaworthy::retry::{RetryBuilder, StopReason};
use seaworthy::{Backoff, BoxError, Rejected, RetryPolicy};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::{Told, quick};
use crate::support::{MS, SECOND, now};

type Sent = Request<ReplayBody<Full<Bytes>>>;

fn request(method: Method, body: &'static str) -> Request<Full<Bytes>> {
    Request::builder().method(method).uri("/orders?page=2").body(Full::from(body)).unwrap()
}

/// Answers every request with `answer`, which gets the number of the call; counts and checks nothing.
fn server<F>(answer: F) -> impl Service<Sent, Response = Response<String>, Error = BoxError, Future: Send> + Clone
where
    F: Fn(u32) -> Result<Response<String>, BoxError> + Clone + Send,
{
    let calls = std::sync::Arc::<AtomicU32>::default();
    service_fn(move |_: Sent| {
        let call = calls.fetch_add(1, Ordering::Relaxed) + 1;
        std::future::ready(answer(call))
    })
}

fn status(status: u16) -> Response<String> {
    Response::builder().status(status).body(String::new()).unwrap()
}

/// How many attempts were made and why there were no more; none if the first one succeeded.
async fn stop(
    request: Request<Full<Bytes>>,
    answer: fn(u32) -> Result<Response<String>, BoxError>,
) -> (u32, StopReason) {
    let told = Told::default();
    let policy = told.by(quick(3)).build().unwrap();
    let _answer = policy.http_layer().layer(server(answer)).oneshot(request).await;
    told.stops().pop().unwrap_or((1, StopReason::Succeeded))
}

/// RT-13: idempotent methods are tried again; others are not, unless they have an `Idempotency-Key`.
#[tokio::test]
async fn methods() {
    let mut idempotent = HashSet::new();
    for method in ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "POST", "PATCH", "CONNECT", "BREW", "get"] {
        let method: Method = method.parse().unwrap();
        for fails in [(|_| Ok(status(503))) as fn(u32) -> _, |_| Err("broken pipe".into())] {
            match stop(request(method.clone(), "x"), fails).await {
                (3, StopReason::AttemptsExhausted) => assert!(idempotent.insert(method.clone()) || method != "POST"),
                other => assert_eq!(other, (1, StopReason::NotReplayable), "{method}"),
            }
        }
        for (key, expected) in [("7f3a", (3, StopReason::AttemptsExhausted)), ("", (1, StopReason::NotReplayable))] {
            let mut request = request(method.clone(), "x");
            request.headers_mut().insert("Idempotency-Key", HeaderValue::from_static(key));
            if key.is_empty() && idempotent.contains(&method) {
                continue;
            }
            assert_eq!(stop(request, |_| Ok(status(503))).await, expected, "{method} {key:?}");
        }
    }
    let expected = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];
    assert_eq!(idempotent, expected.map(|method| method.parse().unwrap()).into());
}

/// HC-12: methods that may be repeated can be listed; the others stay as they were, with or without a larger body.
#[tokio::test]
async fn methods_that_were_listed() {
    let stop = async |method: Method, replay: HttpReplay| {
        let told = Told::default();
        let policy = told.by(quick(3)).build().unwrap();
        let layer = policy.http_layer().replay(replay);
        let _answer = layer.layer(server(|_| Ok(status(503)))).oneshot(request(method, "x")).await;
        told.stops()
    };
    let brew = Method::from_bytes(b"BREW").unwrap();
    let again = [(3, StopReason::AttemptsExhausted)];
    let once = [(1, StopReason::NotReplayable)];
    let listed = HttpReplay::new().also(Method::POST).max_body(1 << 20).also(brew.clone());
    for method in [Method::POST, brew.clone(), Method::PUT, Method::GET] {
        assert_eq!(stop(method.clone(), listed.clone()).await, again, "{method}");
    }
    for method in [Method::PATCH, Method::CONNECT] {
        assert_eq!(stop(method.clone(), listed.clone()).await, once, "{method}");
    }
    for method in [Method::POST, brew] {
        assert_eq!(stop(method.clone(), HttpReplay::new()).await, once, "{method}");
        assert_eq!(stop(method.clone(), HttpReplay::new().max_body(1 << 20)).await, once, "{method}");
    }
    // Without settings it is one word.
    assert_eq!(size_of::<HttpReplay>(), size_of::<usize>());
}

/// HC-12: a decision can see method and URI besides the result: for every attempt, the last included, and for a request
/// that may not be repeated, too. A policy as a whole does the same.
#[tokio::test]
async fn a_decision_sees_the_request() {
    use seaworthy::RetryIf;
    use seaworthy::http::RetryIfRequest;
    use seaworthy::retry::Decision;

    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let by = std::sync::Arc::clone(&seen);
    let decide = RetryIfRequest::new(move |method: &Method, uri: &http::Uri, result: &Result<_, BoxError>| {
        by.lock().unwrap().push(format!("{method} {uri}"));
        match result {
            Err(_) if uri.path() == "/orders" && method != Method::GET => Decision::Stop,
            other => HttpRetry.retry_if(other),
        }
    });
    let told = Told::default();
    let retry = told.by(quick(3)).build().unwrap();
    let layer = retry.http_layer().retry_if_for(decide.clone());
    let fails = || server(|_| Err("broken pipe".into()));
    for (method, attempts, reason) in [
        (Method::GET, 3, StopReason::AttemptsExhausted),
        (Method::PUT, 1, StopReason::NotRetryable),
        (Method::POST, 1, StopReason::NotRetryable),
    ] {
        layer.layer(fails()).oneshot(request(method.clone(), "")).await.unwrap_err();
        assert_eq!(told.stops(), [(attempts, reason)], "{method}");
        let seen = std::mem::take(&mut *seen.lock().unwrap());
        assert_eq!(seen, vec![format!("{method} /orders?page=2"); attempts as usize]);
    }

    let policy = seaworthy::Policy::builder("whole").shared_retry(retry).build().unwrap();
    let layer = policy.http_layer().retry_if_for(decide);
    for (method, attempts) in [(Method::GET, 3), (Method::PUT, 1)] {
        layer.layer(fails()).oneshot(request(method.clone(), "")).await.unwrap_err();
        assert_eq!(told.stops()[0].0, attempts, "{method}");
    }
}

/// RT-13: 429, 502, 503 and 504 are tried again, and no other status.
#[tokio::test]
async fn statuses() {
    let calls = AtomicU32::new(0);
    for code in 100..600 {
        let told = Told::default();
        let policy = told.by(quick(2)).build().unwrap();
        let server = server(move |_| Ok(status(code)));
        let answer = policy.http_layer().layer(server).oneshot(request(Method::GET, "")).await.unwrap();
        assert_eq!(answer.status(), code);
        let retried = !told.take().is_empty();
        assert_eq!(retried, [429, 502, 503, 504].contains(&code), "{code}");
        calls.fetch_add(u32::from(retried), Ordering::Relaxed);
    }
    assert_eq!(calls.into_inner(), 4);
}

/// RT-03, over HTTP: errors as by default, so that no open circuit is hammered.
#[tokio::test]
async fn errors() {
    assert_eq!(stop(request(Method::GET, ""), |_| Err("broken pipe".into())).await.0, 3);
    assert_eq!(
        stop(request(Method::GET, ""), |_| Err(Rejected::TimedOut { after: SECOND.into(), timeout: None }.into()))
            .await
            .0,
        3
    );
    let open = stop(request(Method::GET, ""), |_| {
        Err(Rejected::CircuitOpen { name: "below".into(), retry_after: None.into() }.into())
    });
    assert_eq!(open.await, (1, StopReason::NotRetryable));
}

/// RT-13: the last response is returned unchanged: status, headers and body.
#[tokio::test]
async fn last_response_intact() {
    let server = server(|call| {
        let body = format!("busy, for the {call}. time");
        Ok(Response::builder().status(503).header("x-call", call).header("retry-after", "0").body(body).unwrap())
    });
    let policy = quick(3).build().unwrap();
    let answer = policy.http_layer().layer(server).oneshot(request(Method::GET, "")).await.unwrap();
    assert_eq!(
        (answer.status(), &answer.headers()["x-call"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"3".parse().unwrap())
    );
    assert_eq!(answer.into_body(), "busy, for the 3. time");
}

/// RT-13: each attempt gets the same method, target, headers, extensions and body.
#[tokio::test]
async fn same_request() {
    #[derive(Clone, Debug, PartialEq)]
    struct Tag(u32);

    let calls = AtomicU32::new(0);
    let seen = &calls;
    let service = service_fn(move |request: Sent| async move {
        seen.fetch_add(1, Ordering::Relaxed);
        let (head, body) = request.into_parts();
        assert_eq!((head.method.as_str(), head.uri.to_string().as_str()), ("PUT", "/orders?page=2"));
        assert_eq!((&head.headers["x-tag"], head.extensions.get()), (&HeaderValue::from(7), Some(&Tag(7))));
        assert_eq!(http_body::Body::size_hint(&body).exact(), Some(9));
        assert_eq!(body.collect().await?.to_bytes(), "two boxes");
        Ok::<_, BoxError>(status(503))
    });
    let mut request = request(Method::PUT, "two boxes");
    request.headers_mut().insert("x-tag", HeaderValue::from(7));
    request.extensions_mut().insert(Tag(7));
    quick(3).build().unwrap().http_layer().layer(service).oneshot(request).await.unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}

/// The wait between two attempts with a backoff of 1 s, if there was a second, after a response with this status and
/// this `Retry-After`.
async fn wait(code: u16, value: &str) -> Option<Duration> {
    wait_under(quick(2), code, value).await
}

async fn wait_under(builder: RetryBuilder, code: u16, value: &str) -> Option<Duration> {
    let told = Told::default();
    let value = value.to_owned();
    let server = server(move |_| {
        let mut response = status(code);
        response.headers_mut().insert("retry-after", value.parse()?);
        Ok(response)
    });
    let policy = told.by(builder).backoff(Backoff::constant(SECOND)).build().unwrap();
    let start = now();
    let answer = policy.http_layer().layer(server).oneshot(request(Method::GET, "")).await.unwrap();
    assert_eq!(answer.status(), code);
    let delays = told.delays();
    // Timers have a resolution of a millisecond.
    let late = start.elapsed() - delays.iter().sum::<Duration>();
    assert!(late < MS, "{late:?}");
    delays.first().copied()
}

/// HC-11, RT-10: `Retry-After` in seconds, with every status that is retried: the wait is it plus the backoff; beyond
/// its cap there is no retry.
#[tokio::test(start_paused = true)]
async fn retry_after_seconds() {
    for code in [429, 502, 503, 504] {
        for (value, expected) in [
            ("0", Some(SECOND)),
            ("1", Some(2 * SECOND)),
            ("7", Some(8 * SECOND)),
            ("30", Some(31 * SECOND)),
            ("31", None),
            ("18446744073709551615", None),
            ("18446744073709551616", None),
            ("99999999999999999999999999", None),
            ("soon", Some(SECOND)),
            ("-5", Some(SECOND)),
            ("", Some(SECOND)),
        ] {
            assert_eq!(wait(code, value).await, expected, "{code} {value:?}");
        }
    }
    // What is not retried is not retried later, either.
    for code in [200, 301, 404, 500] {
        assert_eq!(wait(code, "7").await, None, "{code}");
    }
}

/// RT-10: the cap can be set; a number too large to represent is beyond any.
#[tokio::test(start_paused = true)]
async fn retry_after_cap() {
    let builder = || quick(2).max_retry_after(Duration::from_secs(3600));
    assert_eq!(wait_under(builder(), 503, "3600").await, Some(3601 * SECOND));
    assert_eq!(wait_under(builder(), 503, "3601").await, None);
    assert_eq!(wait_under(quick(2).max_retry_after(Duration::MAX), 503, "18446744073709551616").await, None);
}

/// RT-10: `Retry-After` as a date; a past one asks for nothing.
#[tokio::test(start_paused = true)]
#[allow(clippy::disallowed_methods, reason = "dates are told by the wall clock")]
async fn retry_after_date() {
    let date = |seconds| httpdate::fmt_http_date(std::time::SystemTime::now() + Duration::from_secs(seconds));
    let waited = wait(503, &date(29)).await.unwrap();
    // The date has no fractions, and the clock runs on.
    assert!((20 * SECOND..=30 * SECOND).contains(&waited), "{waited:?}");
    assert_eq!(wait(503, &date(400)).await, None);
    assert_eq!(wait(503, &date(0)).await, Some(SECOND));
    assert_eq!(wait(503, "Sun, 06 Nov 1994 08:49:37 GMT").await, Some(SECOND));
    assert_eq!(wait(503, "Sun, 06 Nov 1994").await, Some(SECOND));
}

/// HC-11: a date is compared with the response's own `Date`, an hour ahead of our clock or behind it.
#[tokio::test(start_paused = true)]
#[allow(clippy::disallowed_methods, reason = "dates are told by the wall clock")]
async fn retry_after_date_of_another_clock() {
    let hour = 3600 * SECOND;
    let now = std::time::SystemTime::now();
    for sent in [now - hour, now, now + hour] {
        for code in [429, 502, 503, 504] {
            let server = server(move |call| {
                let mut response = status(if call == 1 { code } else { 200 });
                for (name, time) in [("date", sent), ("retry-after", sent + 5 * SECOND)] {
                    response.headers_mut().insert(name, httpdate::fmt_http_date(time).parse()?);
                }
                Ok(response)
            });
            let policy = quick(2).build().unwrap();
            let start = crate::support::now();
            let answer = policy.http_layer().layer(server).oneshot(request(Method::GET, "")).await.unwrap();
            assert_eq!(answer.status(), 200);
            assert_eq!(start.elapsed(), 5 * SECOND, "{code}");
        }
    }
}

/// HC-11: a hundred clients told to wait for 60 s come back at different times, none before that.
#[tokio::test(start_paused = true)]
async fn a_hundred_clients_who_were_told_the_same() {
    let told = Told::default();
    let policy = told.by(RetryPolicy::builder("test")).no_budget().attempts(2).max_retry_after(60 * SECOND);
    let layer = policy.build().unwrap().http_layer();
    for _ in 0..100 {
        let busy = server(|_| Ok(Response::builder().status(503).header("retry-after", 60).body(String::new())?));
        layer.layer(busy).oneshot(request(Method::GET, "")).await.unwrap();
    }
    let delays = told.delays();
    assert_eq!(delays.len(), 100);
    assert!(delays.iter().all(|delay| (60 * SECOND..=60 * SECOND + 500 * MS).contains(delay)), "{delays:?}");
    let different = delays.iter().collect::<HashSet<_>>().len();
    assert!(different >= 90, "{different}");
}

/// HC-11: by default a response that asks for more than 30 s goes to the caller at once.
#[tokio::test(start_paused = true)]
async fn retry_after_longer_than_half_a_minute() {
    let told = Told::default();
    let layer = told.by(RetryPolicy::builder("test")).build().unwrap().http_layer();
    for (seconds, attempts, reason) in [(30, 3, StopReason::AttemptsExhausted), (31, 1, StopReason::RetryAfterTooLong)]
    {
        let start = now();
        let busy = server(move |call| {
            let response = Response::builder().status(503).header("x-call", call).header("retry-after", seconds);
            Ok(response.body(String::new())?)
        });
        let answer = layer.layer(busy).oneshot(request(Method::GET, "")).await.unwrap();
        assert_eq!(answer.headers()["x-call"], attempts.to_string());
        assert_eq!(told.stops(), [(attempts, reason)]);
        assert_eq!(start.elapsed() < SECOND, attempts == 1);
    }
}

/// RT-11 with RT-10: a hint that leads beyond the deadline ends the retrying at once.
#[tokio::test(start_paused = true)]
async fn retry_after_and_deadline() {
    assert_eq!(wait_under(quick(2).deadline(10 * SECOND), 503, "8").await, Some(9 * SECOND));
    assert_eq!(wait_under(quick(2).deadline(10 * SECOND), 503, "9").await, None);
}

/// The parts can be used separately: other statuses, and a larger body.
#[tokio::test]
async fn parts() {
    use seaworthy::RetryIf;
    use seaworthy::retry::Decision;
    let policy = quick(2).build().unwrap();
    let layer = policy.http_layer().retry_if(|result: &Result<Response<String>, BoxError>| match result {
        Ok(response) if response.status() == StatusCode::TOO_EARLY => Decision::Retry,
        other => HttpRetry.retry_if(other),
    });
    let layer = layer.replay(HttpReplay::new().max_body(1 << 20));
    let server = server(|call| Ok(status(if call == 1 { 425 } else { 200 })));
    let answer = layer.layer(server).oneshot(request(Method::PUT, "")).await.unwrap();
    assert_eq!(answer.status(), 200);
}

/// Through a real client and a real server: the first responses come before the body was read, and the last has all of
/// it.
#[tokio::test]
async fn over_the_wire() {
    use axum::routing::put;
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;

    let calls = std::sync::Arc::<AtomicU32>::default();
    let app = axum::Router::new().route(
        "/",
        put(move |headers: HeaderMap, body: axum::body::Body| async move {
            let call = calls.fetch_add(1, Ordering::Relaxed);
            if call < 2 {
                return (StatusCode::SERVICE_UNAVAILABLE, "busy".to_owned());
            }
            let body = body.collect().await.unwrap().to_bytes();
            (StatusCode::OK, format!("{} {:?}", body.len(), headers.get("content-length")))
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });

    let policy = RetryPolicy::builder("wire").backoff(Backoff::constant(MS)).build().unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http::<ReplayBody<Full<Bytes>>>();
    let client = policy.http_layer().layer(seaworthy::WrapErrorLayer::new().layer(client));
    for size in [0, 1, 1_000, 64 * 1024 - 64] {
        let body = Full::from(vec![7_u8; size]);
        let request = Request::put(format!("http://{address}/")).body(body).unwrap();
        let answer = client.clone().oneshot(request).await.unwrap();
        let text = answer.into_body().collect().await.unwrap().to_bytes();
        // The length is sent as without a retry; the client sends none for an empty body.
        let expected = if size == 0 { "0 None".to_owned() } else { format!("{size} Some(\"{size}\")") };
        assert_eq!(text, expected.as_bytes());
    }
}
