use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;

use tokio::task::JoinSet;

use super::core::{Core, Launch};
use super::probe::{Running, whole_text};
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
        while sky.tasks.try_join_next().is_some() {}
        core.give_up_overdue();
        while let Some(launch) = core.launch() {
            sky.start(launch);
        }
        alarm.set(core.with_table(|table| table.schedule.next_moment()));
        tokio::select! {
            biased;
            () = &mut stop => break,
            () = core.stirred.notified() => {}
            Some(_) = sky.tasks.join_next() => {}
            () = poll_fn(|cx| alarm.poll(cx)) => {}
        }
    }
    core.ground();
    sky.tasks.shutdown().await;
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

/// The result in words. A panic is an error, too.
async fn caught(mut probe: Running) -> Result<(), String> {
    let answer = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| probe.as_mut().poll(cx))) {
        Ok(poll) => poll.map(|result| result.map_err(|error| whole_text(&error))),
        Err(panic) => Poll::Ready(Err(message(&*panic))),
    });
    answer.await
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    text.map_or_else(|| "panicked".to_owned(), |text| format!("panicked: {text}"))
}
