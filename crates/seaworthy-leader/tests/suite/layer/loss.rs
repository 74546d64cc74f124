use seaworthy_leader::{LeaderLayer, OnLoss};
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok, task};
use tower::Service;

use super::{around, elector, text};
use crate::doubles::settle_down;

/// LE-42: a request that is at work when the lead is lost is finished, by default.
#[tokio::test(start_paused = true)]
async fn le_42_finish() {
    let elector = elector();
    let term = elector.campaign("a").await.unwrap();
    let (mut service, mut asked) = around(&LeaderLayer::new(term.watch()));
    assert_ready_ok!(task::spawn(std::future::poll_fn(|cx| service.poll_ready(cx))).poll());
    let mut call = task::spawn(service.call("x"));
    assert_pending!(call.poll());
    let (_, respond) = assert_ready!(task::spawn(asked.next_request()).poll()).unwrap();
    elector.revoke("a");
    settle_down().await;
    assert!(!term.is_valid() && !call.is_woken());
    assert_pending!(call.poll());
    respond.send_response("done");
    assert_eq!(assert_ready_ok!(call.poll()), "done");
}

/// LE-42: with `Cancel` its future is dropped as soon as the term is told to end, and its caller is told so.
#[tokio::test(start_paused = true)]
async fn le_42_cancel() {
    let elector = elector();
    let term = elector.campaign("a").await.unwrap();
    let (mut service, mut asked) = around(&LeaderLayer::new(term.watch()).on_loss(OnLoss::Cancel));
    let mut request = |_: ()| {
        assert_ready_ok!(task::spawn(std::future::poll_fn(|cx| service.poll_ready(cx))).poll());
        let mut call = task::spawn(service.call("x"));
        assert_pending!(call.poll());
        (call, assert_ready!(task::spawn(asked.next_request()).poll()).unwrap().1)
    };
    let (mut first, respond) = request(());
    let (mut second, left) = request(());
    // In time.
    respond.send_response("done");
    assert_eq!(assert_ready_ok!(first.poll()), "done");
    elector.stop_renewing("a");
    term.ended().requested().await;
    assert!(second.is_woken() && term.is_valid());
    assert_eq!(text(assert_ready_err!(second.poll())), "call withdrawn: `a` no longer allows it");
    // The inner future is gone.
    left.send_response("too late");
    assert_pending!(second.poll());
}
