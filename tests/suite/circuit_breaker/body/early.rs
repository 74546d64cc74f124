use seaworthy::OnDrop;
use seaworthy::http::Early;

use super::*;
use crate::support::MS;

/// BO-07: a stream is settled as a success with its first data frame, after a time, or after so many bytes; none of it
/// before, and nothing more at its end.
#[tokio::test(start_paused = true)]
async fn settled_early() {
    for (early, silent, deciding) in [
        (Early::FirstFrame, &[""][..], "a"),
        (Early::Bytes(4), &["a", "bc"], "d"),
        (Early::Bytes(4), &["a"], "bcdefg"),
        (Early::Bytes(u64::MAX), &["a", "b"], "never"),
        (Early::Never, &["a", "b"], "never"),
    ] {
        let (breaker, told) = plain();
        let mut acts = vec![Act::Pending];
        acts.extend(silent.iter().copied().map(Act::Data));
        acts.extend([Act::Data(deciding), Act::Data("x")]);
        let polls_before = acts.len() - 2;
        let layer = layer(&breaker).settle_early(early).unwrap();
        let mut body = task::spawn(through(&layer, Script { acts: acts.into(), ..Script::default() }).await);
        for _ in 0..polls_before {
            poll(&mut body);
        }
        assert_eq!(told.take(), [], "{early:?}");
        poll(&mut body);
        let decided = deciding != "never";
        assert_eq!(told.take(), vec![SUCCESS; usize::from(decided)], "{early:?}");
        assert_eq!(polls(&mut body), ["data x", "end"]);
        assert_eq!(told.take(), vec![SUCCESS; usize::from(!decided)], "{early:?}");
    }
}

/// BO-07: a time is looked at when a frame passes or the body ends: at the time itself it is due.
#[tokio::test(start_paused = true)]
async fn after_a_time() {
    let (breaker, told) = rig(|builder| builder.consecutive_failures(3));
    let layer = layer(&breaker).settle_early(Early::After(MS * 10)).unwrap();
    let acts = || script(["a".into(), Act::Pending, "b".into(), "c".into(), error()]);
    let mut body = task::spawn(through(&layer, acts()).await);
    advance(MS * 9).await;
    assert_eq!(polls(&mut body), ["data a"]);
    advance(MS).await;
    assert_eq!(polls(&mut body), ["pending"]);
    assert_eq!(told.take(), []);
    assert_eq!(polls(&mut body), ["data b"]);
    assert_eq!(told.take(), [SUCCESS]);
    assert_eq!(polls(&mut body), ["data c"]);
    assert_eq!(told.take(), []);

    // Nothing had failed when it was due, whatever comes after that.
    for (wait, lines) in [(MS * 9, vec![FAILURE]), (MS * 10, vec![SUCCESS, Line::Broke { after: MS * 10, bytes: 0 }])] {
        for act in [error(), Act::Panic] {
            let mut body = task::spawn(through(&layer, script([act])).await);
            advance(wait).await;
            _ = panics(&mut body);
            assert_eq!(told.take(), lines);
            breaker.reset();
        }
        let dropped = through(&layer.clone().on_body_drop(OnDrop::Failure), acts()).await;
        advance(wait).await;
        drop(dropped);
        assert_eq!(told.take(), lines[..1]);
        breaker.reset();
    }
}

/// BO-07: nothing is settled early that has failed before, and the head's word stands.
#[tokio::test(start_paused = true)]
async fn as_the_head_said() {
    let (breaker, told) = plain();
    let layer = breaker
        .layer()
        .classify(|_: &Result<Response<Script>, BoxError>| Verdict::Ignored)
        .until_body_end()
        .settle_early(Early::FirstFrame)
        .unwrap();
    let request = Request::new(Response::new(script(["a".into(), "b".into()])));
    let mut body = task::spawn(layer.layer(service_fn(answer)).oneshot(request).await.unwrap().into_body());
    assert_eq!(polls(&mut body), ["data a"]);
    assert_eq!(told.take(), [IGNORED]);
    let mut body = task::spawn(through(&super::layer(&breaker), script([error(), "a".into()])).await);
    assert_eq!(polls(&mut body), ["error leak", "data a"]);
    assert_eq!(told.take(), [FAILURE]);
}

