//! The files that are open in this process, so that each has one writer, however many handles there are.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::sqlite::connections::Settings;
use crate::sqlite::file::File;

static OPEN: Mutex<Vec<Weak<File>>> = Mutex::new(Vec::new());

/// The file as others in this process have it open with the same settings, or a new one. Handles with other settings
/// have a writer each, which is as right and only slower: to SQLite they are two that write.
pub(crate) fn shared(path: PathBuf, settings: Settings) -> Arc<File> {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.retain(|file| file.strong_count() > 0);
    let found = open.iter().filter_map(Weak::upgrade).find(|file| file.path == path && file.settings == settings);
    found.unwrap_or_else(|| {
        let file = Arc::new(File::new(path, settings));
        open.push(Arc::downgrade(&file));
        file
    })
}
