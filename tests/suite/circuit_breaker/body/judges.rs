use http::response::Parts;
use seaworthy::OnDrop;
use seaworthy::http::{BodyEnd, Early, JudgeBody, NoJudge};

use super::*;
use crate::support::{LevelFilter, Log};

/// Writes down what it sees, and says what it was told to.
#[derive(Clone, Debug, Default)]
struct Scribe {
    seen: Arc<Mutex<Vec<String>>>,
    verdict: Option<Verdict>,
    panics_at: Option<&'static str>,
}

impl Scribe {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    fn note(&self, text: String) {
        let panics = self.panics_at == Some(text.as_str());
        self.seen.lock().unwrap().push(text);
        assert!(!panics, "the judge is out of order");
    }
}

impl JudgeBody<Bytes> for Scribe {
    fn frame(&mut self, frame: &Frame<Bytes>) {
        self.note(match frame.data_ref() {
            Some(data) => std::str::from_utf8(data).unwrap().to_owned(),
            None => "trailers".to_owned(),
        });
    }

    fn end(self, end: BodyEnd<'_>, otherwise: Verdict) -> Verdict {
        let verdict = self.verdict.unwrap_or(otherwise);
        self.note(match end {
            BodyEnd::Trailers(trailers) => format!("with {:?}", trailers[http::header::ETAG]),
            end => format!("{end:?}, otherwise {otherwise:?}"),
        });
        verdict
    }
}

type Judged = JudgedBody<Script, Scribe>;

async fn judged(breaker: &CircuitBreaker, scribe: &Scribe, response: Response<Script>) -> task::Spawn<Judged> {
    let scribe = scribe.clone();
    let layer = layer(breaker).judge_body(move |_: &Parts| scribe.clone());
    let service = layer.layer(service_fn(answer));
    task::spawn(service.oneshot(Request::new(response)).await.unwrap().into_body())
}

/// BO-06: a judge sees every frame, trailers among them, before the reader does, and then how the body ended and what
/// the call counts as without it.
#[tokio::test(start_paused = true)]
async fn what_a_judge_sees() {
    let (breaker, told) = rig(|builder| builder.consecutive_failures(9));
    let scribe = Scribe::default();
    let ok = |acts: Vec<Act>| Response::new(Script { acts: acts.into(), ..Script::default() });
    let mut body = judged(&breaker, &scribe, ok(vec!["a".into(), Act::Pending, "b".into()])).await;
    assert_eq!(polls(&mut body), ["data a", "pending", "data b", "end"]);
    assert_eq!(scribe.take(), ["a", "b", "Complete, otherwise Success"]);
    let mut body = judged(&breaker, &scribe, ok(vec!["a".into(), Act::Trailers, "b".into()])).await;
    assert_eq!(polls(&mut body), ["data a", "trailers", "data b", "end"]);
    assert_eq!(scribe.take(), ["a", "trailers", "with \"7\""]);
    let mut body = judged(&breaker, &scribe, ok(vec!["a".into(), error()])).await;
    assert_eq!(polls(&mut body), ["data a", "error leak"]);
    assert_eq!(scribe.take(), ["a", "Error, otherwise Failure"]);
    let mut body = judged(&breaker, &scribe, ok(vec!["a".into(), "b".into()])).await;
    assert_eq!(polls(&mut body), ["data a"]);
    drop(body);
    assert_eq!(scribe.take(), ["a", "Dropped, otherwise Ignored"]);
    // An empty one has ended with its head, and a bad head needs no judge.
    let mut empty = judged(&breaker, &scribe, Response::new(script([]).telling())).await;
    assert_eq!(scribe.take(), ["Complete, otherwise Success"]);
    assert_eq!(polls(&mut empty), ["end"]);
    let mut bad = judged(&breaker, &scribe, status(500, script(["a".into()]))).await;
    assert_eq!(polls(&mut bad), ["data a", "end"]);
    assert_eq!(scribe.take(), [""; 0]);
    assert_eq!(told.take(), [SUCCESS, SUCCESS, FAILURE, IGNORED, SUCCESS, FAILURE]);
}

