//! Futures that are dropped somewhere, and what must not be left of them.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use crate::space::{Session, Space, until};

/// Polls it at most `polls` times, then drops it. Whether it ended.
pub(crate) async fn dropped_after(polls: usize, future: impl Future) -> bool {
    let mut future = pin!(future);
    let mut done = 0;
    poll_fn(move |context| {
        if done == polls {
            return Poll::Ready(false);
        }
        done += 1;
        future.as_mut().poll(context).map(|_answer| true)
    })
    .await
}

/// No connection beyond `most`, no transaction and no lock of this test's.
pub(crate) async fn nothing_is_left(session: &mut Session, space: &Space, most: i64) {
    let name = space.name();
    let others = format!("FROM pg_stat_activity WHERE application_name = '{name}'");
    let connections = format!("SELECT count(*) {others}");
    let busy = format!("SELECT count(*) {others} AND state <> 'idle'");
    let locks = format!(
        "SELECT count(*) FROM pg_locks WHERE pid IN (SELECT pid {others}) AND locktype IN ('relation', 'advisory', 'tuple')"
    );
    until("nothing is left", async || {
        session.number(&connections).await <= most
            && session.number(&busy).await == 0
            && session.number(&locks).await == 0
    })
    .await;
}
