use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use seaworthy::observe::Notifier;
use seaworthy::{Event as CoreEvent, Name, Shutdown};
use seaworthy_store::tasks::Tasks;
use seaworthy_store::time::{Instant, now};
use seaworthy_store::{ErrorClass, StoreError};
use tokio::sync::Notify;

use super::held::HeldJobs;
use super::settings::Settings;
use super::solo::Solo;
use crate::event::Event;
use crate::queue::Shared as QueueShared;
use crate::store::Taken;

/// What the tasks of a consumer share.
pub(super) struct Shared<M, S> {
    pub(super) queue: Arc<QueueShared<S>>,
    pub(super) settings: Settings,
    pub(super) solo: Solo,
    pub(super) held: HeldJobs,
    /// Of deliveries.
    pub(super) tasks: Tasks,
    /// What runs beside them.
    pub(super) beside: Tasks,
    /// Something ended, was paused or resumed: there may be room.
    pub(super) changed: Notify,
    pub(super) is_paused: AtomicBool,
    /// A job runs that is to show whether there is room.
    pub(super) on_trial: AtomicBool,
    pub(super) numbers: AtomicU64,
    /// Calls are to be dropped, and their jobs released.
    pub(super) cut_off: Shutdown,
    /// The consumer is gone.
    pub(super) over: Shutdown,
    sight: Mutex<Sight>,
    of: std::marker::PhantomData<fn(M) -> M>,
}

/// When the store last answered.
#[derive(Debug, Default)]
struct Sight {
    answered: Option<Instant>,
    down_since: Option<Instant>,
}

impl<M, S> Shared<M, S> {
    pub(super) fn new(
        queue: Arc<QueueShared<S>>,
        settings: Settings,
        solo: Solo,
        cut_off: Shutdown,
        over: Shutdown,
    ) -> Shared<M, S> {
        Shared {
            queue,
            settings,
            solo,
            held: HeldJobs::default(),
            tasks: Tasks::default(),
            beside: Tasks::default(),
            changed: Notify::new(),
            is_paused: AtomicBool::new(false),
            on_trial: AtomicBool::new(false),
            numbers: AtomicU64::new(0),
            cut_off,
            over,
            sight: Mutex::default(),
            of: std::marker::PhantomData,
        }
    }

    pub(super) fn name(&self) -> &Name {
        &self.queue.name
    }

    fn notifier(&self) -> &Notifier {
        &self.queue.notifier
    }

    pub(super) fn tell(&self, event: &Event<'_>) {
        self.notifier().notify(CoreEvent::Extension(event));
    }

    /// Whether a job may be what kills its process.
    pub(super) fn is_suspect(&self, taken: &Taken) -> bool {
        self.settings.suspect_after.is_some_and(|after| taken.abandoned >= after)
    }

    pub(super) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Says whether the store is there, by what it was asked.
    pub(super) fn answered<T>(&self, answer: Result<T, StoreError>) -> Result<T, ErrorClass> {
        let now = now();
        let queue = self.name();
        match answer {
            Ok(answer) => {
                let down = {
                    let mut sight = self.sight.lock().unwrap_or_else(PoisonError::into_inner);
                    sight.answered = Some(now);
                    sight.down_since.take()
                };
                if let Some(since) = down {
                    self.tell(&Event::StoreUp { queue, down: now.saturating_duration_since(since) });
                }
                Ok(answer)
            }
            Err(error) => {
                let class = error.class();
                let since = {
                    let mut sight = self.sight.lock().unwrap_or_else(PoisonError::into_inner);
                    let was_down = sight.down_since.is_some();
                    let since = *sight.down_since.get_or_insert(now);
                    was_down.then_some(since)
                };
                match since {
                    Some(since) => {
                        let down = now.saturating_duration_since(since);
                        self.tell(&Event::StillDown { queue, class, down });
                    }
                    None => self.tell(&Event::StoreDown { queue, class }),
                }
                Err(class)
            }
        }
    }

    /// Waits until something has ended, was paused or resumed, for so long at most.
    pub(super) async fn changed_within(&self, span: Duration) {
        let _looked_again = tokio::time::timeout(span, self.changed.notified()).await;
    }

    /// Since the store last answered; none if it never has.
    pub(super) fn last_answer(&self) -> Option<Duration> {
        let sight = self.sight.lock().unwrap_or_else(PoisonError::into_inner);
        sight.answered.map(|at| now().saturating_duration_since(at))
    }

    /// Whether it gave no answer when it was last asked.
    pub(super) fn is_down(&self) -> bool {
        self.sight.lock().unwrap_or_else(PoisonError::into_inner).down_since.is_some()
    }
}
