use seaworthy::{Bulkhead, RetryPolicy};

use super::*;

/// BO-11: a retry above decides at the head; a body that fails later is not retried, its head is gone.
#[tokio::test(start_paused = true)]
async fn retry_above() {
    let (breaker, told) = rig(|builder| builder.consecutive_failures(9));
    let retry = RetryPolicy::builder("stream").attempts(3).build().unwrap();
    let calls = Arc::new(Mutex::new(0));
    let count = calls.clone();
    let service = service_fn(move |_: Request<http_body_util::Empty<Bytes>>| {
        let call = {
            let mut calls = count.lock().unwrap();
            *calls += 1;
            *calls
        };
        async move {
            let code = if call == 1 { 503 } else { 200 };
            Ok::<_, BoxError>(status(code, script(["a".into(), error()])))
        }
    });
    let stack = retry.layer().retry_if(seaworthy::http::HttpRetry).layer(layer(&breaker).layer(service));
    let response = stack.oneshot(Request::new(http_body_util::Empty::new())).await.unwrap();
    let mut body = task::spawn(response.into_body());
    assert_eq!(told.take(), [FAILURE]);
    assert_eq!(polls(&mut body), ["data a", "error leak", "end"]);
    assert_eq!((told.take(), *calls.lock().unwrap()), (vec![FAILURE], 2));
}

/// BO-11: with a body-scoped bulkhead, permit and verdict leave at the same frame, in either order of the layers.
#[tokio::test(start_paused = true)]
async fn with_a_bulkhead() {
    for outside in [false, true] {
        for (acts, last) in
            [(vec![Act::Data("a"), Act::Pending, Act::Data("b")], "end"), (vec![Act::Data("a"), error()], "error leak")]
        {
            let (breaker, told) = plain();
            let bulkhead = Bulkhead::builder("stream").limit(1).build().unwrap();
            let response = Response::new(Script { acts: acts.into(), ..Script::default() });
            let held = || (bulkhead.in_use(), told.lines.lock().unwrap().len());
            if outside {
                let stack = bulkhead.layer().until_body_end().layer(layer(&breaker).layer(service_fn(answer)));
                let body = stack.oneshot(Request::new(response)).await.unwrap().into_body();
                drain(body, last, held);
            } else {
                let stack = layer(&breaker).layer(bulkhead.layer().until_body_end().layer(service_fn(answer)));
                let body = stack.oneshot(Request::new(response)).await.unwrap().into_body();
                drain(body, last, held);
            }
        }
    }
}

fn drain(body: impl Body<Data = Bytes, Error = BoxError>, last: &str, held: impl Fn() -> (u32, usize)) {
    let mut body = task::spawn(body);
    loop {
        assert_eq!(held(), (1, 0));
        let got = poll(&mut body);
        if got == last {
            return assert_eq!(held(), (0, 1));
        }
    }
}

/// BO-11: a full bulkhead below is ignored, without a body to wait for.
#[tokio::test(start_paused = true)]
async fn rejected_below() {
    let (breaker, told) = plain();
    let bulkhead = Bulkhead::builder("stream").limit(1).build().unwrap();
    let _permit = bulkhead.try_acquire().unwrap();
    let stack = layer(&breaker).layer(bulkhead.layer().layer(service_fn(answer)));
    assert!(stack.oneshot(Request::new(Response::new(script([])))).await.is_err());
    assert_eq!(told.take(), [IGNORED]);
}
