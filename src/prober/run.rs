use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use super::core::{Core, Launch};
use super::probe::Running;
use super::under_way::Surroundings;
use crate::error::chain::in_words;
use crate::panic;
use crate::time::Alarm;
use crate::{Name, time};

/// How long what was given up, but cannot be taken back, is waited for when the run ends.
const LAST_MOMENT: Duration = Duration::from_millis(250);

/// Probes all targets until `stop` ends, then gives up and joins what is under way; the targets of which something is
/// left all the same.
pub(super) async fn run(core: &Arc<Core>, stop: impl Future<Output = ()>) -> Vec<Name> {
    tokio::pin!(stop);
    let _turn = tokio::select! {
        biased;
        () = &mut stop => return Vec::new(),
        turn = core.turn.acquire() => turn,
    };
    let mut sky = Sky { core, tasks: JoinSet::new(), ended: watch::channel(()).0 };
    let mut alarm = Alarm::default();
    core.with_table(|table| table.running = true);
    loop {
        // What stirs comes first below, so that those that have ended are fetched here, however busy it is.
        while let Some(ended) = sky.tasks.try_join_next() {
            landed(ended);
        }
        core.give_up_overdue();
        core.notice();
        while let Some(launch) = core.launch() {
            sky.start(launch);
        }
        alarm.set(core.with_table(|table| table.schedule.next_moment()));
        tokio::select! {
            biased;
            () = &mut stop => break,
            () = core.stirred.notified() => {}
            Some(ended) = sky.tasks.join_next() => landed(ended),
            () = poll_fn(|cx| alarm.poll(cx)) => {}
        }
    }
    core.ground();
    sky.tasks.abort_all();
    while let Some(ended) = sky.tasks.join_next().await {
        landed(ended);
    }
    drop(sky);
    alarm.set(time::now().after(LAST_MOMENT));
    loop {
        let left = core.under_way();
        if left.is_empty() {
            return left;
        }
        tokio::select! {
            biased;
            () = core.stirred.notified() => {}
            () = poll_fn(|cx| alarm.poll(cx)) => return core.under_way(),
        }
    }
}

/// What a probe that was given up panicked with can be anything.
fn landed(ended: Result<(), JoinError>) {
    if let Err(Ok(payload)) = ended.map_err(JoinError::try_into_panic) {
        panic::dispose(payload);
    }
}

/// What is under way. Dropping it gives all of it up.
struct Sky<'a> {
    core: &'a Arc<Core>,
    tasks: JoinSet<()>,
    /// Nothing is ever sent: who listens learns that it is gone.
    ended: watch::Sender<()>,
}

impl Sky<'_> {
    fn start(&mut self, Launch { id, probe }: Launch) {
        let surroundings = Surroundings::new(self.core, id, self.ended.subscribe());
        let witness = Witness { core: self.core.clone(), id };
        let task = self.tasks.spawn(surroundings.around(async move {
            let result = caught(probe.start()).await;
            witness.core.settle(id, result.as_ref().copied().map_err(String::as_str));
        }));
        self.core.launched(id, task);
    }
}

impl Drop for Sky<'_> {
    fn drop(&mut self) {
        self.core.ground();
    }
}

/// Sees that something of the probe panicked where that is not caught, as in its destructor.
struct Witness {
    core: Arc<Core>,
    id: u64,
}

impl Drop for Witness {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.core.settle(self.id, Err("panicked"));
        }
    }
}

/// The result in words. A panic is an error, too, and so is one of what is left of the probe when it is dropped.
async fn caught(probe: Running) -> Result<(), String> {
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