/// BO-07: a probe is settled with its first data frame, so that half-open neither waits for a stream that lives for
/// hours nor gives it up although it flows; told otherwise, it waits.
#[tokio::test(start_paused = true)]
async fn probes() {
    let acts = || script(["".into(), "a".into(), "b".into()]);
    let (breaker, told) = plain();
    make_half_open(&breaker, &told).await;
    let mut body = task::spawn(through(&layer(&breaker), acts()).await);
    assert_eq!(breaker.state(), State::HalfOpen);
    assert!(breaker.admit().is_err());
    assert_eq!(polls(&mut body), ["data "]);
    assert_eq!((told.take(), breaker.state()), (vec![], State::HalfOpen));
    assert_eq!(polls(&mut body), ["data a"]);
    assert_eq!((told.take(), breaker.state()), (vec![SUCCESS], State::Closed));
    // The call that is no probe waits.
    let mut other = task::spawn(through(&layer(&breaker), acts()).await);
    assert_eq!(polls(&mut other), ["data ", "data a"]);
    assert_eq!(told.take(), []);

    for (early, at_frame) in [(Early::Never, 4), (Early::Bytes(2), 3), (Early::FirstFrame, 2)] {
        let (breaker, told) = plain();
        make_half_open(&breaker, &told).await;
        let layer = layer(&breaker).settle_early(early).unwrap();
        let mut body = task::spawn(through(&layer, acts()).await);
        for frame in 1..=4 {
            assert_eq!(breaker.state(), State::HalfOpen, "{early:?}");
            poll(&mut body);
            if frame == at_frame {
                break;
            }
        }
        assert_eq!((told.take(), breaker.state()), (vec![SUCCESS], State::Closed), "{early:?}");
    }
}

/// BO-07: a probe whose body stands still is given up after its time, and is a failed trial; so is one that waits for
/// the end of a stream that goes on.
#[tokio::test(start_paused = true)]
async fn probes_that_never_end() {
    for (acts, early) in [([Act::Pending, Act::Pending], None), (["a".into(), "b".into()], Some(Early::Never))] {
        let (breaker, told) = rig(|builder| builder.probe_timeout(MS * 10));
        make_half_open(&breaker, &told).await;
        let mut layer = layer(&breaker);
        if let Some(early) = early {
            layer = layer.settle_early(early).unwrap();
        }
        let mut body = task::spawn(through(&layer, script(acts)).await);
        poll(&mut body);
        advance(MS * 10).await;
        assert!(breaker.admit().is_err());
        assert_eq!(breaker.state(), State::Open);
        // Its own word comes too late, an hour later as well.
        advance(SECOND * 3600).await;
        poll(&mut body);
        poll(&mut body);
        assert_eq!(breaker.state(), State::Open);
        assert!(breaker.admit().unwrap().is_probe());
    }
}

/// BO-07: a probe that fails before its first frame is a failed trial; a dropped one gives its permit back.
#[tokio::test(start_paused = true)]
async fn probes_that_fail() {
    let (breaker, told) = plain();
    make_half_open(&breaker, &told).await;
    let mut body = task::spawn(through(&layer(&breaker), script([error()])).await);
    poll(&mut body);
    assert_eq!((told.take(), breaker.state()), (vec![FAILURE], State::Open));
    advance(SECOND).await;
    drop(through(&layer(&breaker), script(["a".into()])).await);
    assert_eq!((told.take(), breaker.state()), (vec![IGNORED], State::HalfOpen));
    assert!(breaker.admit().unwrap().is_probe());
}

/// BO-08: a body that breaks off after an early success is told, and counts as a failure of its own only if asked for.
#[tokio::test(start_paused = true)]
async fn late_breaks() {
    for counts in [false, true] {
        let (breaker, told) = rig(|builder| builder.failure_rate(0.5).count_window(2));
        let mut layer = layer(&breaker).settle_early(Early::FirstFrame).unwrap();
        if counts {
            layer = layer.count_late_breaks();
        }
        let acts = ["abc".into(), "de".into(), error(), error()];
        let mut body = task::spawn(through(&layer, script(acts)).await);
        advance(MS).await;
        assert_eq!(polls(&mut body), ["data abc"]);
        advance(MS).await;
        assert_eq!(polls(&mut body), ["data de"]);
        assert_eq!(told.take(), [SUCCESS]);
        assert_eq!(breaker.snapshot().counts.calls, 1);
        advance(MS).await;
        assert_eq!(polls(&mut body), ["error leak"]);
        // Told once, with what came and when, and no second call.
        assert_eq!(told.take(), [Line::Broke { after: MS * 3, bytes: 5 }]);
        assert_eq!(breaker.state(), if counts { State::Open } else { State::Closed });
        assert_eq!(polls(&mut body), ["error leak", "end"]);
        drop(body);
        assert_eq!(told.take(), []);
    }
}

