use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use proptest::prelude::*;
use seaworthy::http::{HttpReplay, KeptRequest, ReplayBody};
use seaworthy::retry::Replay;
use seaworthy::{BoxError, RetryBudget};
use tokio_test::{assert_pending, assert_ready, task};
use tower::{Layer, ServiceExt, service_fn};

/// What a body does next.
#[derive(Clone, Debug)]
enum Next {
    Data(Bytes),
    Trailers(HeaderMap),
    Pending,
    Fails,
    Panics,
    Ends,
}

/// A body that follows a script, even while it is read. It does not know its length unless set.
#[derive(Clone, Debug, Default)]
struct Script(Arc<Mutex<ScriptState>>);

#[derive(Debug, Default)]
struct ScriptState {
    next: VecDeque<Next>,
    reader: Option<Waker>,
    size: Option<u64>,
    ended: bool,
    /// Runs while the body is polled, before it answers.
    meanwhile: Option<Meanwhile>,
}

struct Meanwhile(Box<dyn FnOnce() + Send>);

impl std::fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meanwhile")
    }
}

impl Script {
    fn new(next: impl IntoIterator<Item = Next>) -> Script {
        let script = Script::default();
        next.into_iter().for_each(|next| script.push(next));
        script
    }

    fn push(&self, next: Next) {
        let mut state = self.0.lock().unwrap();
        state.next.push_back(next);
        if let Some(reader) = state.reader.take() {
            drop(state);
            reader.wake();
        }
    }

