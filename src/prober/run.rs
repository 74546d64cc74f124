use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use super::probe::ProbeFuture;
use super::shared::{Launch, Shared};
use super::under_way::ProbeContext;
use crate::error::chain::in_words;
use crate::name::Name;
use crate::rt::time::Alarm;
use crate::rt::{panic, time};

/// How long to wait, when the run ends, for what cannot be cancelled.
const LAST_MOMENT: Duration = Duration::from_millis(250);

/// Probes all targets until `stop` ends, then cancels and joins the probes under way. Returns the targets of which
/// something is still left.
pub(super) async fn run(shared: &Arc<Shared>, stop: impl Future<Output = ()>) -> Vec<Name> {
    tokio::pin!(stop);
    let _turn = tokio::select! {
        biased;
        () = &mut stop => return Vec::new(),
        turn = shared.turn.acquire() => turn,
    };
    let mut sky = Running { shared, tasks: JoinSet::new(), ended: watch::channel(()).0 };
    let mut alarm = Alarm::default();
    shared.with_table(|table| table.running = true);
    loop {
        // News comes first in the `select!` below, so finished probes are collected here, however busy it is.
        while let Some(ended) = sky.tasks.try_join_next() {
            landed(ended);
        }
        shared.give_up_overdue();
        shared.notice();
        while let Some(launch) = shared.launch() {
            sky.start(launch);
        }
        alarm.set(shared.with_table(|table| table.schedule.next_moment()));
        tokio::select! {
            biased;
            () = &mut stop => break,
            () = shared.stirred.notified() => {}
            Some(ended) = sky.tasks.join_next() => landed(ended),
            () = poll_fn(|cx| alarm.poll(cx)) => {}
        }
    }
    shared.ground();
    sky.tasks.abort_all();
    while let Some(ended) = sky.tasks.join_next().await {
        landed(ended);
    }
    drop(sky);
    alarm.set(time::now().after(LAST_MOMENT));
    loop {
        let left = shared.under_way();
        if left.is_empty() {
            return left;
        }
        tokio::select! {
            biased;
            () = shared.stirred.notified() => {}
            () = poll_fn(|cx| alarm.poll(cx)) => return shared.under_way(),
        }
    }
}

/// The payload of a probe's panic, which can be anything, is disposed of here.
fn landed(ended: Result<(), JoinError>) {
    if let Err(Ok(payload)) = ended.map_err(JoinError::try_into_panic) {
        panic::dispose(payload);
    }
}

/// The probes under way. Dropping it cancels them all.
struct Running<'a> {
    shared: &'a Arc<Shared>,
    tasks: JoinSet<()>,
    /// Nothing is ever sent: the receivers learn when it is dropped.
    ended: watch::Sender<()>,
}

impl Running<'_> {
    fn start(&mut self, Launch { id, probe, until }: Launch) {
        let surroundings = ProbeContext::new(self.shared, id, self.ended.subscribe(), until);
        let witness = PanicReporter { shared: self.shared.clone(), id };
        let task = self.tasks.spawn(surroundings.around(async move {
            let result = caught(probe.start()).await;
            witness.shared.settle(id, result.as_ref().copied().map_err(String::as_str));
        }));
        self.shared.launched(id, task);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.shared.ground();
    }
}

/// Notices when the probe panics where that is not caught, such as in a destructor.
struct PanicReporter {
    shared: Arc<Shared>,
    id: u64,
}

impl Drop for PanicReporter {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.settle(self.id, Err("panicked"));
        }
    }
}

/// The result, with the error as text. A panic counts as an error, and so does one from dropping what is left of the
/// probe.
async fn caught(probe: ProbeFuture) -> Result<(), String> {
    let mut probe = Some(probe);
    poll_fn(|cx| {
        let poll = panic::caught(|| match probe.as_mut().map(|probe| probe.as_mut().poll(cx)) {
            Some(Poll::Pending) => Poll::Pending,
            Some(Poll::Ready(result)) => Poll::Ready(result.map_err(|error| in_words(&*error))),
            None => Poll::Ready(Ok(())),
        });
        let result = match poll {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(result)) => result,
            Err(text) => Err(panicked(text)),
        };
        let gone = probe.take();
        Poll::Ready(result.and(panic::caught(|| drop(gone)).map_err(panicked)))
    })
    .await
}

fn panicked(text: String) -> String {
    format!("panicked: {text}")
}