/// BO-08: a panic breaks off, too; a reader who hangs up does not, nor does an end, or a break before the call is
/// settled.
#[tokio::test(start_paused = true)]
async fn what_breaks_off() {
    let (breaker, told) = rig(|builder| builder.consecutive_failures(9));
    let early = || layer(&breaker).settle_early(Early::FirstFrame).unwrap().count_late_breaks();
    let mut body = task::spawn(through(&early(), script(["a".into(), Act::Panic])).await);
    poll(&mut body);
    assert!(panics(&mut body));
    assert_eq!(told.take(), [SUCCESS, Line::Broke { after: Duration::ZERO, bytes: 1 }]);
    let hangs_up = early().on_body_drop(OnDrop::Failure);
    let mut body = task::spawn(through(&hangs_up, script(["a".into(), "b".into()])).await);
    poll(&mut body);
    drop(body);
    assert_eq!(told.take(), [SUCCESS]);
    let mut body = task::spawn(through(&early(), script(["a".into()])).await);
    assert_eq!(polls(&mut body), ["data a", "end"]);
    assert_eq!(told.take(), [SUCCESS]);
    let mut body = task::spawn(through(&early(), script([error()])).await);
    poll(&mut body);
    assert_eq!(told.take(), [FAILURE]);
}

/// BO-08: a late break is never a probe's: it reopens nothing that the probe closed, and fails no trial.
#[tokio::test(start_paused = true)]
async fn late_breaks_of_probes() {
    for threshold in [1, 2] {
        let (breaker, told) = rig(|builder| builder.success_threshold(threshold));
        make_half_open(&breaker, &told).await;
        let layer = layer(&breaker).count_late_breaks();
        let mut body = task::spawn(through(&layer, script(["a".into(), error()])).await);
        poll(&mut body);
        let state = breaker.state();
        assert_eq!(state, if threshold == 1 { State::Closed } else { State::HalfOpen });
        let generation = breaker.snapshot().generation;
        assert_eq!(polls(&mut body), ["error leak"]);
        assert_eq!(told.take(), [SUCCESS, Line::Broke { after: Duration::ZERO, bytes: 1 }]);
        let snapshot = breaker.snapshot();
        assert_eq!((snapshot.state, snapshot.generation), (state, generation));
        assert_eq!(snapshot.counts.failures + u64::from(snapshot.counts.consecutive_failures), 0);
    }
}

/// BO-07: zero is refused, with the field, the value and the rule.
#[test]
fn bad_settings() {
    let (breaker, _) = plain();
    for (early, text) in [
        (Early::After(Duration::ZERO), "settle_early is After(0ns), must be longer than zero"),
        (Early::Bytes(0), "settle_early is Bytes(0), must be at least 1"),
    ] {
        let error = layer(&breaker).settle_early(early).unwrap_err();
        assert_eq!(error.to_string(), format!("circuit breaker `stream`: {text}"));
        assert_eq!(error.field(), "settle_early");
    }
    for early in [Early::After(Duration::MAX), Early::After(Duration::from_nanos(1)), Early::Bytes(1)] {
        assert!(layer(&breaker).settle_early(early).is_ok());
    }
}

/// BO-07: a time that the clock cannot represent is never over.
#[tokio::test(start_paused = true)]
async fn after_an_age() {
    let (breaker, told) = plain();
    let layer = layer(&breaker).settle_early(Early::After(Duration::MAX)).unwrap();
    let mut body = task::spawn(through(&layer, script(["a".into(), "b".into()])).await);
    advance(SECOND * 3600).await;
    assert_eq!(polls(&mut body), ["data a", "data b"]);
    assert_eq!(told.take(), []);
    assert_eq!(polls(&mut body), ["end"]);
    assert_eq!(told.take(), [SUCCESS]);
}

/// BO-14: a verdict that comes an hour later is of an older generation, and changes nothing.
#[tokio::test(start_paused = true)]
async fn an_hour_later() {
    let (breaker, told) = plain();
    let mut bodies: Vec<_> = Vec::new();
    for _ in 0..3 {
        bodies.push(task::spawn(through(&layer(&breaker), script([error()])).await));
    }
    bodies.push(task::spawn(through(&layer(&breaker), script([])).await));
    breaker.admit().unwrap().settle(Verdict::Failure);
    assert_eq!(breaker.state(), State::Open);
    let opened = breaker.snapshot().generation;
    // A good one does not close it, and a bad one does not lengthen the open time.
    poll(&mut bodies[3]);
    poll(&mut bodies[0]);
    assert_eq!((breaker.state(), breaker.snapshot().generation), (State::Open, opened));
    assert_eq!(breaker.snapshot().retry_after, Some(SECOND));
    // It does not fail a trial either, nor reopen it.
    advance(SECOND * 3600).await;
    let probe = breaker.admit().unwrap();
    poll(&mut bodies[1]);
    assert_eq!(breaker.state(), State::HalfOpen);
    probe.settle(Verdict::Success);
    poll(&mut bodies[2]);
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(breaker.snapshot().counts.consecutive_failures, 0);
    assert_eq!(told.take().len(), 6);
}
