use std::time::Duration;

use seaworthy::Verdict;

use super::{Call, Model};

/// No test lets more time go by, so that the clock has room for open times behind it.
pub(super) const END: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// One thing that is done to a circuit and to its model. A call is named by its place among those that are out, modulo
/// their number, so that any list of operations means something.
#[derive(Clone, Debug)]
pub enum Op {
    Admit,
    Settle(usize, Verdict),
    Drop(usize),
    /// Drops a permit while the thread unwinds.
    Unwind(usize),
    /// So many calls, one after another, that end at once.
    Burst(Verdict, usize),
    Step(Step),
    ForceOpen,
    ForceClosed,
    Reset,
    Hold,
    /// Lets go of one hold, by its place among those that there are, and perhaps says that all is well.
    Release(usize, bool),
    /// A call that wants to be a probe or nothing.
    TryProbe,
    /// Takes a snapshot.
    Look,
}

#[derive(Clone, Debug)]
pub enum Step {
    By(Duration),
    /// So many twentieths of the time window, or of a second: to other buckets, if there are any.
    Part(u32),
    /// To a time at which something is due, by its place among those ahead, and so many nanoseconds off.
    To(usize, i8),
}

/// How closely a circuit is watched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Watch {
    /// Snapshots are taken only when an operation says so, because they evict. Clock steps that would leave in doubt
    /// what a time window holds are made longer, until nothing in it is older than the span and less than a tenth late.
    Exactly,
    /// The clock stops anywhere. Where that leaves in doubt what a time window holds, a snapshot after each operation
    /// says it, and must say something that is allowed.
    Closely,
}

impl Step {
    /// How far the clock has to go; None to leave it alone.
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