/// BO-06: the judge has the last word, whatever the head and the end say.
#[tokio::test(start_paused = true)]
async fn the_last_word() {
    for verdict in [Verdict::Success, Verdict::Failure, Verdict::Throttled, Verdict::Ignored] {
        let scribe = Scribe { verdict: Some(verdict), ..Scribe::default() };
        for acts in [vec!["a".into()], vec!["a".into(), error()], vec![Act::Trailers]] {
            let (breaker, told) = plain();
            let response = Response::new(Script { acts: acts.into(), ..Script::default() });
            let mut body = judged(&breaker, &scribe, response).await;
            _ = polls::<2, _>(&mut body);
            assert_eq!(told.take(), [Line::Settled(verdict)]);
        }
        for response in [script(["a".into()]), script([]).telling()] {
            let (breaker, told) = plain();
            drop(judged(&breaker, &scribe, Response::new(response)).await);
            assert_eq!(told.take(), [Line::Settled(verdict)]);
        }
    }
    // It may know that the deadline was over.
    let scribe = Scribe { verdict: Some(Verdict::DeadlineExceeded), ..Scribe::default() };
    for (on_deadline, line) in [(OnDrop::Ignore, IGNORED), (OnDrop::Failure, FAILURE)] {
        let (breaker, told) = rig(|builder| builder.on_deadline(on_deadline));
        let mut body = judged(&breaker, &scribe, Response::new(script([]))).await;
        assert_eq!(polls(&mut body), ["end"]);
        assert_eq!(told.take(), [line]);
    }
}

/// BO-06: a judge that panics at a frame or at the end is a failure; the body goes on without it.
#[tokio::test(start_paused = true)]
async fn a_judge_that_panics() {
    for panics_at in ["b", "trailers", "with \"7\""] {
        let log = Log::default();
        let _listening = log.listen(LevelFilter::ERROR);
        let (breaker, told) = plain();
        let scribe = Scribe { panics_at: Some(panics_at), ..Scribe::default() };
        let acts = ["a".into(), "b".into(), Act::Trailers, "c".into()];
        let mut body = judged(&breaker, &scribe, Response::new(script(acts))).await;
        assert_eq!(polls(&mut body), ["data a"]);
        assert_eq!(told.take(), []);
        assert_eq!(polls(&mut body), ["data b"]);
        assert_eq!(told.take(), vec![FAILURE; usize::from(panics_at == "b")]);
        assert_eq!(polls(&mut body), ["trailers", "data c", "end"]);
        assert_eq!(told.take(), vec![FAILURE; usize::from(panics_at != "b")]);
        drop(body);
        assert_eq!(told.take(), []);
        let log = log.take();
        assert!(log.contains("the judge of a response body panicked") && log.contains("out of order"), "{log}");
        assert_eq!(log.lines().count(), 1);
    }
    // When it is dropped, too, whatever a dropped body counts as.
    let (breaker, told) = plain();
    let scribe = Scribe { panics_at: Some("Dropped, otherwise Ignored"), ..Scribe::default() };
    drop(judged(&breaker, &scribe, Response::new(script([]))).await);
    assert_eq!(told.take(), [FAILURE]);
}

/// BO-06: what makes the judge sees the head; if it panics, the call is a failure and the panic goes on.
#[tokio::test(start_paused = true)]
async fn what_makes_a_judge() {
    let (breaker, told) = plain();
    // No judge for a response whose head said everything.
    let strict = layer(&breaker).judge_body(|head: &Parts| {
        (head.status != StatusCode::ACCEPTED).then(|| Scribe { verdict: Some(Verdict::Throttled), ..Scribe::default() })
    });
    for (code, line) in [(202, SUCCESS), (200, Line::Settled(Verdict::Throttled))] {
        let response = status(code, script(["a".into()]));
        let body = strict.layer(service_fn(answer)).oneshot(Request::new(response)).await.unwrap().into_body();
        assert_eq!(polls(&mut task::spawn(body)), ["data a", "end"]);
        assert_eq!(told.take(), [line]);
    }
    let panicking = layer(&breaker).judge_body(|head: &Parts| -> NoJudge { panic!("on purpose: {}", head.status) });
    let response = Response::new(script([]));
    let mut call = task::spawn(panicking.layer(service_fn(answer)).oneshot(Request::new(response)));
    assert!(catch_unwind(AssertUnwindSafe(|| call.poll().is_ready())).is_err());
    assert_eq!(told.take(), [FAILURE]);
    drop(call);
    assert_eq!((told.take(), breaker.state()), (vec![], State::Open));
}

/// BO-06: after an early success, the judge's failure is a late break, and all else it says is of no account.
#[tokio::test(start_paused = true)]
async fn a_judge_after_an_early_success() {
    for (verdict, breaks) in [(Verdict::Failure, true), (Verdict::Throttled, false), (Verdict::Success, false)] {
        let (breaker, told) = plain();
        let layer = layer(&breaker).settle_early(Early::FirstFrame).unwrap();
        let layer = layer.judge_body(move |_: &Parts| Scribe { verdict: Some(verdict), ..Scribe::default() });
        let request = Request::new(Response::new(script(["a".into(), Act::Trailers])));
        let body = layer.layer(service_fn(answer)).oneshot(request).await.unwrap().into_body();
        assert_eq!(polls(&mut task::spawn(body)), ["data a", "trailers"]);
        let broke = breaks.then_some(Line::Broke { after: Duration::ZERO, bytes: 1 });
        assert_eq!(told.take(), [SUCCESS].into_iter().chain(broke).collect::<Vec<_>>());
    }
}
