use seaworthy::http::Early;

use super::*;
use crate::support::MS;

/// A call whose head takes 3 ms and whose body another 20.
async fn call(layer: &Scoped) {
    let slow_head = async |request: Request<Response<Script>>| {
        advance(MS * 3).await;
        answer(request).await
    };
    let request = Request::new(Response::new(script(["a".into(), "b".into()])));
    let response = layer.layer(service_fn(slow_head)).oneshot(request).await.unwrap();
    let mut body = task::spawn(response.into_body());
    advance(MS * 10).await;
    assert_eq!(polls(&mut body), ["data a", "data b"]);
    advance(MS * 10).await;
    assert_eq!(polls(&mut body), ["end"]);
}

/// BO-09: a call is slow by the time until its head, or by that until it is settled if the layer says so.
#[tokio::test(start_paused = true)]
async fn slow_calls() {
    for (limit, to_end, slow) in
        [(MS * 3, false, 0), (MS * 3 - Duration::from_nanos(1), false, 1), (MS * 22, true, 1), (MS * 23, true, 0)]
    {
        let (breaker, _) = rig(|builder| builder.slow_rate(1.0).slow_call(limit).count_window(9).minimum_calls(9));
        let layer = if to_end { layer(&breaker).slow_to_body_end() } else { layer(&breaker) };
        call(&layer).await;
        let counts = breaker.snapshot().counts;
        assert_eq!((counts.calls, counts.slow), (1, slow), "{limit:?}");
    }
    // Settled early, that is until then.
    let (breaker, _) = rig(|builder| builder.slow_rate(1.0).slow_call(MS * 12).count_window(9).minimum_calls(9));
    call(&layer(&breaker).slow_to_body_end().settle_early(Early::FirstFrame).unwrap()).await;
    assert_eq!(breaker.snapshot().counts.slow, 1);
}

/// BO-09: an observer is told both times; without a body scope they are the same.
#[tokio::test(start_paused = true)]
async fn both_times() {
    let times = |told: &Told| std::mem::take(&mut *told.times.lock().unwrap());
    let (breaker, told) = plain();
    call(&layer(&breaker)).await;
    assert_eq!(times(&told), [(MS * 3, MS * 23)]);
    call(&layer(&breaker).settle_early(Early::FirstFrame).unwrap()).await;
    assert_eq!(times(&told), [(MS * 3, MS * 13)]);
    let bad = async |_: Request<()>| {
        advance(MS * 3).await;
        Ok::<_, BoxError>(status(500, script(["a".into()])))
    };
    let response = layer(&breaker).layer(service_fn(bad)).oneshot(Request::new(())).await.unwrap();
    advance(MS * 9).await;
    drop(response);
    assert_eq!(times(&told), [(MS * 3, MS * 3)]);
    breaker.reset();
    let permit = breaker.admit().unwrap();
    advance(MS).await;
    permit.settle(Verdict::Success);
    assert_eq!(times(&told), [(MS, MS)]);
}
