use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::async_check::{AsyncCheck, CheckRun};
use super::check::{Check, Status};
use crate::error::ConfigError;
use crate::error::check::Subject;
use crate::name::Name;
use crate::observe::event::HealthEvent;
use crate::observe::notifier::Notifier;
use crate::rt::panic::caught;
use crate::rt::sync::{AtomicU64, Mutex, Ordering};

/// The checks of a service. Each request reads them without a lock; changes are made under one.
#[derive(Debug)]
pub(super) struct Registry {
    list: ArcSwap<List>,
    change: Mutex<()>,
}

/// Sorted by name.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    pub(super) all: Vec<Arc<CheckEntry>>,
    required: Vec<Arc<CheckEntry>>,
}

pub(crate) struct CheckEntry {
    pub(super) name: Name,
    pub(super) is_required: bool,
    check: Box<dyn Check>,
    /// What was last reported to the observer: [`UP`], [`DOWN`] or [`GONE`].
    reported: AtomicU64,
}

const UP: u64 = 0;
const DOWN: u64 = 1;
/// It was replaced or removed: a call that still asks it reports nothing.
const GONE: u64 = 2;

impl Registry {
    pub(super) fn new() -> Registry {
        Registry { list: ArcSwap::default(), change: Mutex::new(()) }
    }

    pub(super) fn list(&self) -> Arc<List> {
        self.list.load_full()
    }

    /// The first required check that is down.
    #[inline]
    pub(super) fn first_down(&self, notifier: &Notifier) -> Option<Arc<CheckEntry>> {
        let list = self.list.load();
        list.required.iter().find(|entry| !entry.is_up(notifier)).map(Arc::clone)
    }

    /// Adds a check, or replaces the one of the same name; `note` is called with whether there are required ones now.
    pub(super) fn put(
        &self,
        name: Name,
        is_required: bool,
        check: Box<dyn Check>,
        notifier: &Notifier,
        note: impl FnOnce(bool),
    ) -> Result<(), ConfigError> {
        Subject::checked("health check", &name)?;
        let (event_name, mut former) = (name.clone(), None);
        let _dropped_outside = self.change(note, |all| match find(all, &name) {
            Ok(place) => {
                // An observer that saw it go down wants to see it come up.
                let reported = all[place].reported.swap(GONE, Ordering::Relaxed);
                former = Some((all[place].is_required, reported == UP));
                all[place] = Arc::new(CheckEntry { name, is_required, check, reported: AtomicU64::new(reported) });
            }
            Err(place) => {
                let reported = AtomicU64::new(UP);
                all.insert(place, Arc::new(CheckEntry { name, is_required, check, reported }));
            }
        });
        let (name, required) = (&event_name, is_required);
        match former {
            None => notifier.notify_of_calls(|| HealthEvent::CheckAdded { name, required, up: true }),
            Some((was_required, up)) if was_required != required => {
                notifier.notify_of_calls(|| HealthEvent::CheckRemoved { name, required: was_required, up });
                notifier.notify_of_calls(|| HealthEvent::CheckAdded { name, required, up });
            }
            // Replaced by one that is reported the same way.
            Some(_) => {}
        }
        Ok(())
    }

    /// Removes a check; false if there is none of that name.
    pub(super) fn remove(&self, name: &str, notifier: &Notifier, note: impl FnOnce(bool)) -> bool {
        let mut removed = None;
        let _dropped_outside = self.change(note, |all| {
            removed = find(all, name).ok().map(|place| all.remove(place));
        });
        if let Some(entry) = &removed {
            entry.notify_removed(notifier);
        }
        removed.is_some()
    }

    /// Returns the former list, to be dropped outside the lock: dropping a check is anyone's code.
    fn change(&self, note: impl FnOnce(bool), change: impl FnOnce(&mut Vec<Arc<CheckEntry>>)) -> Arc<List> {
        let _changing = self.change.lock();
        let former = self.list.load_full();
        let mut all = former.all.clone();
        change(&mut all);
        let required: Vec<_> = all.iter().filter(|entry| entry.is_required).cloned().collect();
        let any = !required.is_empty();
        self.list.store(Arc::new(List { all, required }));
        note(any);
        former
    }
}

fn find(all: &[Arc<CheckEntry>], name: &str) -> Result<usize, usize> {
    all.binary_search_by(|entry| entry.name.as_str().cmp(name))
}

impl CheckEntry {
    /// Starts a run, if it is an asynchronous check.
    pub(super) fn run(&self) -> Option<CheckRun> {
        caught(|| self.check.as_async().map(AsyncCheck::run)).unwrap_or_default()
    }

    /// Its current status; down if it panics.
    #[inline]
    pub(super) fn status(&self) -> Status {
        caught(|| self.check.status()).unwrap_or_else(Status::panicked)
    }

    /// How long it will be down, if known.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        caught(|| self.check.retry_after()).unwrap_or_default()
    }

    #[inline]
    fn is_up(&self, notifier: &Notifier) -> bool {
        let status = self.status();
        self.note(&status, notifier);
        status.is_up()
    }

    /// Notifies the observer if the status has changed.
    #[inline]
    pub(super) fn note(&self, status: &Status, notifier: &Notifier) {
        if (self.reported.load(Ordering::Relaxed) == UP) != status.is_up() {
            self.notify(status, notifier);
        }
    }

    #[cold]
    fn notify(&self, status: &Status, notifier: &Notifier) {
        let (from, to) = if status.is_up() { (DOWN, UP) } else { (UP, DOWN) };
        if self.reported.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let reason = status.reason();
            notifier.notify(HealthEvent::CheckChanged { name: &self.name, required: self.is_required, reason });
        }
    }

    /// After this, it is never reported again.
    pub(super) fn notify_removed(&self, notifier: &Notifier) {
        let up = self.reported.swap(GONE, Ordering::Relaxed) == UP;
        notifier.notify_of_calls(|| HealthEvent::CheckRemoved { name: &self.name, required: self.is_required, up });
    }
}

impl fmt::Debug for CheckEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CheckEntry { name, is_required, .. } = self;
        f.debug_struct("CheckEntry").field("name", name).field("is_required", is_required).finish_non_exhaustive()
    }
}
