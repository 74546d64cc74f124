//! gRPC: what is retried, when, and of which requests.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use seaworthy::http::ReplayBody;
use seaworthy::http::grpc::{Code, GrpcMethods, GrpcReplay, GrpcRetry};
use seaworthy::retry::{RetryBuilder, StopReason};
use seaworthy::{Backoff, BoxError, Rejected, RetryIf};
use tower::{Layer, ServiceExt, service_fn};

use super::{Told, quick};
use crate::support::{MS, SECOND};

type Outcome = Result<Response<String>, BoxError>;

fn named() -> GrpcMethods {
    GrpcMethods::builder().idempotent("/shop.Cart/Get").idempotent_service("shop.Catalogue").build().unwrap()
}

fn request(path: &str) -> Request<Full<Bytes>> {
    let builder = Request::post(format!("http://shop{path}")).header("content-type", "application/grpc");
    builder.body(Full::from("message")).unwrap()
}

/// A head that carries this code.
fn code(code: &str) -> Outcome {
    Ok(Response::builder().header("grpc-status", code).body(String::new()).unwrap())
}

fn pushed_back(number: &str, pushback: &str) -> Outcome {
    let mut response = code(number)?;
    response.headers_mut().insert("grpc-retry-pushback-ms", pushback.parse()?);
    Ok(response)
}

/// How many attempts were made, and what is told of them.
async fn attempts(builder: RetryBuilder, retry: GrpcRetry, path: &str, answer: impl Fn() -> Outcome) -> (u32, Told) {
    let told = Told::default();
    let policy = told.by(builder).grpc(retry).build().unwrap();
    let calls = AtomicU32::new(0);
    let server = service_fn(|sent: Request<ReplayBody<Full<Bytes>>>| {
        calls.fetch_add(1, Ordering::Relaxed);
        let answer = answer();
        async move {
            assert_eq!(sent.into_body().collect().await?.to_bytes(), "message");
            answer
        }
    });
    let _answer = policy.grpc_layer(GrpcMethods::new()).layer(server).oneshot(request(path)).await;
    (calls.load(Ordering::Relaxed), told)
}

/// GR-06: only code 14, unless other codes were named; success never.
#[tokio::test]
async fn gr_06_codes() {
    let all: Vec<Code> = (0..17).map(Code::from).collect();
    for number in 0..17 {
        let answer = || code(&number.to_string());
        let usual = attempts(quick(3), GrpcRetry::new(named()), "/shop.Cart/Get", answer).await.0;
        assert_eq!(usual, if number == 14 { 3 } else { 1 }, "{number}");
        let aborted = GrpcRetry::new(named()).codes(&[Code::Aborted]);
        let aborted = attempts(quick(3), aborted, "/shop.Cart/Get", answer).await.0;
        assert_eq!(aborted, if number == 10 { 3 } else { 1 }, "{number}");
        let every = attempts(quick(3), GrpcRetry::new(named()).codes(&all), "/shop.Cart/Get", answer).await.0;
        assert_eq!(every, if number == 0 { 1 } else { 3 }, "{number}");
    }
    // No code that can be read is 2.
    let unknown = GrpcRetry::new(named()).codes(&[Code::Unknown]);
    assert_eq!(attempts(quick(3), unknown, "/shop.Cart/Get", || code("fourteen")).await.0, 3);
}

/// GR-06: only answers whose head carried the status: without it the call is committed, whatever the HTTP status.
#[tokio::test]
async fn gr_06_heads_without_a_status() {
    for status in [200, 429, 500, 502, 503, 504] {
        let answer = || Ok(Response::builder().status(status).body(String::new()).unwrap());
        let (calls, told) = attempts(quick(3), GrpcRetry::new(named()), "/shop.Cart/Get", answer).await;
        assert_eq!((calls, told.stops()), (1, vec![]), "{status}");
    }
}

