use std::time::Duration;

use seaworthy::Verdict;

use super::{Call, Model};

/// No test lets more time pass, so that the clock has room for open times after it.
pub(super) const END: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// One operation on a circuit breaker and its model. A call is named by its index among those in flight, modulo their
/// number, so that any list of operations is valid.
#[derive(Clone, Debug)]
pub enum Op {
    Admit,
    Settle(usize, Verdict),
    Drop(usize),
    /// Drops a permit while the thread unwinds.
    Unwind(usize),
    /// This many calls, one after another, that end at once.
    Burst(Verdict, usize),
    Step(Step),
    ForceOpen,
    ForceClosed,
    Reset,
    Hold,
    /// Releases one guard, by its index among the existing ones, and perhaps says that all is well.
    Release(usize, bool),
    /// A call that wants to be a probe or nothing.
    TryProbe,
    /// Takes a snapshot.
    Look,
}

#[derive(Clone, Debug)]
pub enum Step {
    By(Duration),
    /// This many twentieths of the time window, or of a second: to other buckets, if there are any.
    Part(u32),
    /// To a time at which something is due, by its index among those ahead, give or take this many nanoseconds.
    To(usize, i8),
}

/// How closely a circuit breaker is watched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Watch {
    /// Snapshots are taken only when an operation says so, because they evict. Clock steps that would leave in doubt
    /// what a time window holds are lengthened, until nothing in it is older than the span and less than a tenth late.
    Exactly,
    /// The clock stops anywhere. If that leaves in doubt what a time window holds, a snapshot after each operation says
    /// it, and must be one of the allowed answers.
    Closely,
}

impl Step {
    /// How far the clock has to advance; None to leave it alone.
    pub fn span(&self, model: &Model, running: &[Call], watch: Watch) -> Option<Duration> {
        let mut span = match *self {
            Step::By(span) => span,
            Step::Part(twentieths) => {
                let window = model.time_window().unwrap_or(Duration::from_secs(1));
                (window / 20).saturating_mul(twentieths)
            }
            Step::To(place, off) => {
                let deadlines = model.deadlines(running);
                let due = deadlines.get(place % deadlines.len().max(1))?;
                let off_by = Duration::from_nanos(off.unsigned_abs().into());
                let due = if off < 0 { due.saturating_sub(off_by) } else { due.saturating_add(off_by) };
                due.saturating_sub(model.now())
            }
        };
        if span > END {
            return None;
        }
        while let (Watch::Exactly, Err(longer)) = (watch, model.without_doubt(span)) {
            span = longer;
        }
        (model.now() + span <= END).then_some(span)
    }
}