    fn sized(self, size: u64) -> Script {
        self.0.lock().unwrap().size = Some(size);
        self
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(Meanwhile(meanwhile)) = state.meanwhile.take() {
            drop(state);
            meanwhile();
            state = self.0.lock().unwrap();
        }
        match state.next.pop_front() {
            Some(Next::Data(data)) => Poll::Ready(Some(Ok(Frame::data(data)))),
            Some(Next::Trailers(trailers)) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
            Some(Next::Fails) => Poll::Ready(Some(Err("the disk is gone".into()))),
            Some(Next::Panics) => panic!("the disk exploded"),
            Some(Next::Ends) => {
                state.ended = true;
                Poll::Ready(None)
            }
            Some(Next::Pending) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            None if state.ended => Poll::Ready(None),
            None => {
                state.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().unwrap().size.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

/// The cost of keeping a frame, besides its data.
const FRAME: u64 = 64;

fn data(text: &'static str) -> Next {
    Next::Data(Bytes::from_static(text.as_bytes()))
}

type Kept = KeptRequest<Script>;

fn keep(replay: HttpReplay, script: &Script) -> (ReplayBody<Script>, Option<Kept>) {
    let request = Request::builder().method(Method::PUT).body(script.clone()).unwrap();
    let (sent, kept) = replay.keep(request);
    (sent.into_body(), kept)
}

fn again(kept: &Kept) -> Option<ReplayBody<Script>> {
    HttpReplay::new().again(kept).map(Request::into_body)
}

/// Everything a body yields without waiting: its data as one text, and how it goes on.
#[derive(Debug, PartialEq)]
struct Read {
    text: String,
    trailers: usize,
    then: Then,
}

#[derive(Debug, PartialEq)]
enum Then {
    End,
    Waits,
    Error(String),
}

fn read(body: &mut ReplayBody<Script>) -> Read {
    let mut read = Read { text: String::new(), trailers: 0, then: Then::Waits };
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        match Pin::new(&mut *body).poll_frame(&mut cx) {
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => read.text.push_str(std::str::from_utf8(&data).unwrap()),
                Err(frame) => read.trailers += frame.into_trailers().unwrap().len(),
            },
            Poll::Ready(Some(Err(error))) => {
                read.then = Then::Error(error.to_string());
                return read;
            }
            Poll::Ready(None) => {
                read.then = Then::End;
                return read;
            }
            Poll::Pending => return read,
        }
    }
}

fn whole(text: &str) -> Read {
    Read { text: text.to_owned(), trailers: 0, then: Then::End }
}

/// RT-13: the body of each attempt is the whole body, trailers included, however much of it the one before has read.
#[test]
fn read_halfway() {
    for frames in 0..5 {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", "7".parse().unwrap());
        let script = Script::new([data("one "), data("two "), data("three"), Next::Trailers(trailers), Next::Ends]);
        let (mut body, kept) = keep(HttpReplay::new(), &script);
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..frames {
            assert!(Pin::new(&mut body).poll_frame(&mut cx).is_ready());
        }
        drop(body);
        for _ in 0..3 {
            let mut body = again(kept.as_ref().unwrap()).expect("all of it is kept");
            assert_eq!(read(&mut body), Read { text: "one two three".into(), trailers: 1, then: Then::End });
            assert!(body.is_end_stream());
        }
    }
}

/// RT-13: a body up to the cap is kept; one byte more is too much, and does not disturb the attempt that sends it.
#[test]
fn cap() {
    let whole_cost = 11 + 2 * FRAME;
    for (cap, kept_at_the_end) in
        [(whole_cost, true), (whole_cost + 1, true), (whole_cost - 1, false), (4 + FRAME, false), (0, false)]
    {
        let script = Script::new([data("four"), data("seven.."), Next::Ends]);
        let (mut body, kept) = keep(HttpReplay::new().max_body(cap), &script);
        assert_eq!(read(&mut body), whole("fourseven.."), "{cap}");
        assert_eq!(again(&kept.unwrap()).is_some(), kept_at_the_end, "{cap}");
    }
    // A length known to be too much: nothing is kept from the start.
    for (size, kept) in [(10, true), (11, false)] {
        let script = Script::new([data("0123456789"), Next::Ends]).sized(size);
        assert_eq!(keep(HttpReplay::new().max_body(10 + FRAME), &script).1.is_some(), kept);
    }
}

fn cost(text: &str) -> u64 {
    text.len() as u64 + FRAME * text.split_whitespace().count() as u64
}

/// HC-13: the cap counts what keeping a frame costs, not its data alone: a thousand frames of one byte fill 64 KiB.
#[test]
fn cap_of_small_frames() {
    let most = 64 * 1024 / (1 + FRAME);
    for (frames, kept_at_the_end) in [(most, true), (most + 1, false)] {
        let script = Script::new((0..frames).map(|_| data("x")).chain([Next::Ends]));
        let (mut body, kept) = keep(HttpReplay::new(), &script);
        assert_eq!(read(&mut body).text.len() as u64, frames);
        assert_eq!(again(&kept.unwrap()).is_some(), kept_at_the_end, "{frames}");
    }
}

/// HC-13: frames without data are passed on and not kept, whether they come first, last, in between or too late, and
/// however many there are; the body can be repeated all the same.
#[test]
fn empty_frames_are_not_kept() {
    struct Nothing(Arc<()>);
    impl AsRef<[u8]> for Nothing {
        fn as_ref(&self) -> &[u8] {
            let _alive = &self.0;
            b""
        }
    }
    let alive = Arc::new(());
    let empty = || Next::Data(Bytes::from_owner(Nothing(Arc::clone(&alive))));
    let script = Script::default();
    let (mut body, kept) = keep(HttpReplay::new(), &script);
    let kept = kept.unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..100_000 {
        script.push(empty());
        let frame = Pin::new(&mut body).poll_frame(&mut cx);
        assert!(matches!(&frame, Poll::Ready(Some(Ok(frame))) if frame.data_ref().is_some_and(Bytes::is_empty)));
    }
    script.push(data("one "));
    script.push(empty());
    script.push(data("two"));
    assert_eq!(read(&mut body).text, "one two");
    assert_eq!(Arc::strong_count(&alive), 1);

    // One that comes when another attempt has already begun is not lost.
    script.push(empty());
    let second = Arc::new(Mutex::new(None));
    let (begun, kept) = (Arc::clone(&second), Arc::new(kept));
    let kept_by_it = Arc::clone(&kept);
    script.0.lock().unwrap().meanwhile =
        Some(Meanwhile(Box::new(move || *begun.lock().unwrap() = Some(again(&kept_by_it).unwrap()))));
    assert!(matches!(read(&mut body).then, Then::Error(_)));
    assert_eq!(Arc::strong_count(&alive), 1);
    script.push(empty());
    script.push(Next::Ends);
    let mut second = second.lock().unwrap().take().unwrap();
    assert_eq!(read(&mut second), whole("one two"));
    assert!(second.is_end_stream());
    assert_eq!(read(&mut again(&kept).unwrap()), whole("one two"));
}

/// RT-13: trailers count, too.
#[test]
fn cap_of_trailers() {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "7".parse().unwrap());
    let cost = 4 + FRAME + FRAME + 6 + FRAME;
    for (cap, expected) in [(cost - 1, false), (cost, true)] {
        let script = Script::new([data("four"), Next::Trailers(trailers.clone()), Next::Ends]);
        let (mut body, kept) = keep(HttpReplay::new().max_body(cap), &script);
        assert_eq!(read(&mut body).trailers, 1);
        assert_eq!(again(&kept.unwrap()).is_some(), expected, "{cap}");
    }
}

/// RT-13: an error in the middle is the attempt's, and ends the replaying: the rest is no longer available.
#[test]
fn fails_halfway() {
    let script = Script::new([data("one "), Next::Fails, data("two"), Next::Ends]);
    let (mut body, kept) = keep(HttpReplay::new(), &script);
    let then = Then::Error("the disk is gone".into());
    assert_eq!(read(&mut body), Read { text: "one ".into(), trailers: 0, then });
    assert!(again(&kept.unwrap()).is_none());
}

/// A body that panics is lost, and not polled again.
#[test]
fn panics_halfway() {
    let script = Script::new([data("one "), Next::Panics, data("two"), Next::Ends]);
    let (mut body, kept) = keep(HttpReplay::new(), &script);
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| read(&mut body)));
    assert!(panic.is_err());
    assert!(again(&kept.unwrap()).is_none());
    assert!(matches!(read(&mut body).then, Then::Error(_)));
}

