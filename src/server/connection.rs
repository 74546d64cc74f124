use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use super::heard::ShutdownWatch;
use super::watch::ConnectionWatch;
use crate::rt::time;
use crate::rt::time::Alarm;

/// After the server is told to finish, connections are read for a little longer: a request sent before that is still on
/// its way, and is owed an answer.
const LINGER: Duration = Duration::from_millis(50);

/// How long an HTTP/2 client that has never sent a request gets to notice that it should go away.
const GOODBYE: Duration = Duration::from_secs(1);
/// How long an HTTP/2 connection that has had a request may go without a byte in either direction: its client may be
/// slow to read the end of an answer.
const SILENCE: Duration = Duration::from_secs(5);

/// A connection that hyper drives.
pub(super) trait Connection: Future {
    /// Accepts no more requests than those that have begun.
    fn finish(self: Pin<&mut Self>);
}

enum ConnectionStage {
    Open,
    Lingers,
    /// It was told to finish.
    Told,
}

/// Drives a connection until it ends or is closed here. A connection that is cut is dropped without a goodbye.
///
/// hyper waits with no limit for the rest of a head, and for HTTP/2 clients that do not answer; that is why the
/// connection is [watched](ConnectionWatch) here.
pub(super) async fn drive<C: Connection>(
    connection: C,
    watch: &ConnectionWatch,
    head_limit: Duration,
    mut stop: ShutdownWatch,
    mut cut: ShutdownWatch,
) {
    let mut connection = pin!(connection);
    let (mut stage, mut alarm) = (ConnectionStage::Open, Alarm::default());
    // Whether the alarm is set for the current head, and the count of the watch when it was last set.
    let (mut is_set, mut moved) = (false, None);
    let mut is_condemned = false;
    poll_fn(|cx| {
        if cut.is_requested(cx) {
            return Poll::Ready(());
        }
        loop {
            if connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            match stage {
                ConnectionStage::Open if stop.is_requested(cx) => {
                    stage = ConnectionStage::Lingers;
                    alarm.set(time::now().after(LINGER));
                }
                ConnectionStage::Open if !watch.is_reading() => {
                    is_set = false;
                    return Poll::Pending;
                }
                ConnectionStage::Open => {
                    if !is_set {
                        alarm.set(time::now().after(head_limit));
                        is_set = true;
                    }
                    return alarm.poll(cx);
                }
                ConnectionStage::Lingers => {
                    if alarm.poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    connection.as_mut().finish();
                    stage = ConnectionStage::Told;
                }
                ConnectionStage::Told if !watch.is_idle() || watch.is_upgraded() => {
                    (moved, is_condemned) = (None, false);
                    return Poll::Pending;
                }
                ConnectionStage::Told if watch.is_http2() => {
                    let now = Some(watch.moved());
                    if moved != now {
                        moved = now;
                        let limit = if watch.was_called() { SILENCE } else { GOODBYE };
                        alarm.set(time::now().after(limit));
                    }
                    return alarm.poll(cx);
                }
                ConnectionStage::Told if watch.is_blocked() => return Poll::Pending,
                // Between requests, with nothing left to write. Closed one poll later, because hyper may have stopped
                // in the middle of something.
                ConnectionStage::Told if is_condemned => return Poll::Ready(()),
                ConnectionStage::Told => {
                    is_condemned = true;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
        }
    })
    .await;
}
