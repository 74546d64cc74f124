//! Who waits for jobs of a queue in this process, so that they are woken at once, whichever handle has what they wait
//! for.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use seaworthy_store::TableNames;
use seaworthy_store::sqlite::SqliteStore;
use tokio::sync::Notify;

/// A queue of a file.
#[derive(PartialEq, Eq)]
struct Place {
    path: PathBuf,
    tables: TableNames,
    queue: Box<str>,
}

static OPEN: Mutex<Vec<(Place, Weak<Notify>)>> = Mutex::new(Vec::new());

/// What is told when something may be there to be handed out: one for each queue of each file.
pub(super) fn shared(store: &SqliteStore, queue: &str) -> Arc<Notify> {
    let place = Place { path: store.path().to_owned(), tables: store.tables().clone(), queue: queue.into() };
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.retain(|(_, told)| told.strong_count() > 0);
    let found = open.iter().find(|(known, _)| *known == place).and_then(|(_, told)| told.upgrade());
    found.unwrap_or_else(|| {
        let told = Arc::new(Notify::new());
        open.push((place, Arc::downgrade(&told)));
        told
    })
}
