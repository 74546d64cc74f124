use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use seaworthy::{Name, Shutdown, ShutdownTrigger};
use seaworthy_store::time::{Instant, now};
use tokio::sync::watch;

use super::control::TermOwner;
use crate::epoch::Epoch;
use crate::event::TermEnd;
use crate::packed::{pack, unpack};
use crate::standing::Standing;

/// What a term, its watches, its elector and its guard share.
pub(super) struct TermState {
    pub(super) name: Name,
    pub(super) epoch: Epoch,
    pub(super) granted: Instant,
    /// Packed, after `granted`; 0 when the term is over, from which there is no way back.
    deadline: AtomicU64,
    ended: ShutdownTrigger,
    released: ShutdownTrigger,
    /// When its work has to be gone.
    stop_by: watch::Sender<Option<Instant>>,
    is_guarded: AtomicBool,
    gate: Mutex<Gate>,
}

#[derive(Default)]
struct Gate {
    owner: Option<Arc<dyn TermOwner>>,
    /// Those who say for others whether it leads.
    standings: Vec<Arc<Standing>>,
    /// Once it was told to end it does not lead for others, valid or not.
    is_told: bool,
}

impl TermState {
    pub(super) fn new(name: Name, epoch: Epoch, deadline: Instant, owner: Arc<dyn TermOwner>) -> Arc<TermState> {
        let granted = now();
        let state = TermState {
            name,
            epoch,
            granted,
            deadline: AtomicU64::new(0),
            ended: Shutdown::new().0,
            released: Shutdown::new().0,
            stop_by: watch::Sender::new(None),
            is_guarded: AtomicBool::new(false),
            gate: Mutex::new(Gate { owner: Some(owner), ..Gate::default() }),
        };
        state.deadline.store(state.packed(deadline), Ordering::Release);
        Arc::new(state)
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn packed(&self, moment: Instant) -> u64 {
        pack(moment.saturating_duration_since(self.granted))
    }

    #[inline]
    pub(super) fn is_valid(&self) -> bool {
        let deadline = self.deadline.load(Ordering::Acquire);
        if deadline == 0 {
            return false;
        }
        let now = self.packed(now());
        now < deadline || self.is_valid_after(deadline, now)
    }

    /// Whoever finds it over makes it so for everybody, or a renewal that is noted a moment later would bring it back.
    #[cold]
    fn is_valid_after(&self, mut deadline: u64, now: u64) -> bool {
        while deadline != 0 && now >= deadline {
            match self.deadline.compare_exchange(deadline, 0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return false,
                Err(later) => deadline = later,
            }
        }
        deadline != 0
    }

    /// None when it is over.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.deadline.load(Ordering::Acquire) {
            0 => None,
            packed => Some(self.granted + unpack(packed)),
        }
    }

    /// Whether the deadline could be moved.
    pub(super) fn renewed(&self, deadline: Instant) -> bool {
        let gate = self.gate();
        if !self.is_valid() {
            return false;
        }
        let later = self.packed(deadline);
        let moved =
            self.deadline.fetch_update(Ordering::AcqRel, Ordering::Acquire, |old| (old != 0).then(|| old.max(later)));
        if moved.is_ok() && !gate.is_told {
            for standing in &gate.standings {
                standing.renewed(deadline);
            }
        }
        moved.is_ok()
    }

    /// Tells whoever listens that it ends, and by when.
    pub(super) fn tell(&self, stop_by: Instant) {
        self.close_gate();
        self.stop_by.send_modify(|before| {
            *before = Some(before.map_or(stop_by, |before| before.min(stop_by)));
        });
        self.ended.fire();
    }

    /// It is valid no more.
    pub(super) fn invalidate(&self) {
        self.deadline.store(0, Ordering::Release);
        self.close_gate();
    }

    /// Asks the elector to go on until then, and tells whoever listens.
    pub(super) fn wind_down(&self, stop_by: Instant) {
        let owner = self.gate().owner.clone();
        self.tell(stop_by);
        if let Some(owner) = owner {
            owner.wind_down(stop_by.into_std());
        }
    }

    /// The first call gives it back.
    pub(super) fn end(&self, end: TermEnd) {
        let owner = self.gate().owner.take();
        self.invalidate();
        self.ended.fire();
        if let Some(owner) = owner {
            owner.end(end);
        }
    }

    fn close_gate(&self) {
        let standings = {
            let mut gate = self.gate();
            gate.is_told = true;
            std::mem::take(&mut gate.standings)
        };
        for standing in standings {
            standing.leave(self.epoch);
        }
    }

    /// From now on, and until the term is told to end, this says that it leads.
    pub(super) fn show_in(&self, standing: &Arc<Standing>) {
        let mut gate = self.gate();
        if let Some(deadline) = self.deadline().filter(|_| !gate.is_told) {
            standing.lead(self.epoch, deadline, self.ended.shutdown());
            gate.standings.push(Arc::clone(standing));
        }
    }

    pub(super) fn ended(&self) -> Shutdown {
        self.ended.shutdown()
    }

    pub(super) fn stop_by(&self) -> watch::Receiver<Option<Instant>> {
        self.stop_by.subscribe()
    }

    pub(super) fn set_released(&self) {
        self.released.fire();
    }

    pub(super) async fn released(&self) {
        self.released.shutdown().requested_owned().await;
    }

    pub(super) fn guarded(&self) {
        self.is_guarded.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_guarded(&self) -> bool {
        self.is_guarded.load(Ordering::Relaxed)
    }
}