/// GR-06: only methods that are named, by exact path or by service; nothing named is nothing retried, not even errors.
#[tokio::test]
async fn gr_06_methods() {
    let table = [
        ("/shop.Cart/Get", 3),
        ("/shop.Catalogue/List", 3),
        ("/shop.Catalogue/Get", 3),
        ("/shop.Cart/Add", 1),
        ("/shop.Cart/GetAll", 1),
        ("/shop.Cart", 1),
        ("/shop.CatalogueX/List", 1),
        ("/", 1),
    ];
    for answer in [|| code("14"), || pushed_back("8", "0"), || Err("connection refused".into())] as [fn() -> Outcome; 3]
    {
        for (path, expected) in table {
            assert_eq!(attempts(quick(3), GrpcRetry::new(named()), path, answer).await.0, expected, "{path}");
            assert_eq!(attempts(quick(3), GrpcRetry::new(GrpcMethods::new()), path, answer).await.0, 1, "{path}");
        }
    }
    // A query is no part of the path.
    assert_eq!(attempts(quick(3), GrpcRetry::new(named()), "/shop.Cart/Get?a=/b", || code("14")).await.0, 3);
}

/// GR-06: methods of the layer and of the policy's own settings count alike; and the decision is safe by itself,
/// whatever copies the requests.
#[tokio::test]
async fn gr_06_methods_of_both() {
    let own = GrpcRetry::new(GrpcMethods::builder().idempotent("/a/b").build().unwrap()).codes(&[Code::Aborted]);
    let policy = quick(2).grpc(own).build().unwrap();
    let calls = AtomicU32::new(0);
    let server = service_fn(|_: Request<ReplayBody<Full<Bytes>>>| {
        calls.fetch_add(1, Ordering::Relaxed);
        std::future::ready(code("10"))
    });
    for (path, expected) in [("/a/b", 2), ("/shop.Cart/Get", 2), ("/a/c", 1)] {
        policy.grpc_layer(named()).layer(server).oneshot(request(path)).await.unwrap();
        assert_eq!(calls.swap(0, Ordering::Relaxed), expected, "{path}");
    }
    let decides = quick(2).build().unwrap().layer().retry_if_for(GrpcRetry::new(named()));
    let server = service_fn(|_: Request<Full<Bytes>>| {
        calls.fetch_add(1, Ordering::Relaxed);
        std::future::ready(code("14"))
    });
    for (path, expected) in [("/shop.Cart/Get", 2), ("/shop.Cart/Add", 1)] {
        decides.layer(server).oneshot(request(path)).await.unwrap();
        assert_eq!(calls.swap(0, Ordering::Relaxed), expected, "{path}");
    }
}

/// GR-06: an error without a response is retried if the default would retry it: not what never reached the backend.
#[tokio::test]
async fn gr_06_errors() {
    let open = || Err(Rejected::CircuitOpen { name: "db".into(), retry_after: None.into() }.into());
    let (calls, told) = attempts(quick(3), GrpcRetry::new(named()), "/shop.Cart/Get", open).await;
    assert_eq!((calls, told.stops()), (1, vec![(1, StopReason::NotRetryable)]));
    let late = || Err(Rejected::TimedOut { after: SECOND.into(), timeout: None }.into());
    assert_eq!(attempts(quick(3), GrpcRetry::new(named()), "/shop.Cart/Get", late).await.0, 3);
    assert_eq!(attempts(quick(3), GrpcRetry::new(named()), "/shop.Cart/Get", || Err("reset".into())).await.0, 3);
}

/// GR-07: a wait that the server asks for is waited for, with any code that is retried, and with 8, too; not with one
/// that is not.
#[tokio::test(start_paused = true)]
async fn gr_07_waits() {
    for (number, pushback, expected) in [
        ("14", "0", Some(0)),
        ("14", "250", Some(250)),
        ("8", "250", Some(250)),
        ("8", "0", Some(0)),
        ("10", "250", None),
        ("2", "0", None),
        ("0", "250", None),
    ] {
        let answer = || pushed_back(number, pushback);
        let (calls, told) = attempts(quick(3), GrpcRetry::new(named()), "/shop.Cart/Get", answer).await;
        let wait = expected.map(Duration::from_millis);
        assert_eq!(calls, if wait.is_some() { 3 } else { 1 }, "{number} {pushback}");
        assert_eq!(told.delays(), vec![wait.unwrap_or_default(); calls as usize - 1], "{number} {pushback}");
    }
    // Code 8 alone is not retried.
    assert_eq!(attempts(quick(3), GrpcRetry::new(named()), "/shop.Cart/Get", || code("8")).await.0, 1);
    // It is the server's wait and the backoff's.
    let slow = quick(2).backoff(Backoff::constant(SECOND).jitter(seaworthy::Jitter::None));
    let (_, told) = attempts(slow, GrpcRetry::new(named()), "/shop.Cart/Get", || pushed_back("14", "250")).await;
    assert_eq!(told.delays(), [SECOND + 250 * MS]);
}

