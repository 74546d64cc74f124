use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use tokio::task::{JoinError, JoinSet};

use super::core::{Core, Launch};
use super::probe::Running;
use crate::error::chain::in_words;
use crate::panic;
use crate::time::Alarm;

/// Probes all targets until `stop` ends, then gives up and joins what is under way.
pub(super) async fn run(core: &Arc<Core>, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    let _turn = tokio::select! {
        biased;
        () = &mut stop => return,
        turn = core.turn.acquire() => turn,
    };
    let mut sky = Sky { core, tasks: JoinSet::new() };
    let mut alarm = Alarm::default();
    core.with_table(|table| table.running = true);
    loop {
        // What stirs comes first below, so that those that have ended are fetched here, however busy it is.
        while let Some(ended) = sky.tasks.try_join_next() {
            landed(ended);
        }
        core.give_up_overdue();
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
}

impl Sky<'_> {
    fn start(&mut self, Launch { id, probe }: Launch) {
        let landing = Landing { core: self.core.clone(), id };
        let task = self.tasks.spawn(async move {
            let result = caught(probe.start()).await;
            landing.core.settle(id, result.as_ref().copied().map_err(String::as_str));
        });
        self.core.launched(id, task);
    }
}

impl Drop for Sky<'_> {
    fn drop(&mut self) {
        self.core.ground();
    }
}

/// Whatever becomes of a probe, it lands.
struct Landing {
    core: Arc<Core>,
    id: u64,
}

impl Drop for Landing {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Something of the probe panicked where that is not caught, as in its destructor.
            self.core.settle(self.id, Err("panicked"));
        }
        self.core.land(self.id);
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
