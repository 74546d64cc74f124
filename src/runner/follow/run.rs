use super::connection::{End, Following};
use super::settings::Follow;
use super::stream::EventStream;
use crate::machine::runner::reconnect::Reconnects;
use crate::rt::time;
use crate::runner::task_context::TaskContext;
use crate::runner::work::Outcome;

/// Connects again and again, until the shutdown is requested. What fails because of that is no failure.
pub(in crate::runner) async fn follow<S: EventStream>(context: TaskContext, follow: Follow<S>) -> Outcome {
    let shutdown = context.shutdown();
    let mut reconnects = Reconnects::new(follow.wait);
    let mut wait = follow.spread.then(|| reconnects.draw(&mut || context.rng()));
    let mut following = Following::new(follow, &context);
    loop {
        if let Some(wait) = wait {
            if shutdown.until(time::until(time::now().after(wait))).await.is_none() {
                return Ok(());
            }
        }
        if shutdown.is_requested() {
            return Ok(());
        }
        let began = time::now();
        context.began_run();
        let end = following.connection(&context, &shutdown).await;
        if shutdown.is_requested() {
            return Ok(());
        }
        let lived = time::now().since(began);
        let again_in = reconnects.ended(lived, following.has_moved(), &mut || context.rng());
        match end {
            End::Shutdown => return Ok(()),
            End::Stream => context.stream_ended(again_in),
            End::Failed(cause) => context.failed(&cause, Some(again_in)),
            End::Fatal(cause) => return Err(cause),
        }
        wait = Some(again_in);
    }
}
