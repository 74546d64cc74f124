//! The call context and deadlines, DL-01 to DL-11, DL-18 to DL-20.

mod bulkhead;
mod circuit_breaker;
mod health;
mod layer;
mod policy;
mod retry;
mod scope;
mod timeout;
mod tower;

use std::sync::{Arc, Mutex};

use seaworthy::observe::{DeadlineEvent, Interest};
use seaworthy::{BoxError, DeadlineStage, Event, Observer, Rejected, StackError};
use tokio::time::Duration;

const MS: Duration = Duration::from_millis(1);

/// How far the call had come when its deadline passed.
fn stage<T>(result: Result<T, BoxError>) -> Option<DeadlineStage> {
    match result.err()?.rejected() {
        Some(Rejected::DeadlineExceeded { stage }) => Some(*stage),
        _ => None,
    }
}

/// What was told of deadlines: the name, the stage, how late; or that something arrived.
#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Told {
    fn on_event(&self, event: &Event<'_>) {
        let text = match event {
            Event::Deadline(DeadlineEvent::Exceeded { name, stage, late, .. }) => {
                format!("{} {stage} {late:?}", name.map_or("", |name| name.as_str()))
            }
            Event::Deadline(DeadlineEvent::Arrived { remaining, .. }) => format!("arrived {remaining:?}"),
            _ => return,
        };
        self.0.lock().unwrap().push(text);
    }

    fn interest(&self) -> Interest {
        Interest::Calls
    }
}
