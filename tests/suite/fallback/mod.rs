//! FB: the fallback.

mod answers;
mod drops;
mod logs;
mod service;
mod stack;
mod traits;

use std::sync::{Arc, Mutex};

use seaworthy::fallback::FallbackBuilder;
use seaworthy::observe::FallbackEvent;
use seaworthy::{BoxError, Event, Rejected};

/// Every event, as lines.
#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn by<A, W>(&self, builder: FallbackBuilder<A, W>) -> FallbackBuilder<A, W> {
        let lines = Arc::clone(&self.0);
        builder.observer(move |event: &Event<'_>| match event {
            Event::Fallback(FallbackEvent::FellBack { name, error, .. }) => {
                lines.lock().unwrap().push(format!("{name}: {error}, {error:?}"))
            }
            other => panic!("no test knows of {other:?}"),
        })
    }

    /// Takes all lines so far; the next call starts over.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A rejection, as a layer below would give it.
fn full() -> BoxError {
    Rejected::BulkheadFull { name: "ship".into(), retry_after: None.into() }.into()
}

/// The event for [`full`].
fn fell_back() -> String {
    String::from(r#"spare: bulkhead `ship` is full, BulkheadFull { name: "ship", retry_after: None }"#)
}