/// RT-13: when an attempt has begun, the body of the one before is over: its reader is woken and gets an error, not an
/// end that would make half a body look like a whole one.
#[test]
fn superseded() {
    let script = Script::new([data("one ")]);
    let (first, kept) = keep(HttpReplay::new(), &script);
    let kept = kept.unwrap();
    let mut reader = task::spawn(first.collect());
    assert_pending!(reader.poll());

    let second = again(&kept).unwrap();
    assert!(reader.is_woken());
    let error = assert_ready!(reader.poll()).unwrap_err();
    assert_eq!(error.to_string(), "another attempt has begun");

    // The rest goes to the current attempt, which is woken for it.
    let mut reader = task::spawn(second.collect());
    assert_pending!(reader.poll());
    script.push(data("two"));
    assert!(reader.is_woken());
    assert_pending!(reader.poll());
    script.push(Next::Ends);
    assert_eq!(assert_ready!(reader.poll()).unwrap().to_bytes(), "one two");
}

/// RT-13: an attempt begins and reads while the source is being polled for the one before, as a connection's task may
/// do: it waits, is woken, and gets what the source yielded too late for the other.
#[test]
fn superseded_in_the_middle_of_a_poll() {
    let lost = "the request body failed in an earlier attempt";
    let after = [
        (data("two "), Ok("one two three")),
        (Next::Pending, Ok("one three")),
        (Next::Ends, Ok("one ")),
        (Next::Fails, Err(lost)),
        (Next::Panics, Err(lost)),
    ];
    for (next, expected) in after {
        // A cap that the late frame exceeds: it is still not lost.
        for cap in [300, 4 + FRAME] {
            let script = Script::new([data("one "), next.clone(), data("three"), Next::Ends]);
            let (mut first, kept) = keep(HttpReplay::new().max_body(cap), &script);
            let kept = Arc::new(kept.unwrap());
            let mut cx = Context::from_waker(Waker::noop());
            assert!(Pin::new(&mut first).poll_frame(&mut cx).is_ready());

            let reader = Arc::new(Mutex::new(None));
            let (begun, kept_by_it) = (Arc::clone(&reader), Arc::clone(&kept));
            script.0.lock().unwrap().meanwhile = Some(Meanwhile(Box::new(move || {
                let mut second = task::spawn(again(&kept_by_it).unwrap().collect());
                assert_pending!(second.poll());
                assert!(!second.is_woken());
                *begun.lock().unwrap() = Some(second);
            })));
            let poll = || Pin::new(&mut first).poll_frame(&mut cx);
            match std::panic::catch_unwind(std::panic::AssertUnwindSafe(poll)) {
                Ok(Poll::Ready(Some(Err(error)))) => assert_eq!(error.to_string(), "another attempt has begun"),
                Ok(other) => panic!("{other:?}"),
                Err(_) => assert!(matches!(next, Next::Panics)),
            }
            let mut second = reader.lock().unwrap().take().unwrap();
            assert!(second.is_woken());
            let result = assert_ready!(second.poll()).map(|body| body.to_bytes()).map_err(|error| error.to_string());
            assert_eq!(result, expected.map(Bytes::from).map_err(str::to_owned));
            // Above the cap there is no third.
            let third = again(&kept);
            assert_eq!(third.is_some(), expected.is_ok_and(|text| cost(text) <= cap));
        }
    }
}

