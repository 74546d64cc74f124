use std::sync::Arc;
use std::sync::atomic::Ordering;

use seaworthy::Name;
use seaworthy_store::time::{Instant, now};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::mpsc;

use super::acquiring::{Granted, Raised};
use super::fence::PgFence;
use super::keeping::{Keeping, Owner};
use super::shared::Shared;
use crate::epoch::Epoch;
use crate::event::Event;
use crate::machine::term::TermClock;
use crate::term::Term;

/// The term of a lock that is held, and the task that keeps it. The campaign began at `began`.
pub(super) fn lead(shared: &Arc<Shared>, name: Name, granted: Granted, began: Instant) -> Term<PgFence> {
    let Granted { session, raised: Raised { term, epoch, before, seen, sent } } = granted;
    let clock = TermClock::granted(shared.settings.timing(), shared.moment(sent));
    let deadline = (shared.start + clock.deadline()).into_std();
    let (sender, commands) = mpsc::unbounded_channel();
    let (fence, owner) = (PgFence(Arc::clone(&shared.statements.of_leases)), Arc::new(Owner(sender)));
    let (granted, control) = Term::granted(name.clone(), Epoch::new(epoch), deadline, fence, owner);
    let granted = granted.with_transaction_limit(shared.settings.transaction_limit());
    shared.held.fetch_add(1, Ordering::Relaxed);
    let keeping = Keeping {
        shared: Arc::clone(shared),
        name: name.clone(),
        term,
        control,
        clock,
        session: Some(session),
        commands,
        is_told_over: false,
        end: None,
    };
    let runtime = Handle::current();
    let (seen, got, waited) = (Epoch::new(seen), Epoch::new(before), now().saturating_duration_since(began));
    let epoch = granted.epoch();
    shared.teller.note(move |tell| {
        if got < seen {
            tell(&Event::EpochWentBack { name: &name, seen, got });
        }
        tell(&Event::Elected { name: &name, epoch, waited });
    });
    if runtime.runtime_flavor() == RuntimeFlavor::CurrentThread {
        let name = granted.name().clone();
        shared.warned.call_once(|| shared.teller.note(move |tell| tell(&Event::SingleThread { name: &name })));
    }
    shared.teller.tell();
    // Although the thread of whoever leads now may be blocked from here on.
    shared.tasks.spawn_apart(&runtime, keeping.keep());
    granted
}