/// GR-07: a wait beyond the policy's cap is not waited for, and ends the retries.
#[tokio::test(start_paused = true)]
async fn gr_07_the_cap() {
    for (pushback, calls, reason) in [
        ("30000", 2, StopReason::AttemptsExhausted),
        ("30001", 1, StopReason::RetryAfterTooLong),
        ("2147483647", 1, StopReason::RetryAfterTooLong),
    ] {
        let answer = || pushed_back("14", pushback);
        let (made, told) = attempts(quick(2), GrpcRetry::new(named()), "/shop.Cart/Get", answer).await;
        assert_eq!((made, told.stops()), (calls, vec![(calls, reason)]), "{pushback}");
    }
}

/// GR-07: negative, out of range, with leading zeros or a plus, or unreadable: not retried, with any code, and it is told
/// so. A call that succeeded is not told anything.
#[tokio::test]
async fn gr_07_told_not_to() {
    for pushback in ["-1", "-2147483648", "2147483648", "00", "01", "+1", "", "1.5", "never"] {
        for number in ["14", "8", "10", "2"] {
            let answer = || pushed_back(number, pushback);
            let (calls, told) = attempts(quick(3), GrpcRetry::new(named()), "/shop.Cart/Get", answer).await;
            assert_eq!((calls, told.stops()), (1, vec![(1, StopReason::ToldNotTo)]), "{number} {pushback:?}");
        }
        let answer = || pushed_back("0", pushback);
        let (calls, told) = attempts(quick(3), GrpcRetry::new(named()), "/shop.Cart/Get", answer).await;
        assert_eq!((calls, told.stops()), (1, vec![]), "{pushback:?}");
    }
    // After a retry, too; and it takes no token from the budget, which has one.
    let told = Told::default();
    let budget = seaworthy::RetryBudget::builder().floor(1).refill_per_second(0).build().unwrap();
    let policy = told.by(quick(3).budget(budget)).build().unwrap();
    let answers = Arc::new(Mutex::new(vec!["0", "-1", "0", "-1"]));
    let server = service_fn(move |_: Request<ReplayBody<Full<Bytes>>>| {
        std::future::ready(pushed_back("14", answers.lock().unwrap().pop().unwrap()))
    });
    for expected in [(1, StopReason::ToldNotTo), (2, StopReason::ToldNotTo), (1, StopReason::BudgetEmpty)] {
        policy.grpc_layer(named()).layer(server.clone()).oneshot(request("/shop.Cart/Get")).await.unwrap();
        assert_eq!(told.stops(), [expected]);
    }
    assert_eq!(StopReason::ToldNotTo.to_string(), "told not to");
}

/// What the server got of each attempt, and how it answers: after it has read the whole request, or before anything.
async fn bodies<B>(replay: GrpcReplay, body: B, reads: Reads) -> Vec<Bytes>
where
    B: Body<Data = Bytes, Error = BoxError> + Unpin + Send + 'static,
{
    let policy = quick(3).build().unwrap();
    let got = Arc::<Mutex<Vec<Bytes>>>::default();
    let server = service_fn(|sent: Request<ReplayBody<B>>| {
        let got = Arc::clone(&got);
        async move {
            let mut body = sent.into_body();
            let read = match reads {
                Reads::All => body.collect().await?.to_bytes(),
                Reads::Nothing => Bytes::new(),
                Reads::OneFrame => match body.frame().await {
                    Some(frame) => frame?.into_data().unwrap_or_default(),
                    None => Bytes::new(),
                },
            };
            got.lock().unwrap().push(read);
            code("14")
        }
    });
    let layer = policy.layer().retry_if_for(GrpcRetry::new(named())).replay(replay);
    let request = Request::post("/shop.Cart/Get").body(body).unwrap();
    layer.layer(server).oneshot(request).await.unwrap();
    std::mem::take(&mut *got.lock().unwrap())
}

#[derive(Clone, Copy)]
enum Reads {
    All,
    OneFrame,
    Nothing,
}

/// A body of these frames, whose length nobody knows, and which pends for ever after them if it is `open`.
struct Frames {
    frames: std::slice::Iter<'static, &'static str>,
    open: bool,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.frames.next() {
            Some(frame) => std::task::Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(frame.as_bytes()))))),
            None if self.open => std::task::Poll::Pending,
            None => std::task::Poll::Ready(None),
        }
    }
}

