use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use seaworthy::{BoxError, Shutdown};
use seaworthy_leader::{Fenced, LeaderGuard, LeaderLayer, Term};
use seaworthy_store::time::sleep;
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok, task};
use tower::{Layer, Service, service_fn};

use super::{around, elector, text};
use crate::doubles::{seconds, settle_down};

/// LE-40: who does not lead rejects, with the inner service untouched, and is ready without asking it.
#[tokio::test(start_paused = true)]
async fn le_40_not_leading() {
    let elector = elector();
    let term = elector.campaign("a").await.unwrap();
    let (mut service, mut asked) = around(&LeaderLayer::new(term.watch()));
    asked.allow(0);
    // It leads: the inner service decides.
    assert_pending!(task::spawn(std::future::poll_fn(|cx| service.poll_ready(cx))).poll());
    term.resign().await;
    assert_ready_ok!(task::spawn(std::future::poll_fn(|cx| service.poll_ready(cx))).poll());
    let mut call = task::spawn(service.call("x"));
    assert_eq!(text(assert_ready_err!(call.poll())), "not ready: not leader");
    assert_pending!(task::spawn(asked.next_request()).poll());
}

/// LE-40: the call decides, whatever `poll_ready` saw: not valid at the call is rejected, and what the inner service held
/// for it is given back.
#[tokio::test(start_paused = true)]
async fn le_40_call_decides() {
    let elector = elector();
    let term = elector.campaign("a").await.unwrap();
    let (mut service, mut asked) = around(&LeaderLayer::new(term.watch()));
    asked.allow(1);
    assert_ready_ok!(task::spawn(std::future::poll_fn(|cx| service.poll_ready(cx))).poll());
    // The term is over by the clock alone.
    elector.stop_renewing("a");
    tokio::time::advance(seconds(15)).await;
    let mut call = task::spawn(service.call("x"));
    assert_eq!(text(assert_ready_err!(call.poll())), "not ready: not leader");
    assert_pending!(task::spawn(asked.next_request()).poll());
}

/// LE-40: it began to lead after `poll_ready`: the request is let in, through a clone that is made ready first; unless the
/// lead is lost before that is so.
#[tokio::test(start_paused = true)]
async fn le_40_leads_by_now() {
    let elector = elector();
    let guard = LeaderGuard::new(elector.clone(), "a", |term: Term| async move {
        term.ended().requested().await;
        Ok::<(), BoxError>(())
    });
    let (mut service, mut asked) = around(&LeaderLayer::new(&guard));
    asked.allow(0);
    assert_ready_ok!(task::spawn(std::future::poll_fn(|cx| service.poll_ready(cx))).poll());
    let (_trigger, shutdown) = Shutdown::new();
    tokio::spawn(guard.run(shutdown));
    settle_down().await;
    let mut call = task::spawn(service.call("x"));
    assert_pending!(call.poll());
    asked.allow(1);
    assert!(call.is_woken());
    assert_pending!(call.poll());
    let (request, respond) = assert_ready!(task::spawn(asked.next_request()).poll()).unwrap();
    assert_eq!((*request.get_ref(), request.epoch().get()), ("x", 1));
    respond.send_response("done");
    assert_eq!(assert_ready_ok!(call.poll()), "done");

    // Not ready, and then lost.
    asked.allow(0);
    elector.revoke("a");
    settle_down().await;
    assert_ready_ok!(task::spawn(std::future::poll_fn(|cx| service.poll_ready(cx))).poll());
    sleep(seconds(5)).await;
    let mut call = task::spawn(service.call("y"));
    assert_pending!(call.poll());
    elector.revoke("a");
    settle_down().await;
    asked.allow(1);
    assert_eq!(text(assert_ready_err!(call.poll())), "not ready: not leader");
    assert_pending!(task::spawn(asked.next_request()).poll());
}

/// LE-40: told to end is not leading, although the term is valid still: what would be cut off is not let in.
#[tokio::test(start_paused = true)]
async fn le_40_told() {
    let elector = elector();
    let term = elector.campaign("a").await.unwrap();
    let (mut service, mut asked) = around(&LeaderLayer::new(term.watch()));
    asked.allow(1);
    elector.stop_renewing("a");
    term.ended().requested().await;
    assert!(term.is_valid());
    assert_ready_ok!(task::spawn(std::future::poll_fn(|cx| service.poll_ready(cx))).poll());
    assert_eq!(text(assert_ready_err!(task::spawn(service.call("x")).poll())), "not ready: not leader");
    assert_pending!(task::spawn(asked.next_request()).poll());
}

/// LE-41: the epoch is that of the call, over as many terms as the guard has.
#[tokio::test(start_paused = true)]
async fn le_41_epoch() {
    let elector = elector();
    let guard = LeaderGuard::new(elector.clone(), "a", |term: Term| async move {
        term.ended().requested().await;
        Ok::<(), BoxError>(())
    });
    let layer = LeaderLayer::new(guard.watch());
    let mut service = layer.layer(service_fn(|request: Fenced<&'static str>| async move {
        sleep(seconds(20)).await;
        Ok::<_, BoxError>((request.into_inner(), request.epoch().get()))
    }));
    let (_trigger, shutdown) = Shutdown::new();
    tokio::spawn(guard.run(shutdown));
    settle_down().await;
    let mut calls = Vec::new();
    for epoch in 1..=3 {
        assert_ready_ok!(task::spawn(std::future::poll_fn(|cx| service.poll_ready(cx))).poll());
        calls.push((epoch, tokio::spawn(service.call("x"))));
        elector.revoke("a");
        sleep(seconds(6)).await;
    }
    for (epoch, call) in calls {
        assert_eq!(call.await.unwrap().unwrap(), ("x", epoch));
    }
}

/// LE-41: without the epoch the inner service gets the request as it came.
#[tokio::test(start_paused = true)]
async fn le_41_without() {
    let elector = elector();
    let term = elector.campaign("a").await.unwrap();
    let layer = LeaderLayer::new(term.watch()).without_epoch();
    let mut service = layer.layer(service_fn(|request: &'static str| ready(Ok::<_, BoxError>(request))));
    assert_eq!(service.call("x").await.unwrap(), "x");
}

#[derive(Clone)]
struct Echo;

impl Service<Fenced<u64>> for Echo {
    type Response = u64;
    type Error = seaworthy::Error<Infallible>;
    type Future = Ready<Result<u64, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Fenced<u64>) -> Self::Future {
        ready(Ok(request.into_inner()))
    }
}

/// LE-43: the good path allocates nothing.
#[tokio::test(start_paused = true)]
async fn le_43_costs() {
    let elector = elector();
    let term = elector.campaign("a").await.unwrap();
    let mut service = LeaderLayer::new(term.watch()).layer(Echo);
    let mut request = || {
        let mut cx = Context::from_waker(Waker::noop());
        assert!(service.poll_ready(&mut cx).is_ready());
        let mut call = std::pin::pin!(service.call(7));
        assert!(matches!(black_box(call.as_mut().poll(&mut cx)), Poll::Ready(Ok(7))));
    };
    request();
    assert_eq!(measure(&mut request).count_total, 0);
}