/// RT-13, RT-08: a response that comes while the body is still being sent, and goes to the caller because the budget is
/// empty, leaves the body alone: cutting it off could cut off the response. A body above the cap costs no token.
#[tokio::test]
async fn undisturbed_where_nothing_follows() {
    for (cap, tokens) in [(300, 0), (4 + FRAME, 1)] {
        let script = Script::new([data("one "), data("two "), data("three"), Next::Ends]);
        let budget = RetryBudget::builder().ratio(0.01).floor(tokens).refill_per_second(0).build().unwrap();
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let sent = Arc::clone(&bodies);
        let service = service_fn(move |request: Request<ReplayBody<Script>>| {
            let mut body = request.into_body();
            for _ in 0..2 {
                assert!(Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop())).is_ready());
            }
            sent.lock().unwrap().push(body);
            let response = Response::builder().status(503).body(());
            std::future::ready(response.map_err(BoxError::from))
        });
        let policy = super::quick(3).budget(budget.clone()).build().unwrap();
        let client = policy.http_layer().replay(HttpReplay::new().max_body(cap)).layer(service);
        let request = Request::builder().method(Method::PUT).body(script).unwrap();
        assert_eq!(client.oneshot(request).await.unwrap().status(), 503);
        assert_eq!(budget.balance(), u64::from(tokens));
        let mut body = bodies.lock().unwrap().pop().unwrap();
        assert!(bodies.lock().unwrap().is_empty());
        assert_eq!(read(&mut body), whole("three"));
    }
}

/// RT-13: each attempt reports the length of the whole body, and the rest as it is read.
#[test]
fn size_hints() {
    let script = Script::new([data("four"), data("seven.."), Next::Ends]).sized(11);
    let (mut body, kept) = keep(HttpReplay::new(), &script);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..2 {
        for left in [11, 7] {
            assert_eq!(body.size_hint().exact(), Some(left));
            assert!(!body.is_end_stream());
            assert!(Pin::new(&mut body).poll_frame(&mut cx).is_ready());
        }
        assert_eq!(body.size_hint().exact(), Some(0));
        body = again(kept.as_ref().unwrap()).unwrap();
    }
    // One that is known to be empty needs nothing.
    let empty = Request::builder().body(http_body_util::Empty::<Bytes>::new()).unwrap();
    let (sent, kept) = HttpReplay::new().max_body(0).keep(empty);
    assert_eq!((sent.body().is_end_stream(), sent.body().size_hint().exact()), (true, Some(0)));
    assert!(HttpReplay::new().again(&kept.unwrap()).unwrap().body().is_end_stream());
}

/// The kept copy is dropped as soon as it can no longer be asked for: above the cap, and when no other attempt will
/// follow.
#[test]
fn lets_go() {
    struct Owned(Arc<()>);
    impl AsRef<[u8]> for Owned {
        fn as_ref(&self) -> &[u8] {
            let _alive = &self.0;
            b"owned"
        }
    }
    let alive = Arc::new(());
    let owned = || Next::Data(Bytes::from_owner(Owned(Arc::clone(&alive))));
    let count = || Arc::strong_count(&alive) - 1;

    let script = Script::new([owned(), owned(), owned()]);
    let (mut body, kept) = keep(HttpReplay::new().max_body(2 * (5 + FRAME)), &script);
    let mut cx = Context::from_waker(Waker::noop());
    for expected in [3, 3, 0] {
        assert!(Pin::new(&mut body).poll_frame(&mut cx).is_ready());
        assert_eq!(count(), expected);
    }
    drop((body, kept, script));

    let script = Script::new([owned(), owned(), owned()]);
    let (mut body, kept) = keep(HttpReplay::new(), &script);
    for expected in [3, 3] {
        assert!(Pin::new(&mut body).poll_frame(&mut cx).is_ready());
        assert_eq!(count(), expected);
    }
    drop(kept);
    assert_eq!(count(), 1);
    assert!(Pin::new(&mut body).poll_frame(&mut cx).is_ready());
    assert_eq!(count(), 0);
}