fn frames(frames: &'static [&'static str], open: bool) -> Frames {
    Frames { frames: frames.iter(), open }
}

/// GR-08: a message is replayed if it is whole within the cap: as it was, whether it comes in one frame or in several,
/// or if nothing of it had been read.
#[tokio::test]
async fn gr_08_a_message_is_replayed() {
    let replay = || GrpcReplay::new(named());
    assert_eq!(bodies(replay(), frames(&["\0\0\0\0\u{1}", "x"], false), Reads::All).await, ["\0\0\0\0\u{1}x"; 3]);
    assert_eq!(bodies(replay(), frames(&["x"], false), Reads::All).await, ["x"; 3]);
    assert_eq!(bodies(replay(), frames(&[], false), Reads::All).await, [""; 3]);
    assert_eq!(bodies(replay(), frames(&["x"], false), Reads::Nothing).await, [""; 3]);
    // It is over with its only frame, and known to be.
    let full = Full::new(Bytes::from("x")).map_err(|never| match never {});
    assert_eq!(bodies(replay(), full, Reads::OneFrame).await, ["x"; 3]);
    // At the cap, and beyond it. A frame counts for 64 bytes more than its data.
    for (cap, attempts) in [(67, 3), (66, 1), (0, 1)] {
        let got = bodies(replay().max_body(cap), frames(&["abc"], false), Reads::All).await;
        assert_eq!(got, vec!["abc"; attempts], "{cap}");
    }
}

/// GR-08: a streamed request is sent once: what was read of it is gone, and more may come. Where nothing was read, it is
/// still whole.
#[tokio::test]
async fn gr_08_a_stream_is_sent_once() {
    let replay = || GrpcReplay::new(named());
    assert_eq!(bodies(replay(), frames(&["first", "second"], true), Reads::OneFrame).await, ["first"]);
    assert_eq!(bodies(replay(), frames(&["first"], true), Reads::OneFrame).await, ["first"]);
    assert_eq!(bodies(replay(), frames(&["first", "second"], false), Reads::OneFrame).await, ["first"]);
    assert_eq!(bodies(replay(), frames(&["first", "second"], true), Reads::Nothing).await, ["", "", ""]);
}

/// GR-08: a request that may not be repeated is sent as it is, and so is that of a policy with one attempt.
#[tokio::test]
async fn gr_08_sent_once() {
    let replay = GrpcReplay::new(GrpcMethods::new());
    assert_eq!(bodies(replay, frames(&["x"], false), Reads::All).await, ["x"]);
    let (calls, _) = attempts(quick(1), GrpcRetry::new(named()), "/shop.Cart/Get", || code("14")).await;
    assert_eq!(calls, 1);
}

/// GR-06: nothing that is no path of a method can be named.
#[test]
fn gr_06_bad_names() {
    for path in ["", "Get", "/Get", "shop.Cart/Get", "/shop.Cart/Get/", "/shop/Cart/Get", "//Get", "/shop.Cart/"] {
        let error = GrpcMethods::builder().idempotent("/a/b").idempotent(path).build().unwrap_err();
        let text =
            format!("grpc methods: idempotent is {path:?}, must be the path of a method, such as /shop.Cart/Get");
        assert_eq!(error.to_string(), text);
    }
    for name in ["", "/shop.Cart", "shop.Cart/", "shop.Cart/Get"] {
        let error = GrpcMethods::builder().idempotent_service(name).build().unwrap_err();
        let rule = "must be the name of a service without slashes, such as shop.Cart";
        assert_eq!(error.to_string(), format!("grpc methods: idempotent_service is {name:?}, {rule}"));
    }
}

/// GR-07: the decision can be asked by itself, as that of a closure's last resort.
#[test]
fn gr_07_the_decision() {
    use seaworthy::retry::{Decision, RetryIfFor};

    let retry = GrpcRetry::new(named());
    let decide = |path, result: Outcome| {
        RetryIfFor::<_, Response<String>, BoxError>::decider(&retry, &request(path)).retry_if(&result)
    };
    assert_eq!(decide("/shop.Cart/Get", code("14")), Decision::Retry);
    assert_eq!(decide("/shop.Cart/Get", pushed_back("14", "7")), Decision::RetryAfter(7 * MS));
    assert_eq!(decide("/shop.Cart/Get", pushed_back("14", "-7")), Decision::ToldNotTo);
    assert_eq!(decide("/shop.Cart/Add", pushed_back("14", "-7")), Decision::Stop);
}
