use std::collections::VecDeque;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use seaworthy::observe::Notifier;
use seaworthy::{Event as CoreEvent, Name};

use crate::event::{Event, Why};
use crate::machine::term::Change;
use crate::term::TermControl;

type Tell = Box<dyn FnOnce(&Notifier) + Send>;

/// Tells what happened in the order in which it did.
pub(crate) struct Teller {
    pub(crate) notifier: Notifier,
    told: Mutex<Telling>,
}

/// What is still to be told.
#[derive(Default)]
struct Telling {
    queue: VecDeque<Tell>,
    is_telling: bool,
}

impl Teller {
    pub(crate) fn new(notifier: Notifier) -> Teller {
        Teller { notifier, told: Mutex::default() }
    }

    fn telling(&self) -> MutexGuard<'_, Telling> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be told by the next [`tell`](Self::tell), in the order of these calls. Under the lock of what happened.
    pub(crate) fn note(&self, tell: impl FnOnce(&mut dyn FnMut(&Event<'_>)) + Send + 'static) {
        let tell = Box::new(move |notifier: &Notifier| tell(&mut |event| notifier.notify(CoreEvent::Extension(event))));
        self.telling().queue.push_back(tell);
    }

    /// To be told of a term. If its work is to be told to end: by when.
    pub(crate) fn note_change(
        &self,
        name: &Name,
        control: &TermControl,
        change: Change,
    ) -> Option<std::time::Duration> {
        let (name, epoch) = (name.clone(), control.epoch());
        match change {
            Change::Told { stop_by } => {
                self.note(move |tell| tell(&Event::Told { name: &name, epoch, why: Why::Deadline }));
                return Some(stop_by);
            }
            Change::Hurried { stop_by } => return Some(stop_by),
            Change::Expired { by } => self.note(move |tell| tell(&Event::Expired { name: &name, epoch, by })),
            Change::Stuck { told_for: since } if control.is_guarded() => {
                self.note(move |tell| tell(&Event::WorkStuck { name: &name, epoch, since }));
            }
            Change::Stuck { .. } => {}
        }
        None
    }

    /// Tells what was noted, while no lock is held. One thread tells at a time; what the others note meanwhile, and an
    /// observer that comes back here, is told by that one.
    pub(crate) fn tell(&self) {
        if mem::replace(&mut self.telling().is_telling, true) {
            return;
        }
        loop {
            let next = {
                let mut telling = self.telling();
                let next = telling.queue.pop_front();
                telling.is_telling = next.is_some();
                next
            };
            let Some(tell) = next else { return };
            tell(&self.notifier);
        }
    }
}