/// RT-13: attempts read by separate threads, each begun in the middle of the one before: the last one gets the whole
/// body, and none of the others takes a part for the whole.
#[test]
fn threads() {
    for round in 0..60 {
        let frames: Vec<_> = (0..40).map(|n| format!("{n} ")).collect();
        let expected = frames.concat();
        let next = frames.into_iter().flat_map(|frame| [Next::Data(frame.into()), Next::Pending]).chain([Next::Ends]);
        let script = Script::new(next);
        let (body, kept) = keep(HttpReplay::new(), &script);
        let kept = kept.unwrap();
        let collect = |body: ReplayBody<Script>| {
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(body.collect()).map(|body| body.to_bytes())
            })
        };
        let mut readers = vec![collect(body)];
        for _ in 0..4 {
            for _ in 0..round * 20 {
                std::hint::spin_loop();
            }
            readers.push(collect(again(&kept).unwrap()));
        }
        assert_eq!(readers.pop().unwrap().join().unwrap().unwrap(), expected);
        for reader in readers {
            match reader.join().unwrap() {
                Ok(body) => assert_eq!(body, expected),
                Err(error) => assert_eq!(error.to_string(), "another attempt has begun"),
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Reads the attempt of this number, if there is one, for this many frames.
    Read(usize, usize),
    Begin,
    Feed,
    Seal,
}

proptest! {
    /// RT-13: whatever is read by which attempt and fed when, the current attempt gets what was fed, from the beginning
    /// and in order, and the others get nothing but an error.
    #[test]
    fn property_in_any_order(cap in 0..600_u64, steps in proptest::collection::vec(prop_oneof![
        5 => (0..4_usize, 1..4_usize).prop_map(|(attempt, frames)| Step::Read(attempt, frames)),
        2 => Just(Step::Begin),
        4 => Just(Step::Feed),
        1 => Just(Step::Seal),
    ], 1..60)) {
        let script = Script::default();
        let (body, mut kept) = keep(HttpReplay::new().max_body(cap), &script);
        let mut attempts = vec![(body, String::new())];
        let mut fed = String::new();
        // The model: how much of the body has been taken out of the source.
        let mut taken = 0;
        let mut cx = Context::from_waker(Waker::noop());
        for step in steps {
            match step {
                Step::Feed => {
                    let text = format!("<{}>", fed.len());
                    fed.push_str(&text);
                    script.push(Next::Data(text.into()));
                }
                Step::Seal => kept = None,
                Step::Begin => if let Some(kept) = &kept {
                    let next = again(kept);
                    let frames = fed[..taken].matches('>').count() as u64;
                    prop_assert_eq!(next.is_some(), taken as u64 + frames * FRAME <= cap);
                    attempts.extend(next.map(|next| (next, String::new())));
                },
                Step::Read(back, frames) => {
                    let last = attempts.len() - 1;
                    let Some(number) = last.checked_sub(back) else { continue };
                    let (body, got) = &mut attempts[number];
                    for _ in 0..frames {
                        match Pin::new(&mut *body).poll_frame(&mut cx) {
                            Poll::Ready(Some(Ok(frame))) => {
                                prop_assert_eq!(number, last);
                                got.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
                                prop_assert!(fed.starts_with(got.as_str()));
                                taken = taken.max(got.len());
                            }
                            Poll::Ready(Some(Err(_))) => prop_assert!(number < last),
                            Poll::Ready(None) => prop_assert!(false, "nobody ended it"),
                            Poll::Pending => prop_assert_eq!((number, &*got), (last, &fed)),
                        }
                    }
                }
            }
        }
        script.push(Next::Ends);
        let (body, got) = attempts.last_mut().unwrap();
        let rest = read(body);
        prop_assert_eq!(got.clone() + &rest.text, fed);
        prop_assert_eq!(rest.then, Then::End);
    }
}
