//! Named points of a worker at which it dies, so that each row of a crash table is hit for certain.

use std::sync::Mutex;
use std::sync::PoisonError;

use crate::journal::Entry;
use crate::journal::Writer;

/// Where this process is to die.
///
/// A worker names the points that it passes; its arguments say at which it ends, as `--die-at=after-claim`, or
/// `--die-at=after-claim:3` for the third time that it gets there.
///
/// ```
/// use seaworthy_faults::points::Points;
///
/// let points = Points::from(["--die-at=after-effect"]);
/// points.die_at("after-claim"); // goes on
/// assert!(points.is_named("after-effect"));
/// ```
#[derive(Debug)]
pub struct Points {
    named: Mutex<Option<(String, u32)>>,
    journal: Option<Writer>,
}

impl Points {
    /// The point that this process was told of, if any. If it was given a journal, too, its death is noted there.
    ///
    /// # Panics
    ///
    /// If there are two points, or the count of one is not a whole number from 1 on.
    pub fn from_args() -> Points {
        let mut points = Points::from(std::env::args().skip(1));
        points.journal = Writer::find_in_args();
        points
    }

    /// The point that these arguments name, if any.
    ///
    /// # Panics
    ///
    /// As [`Points::from_args`].
    pub fn from(args: impl IntoIterator<Item = impl AsRef<str>>) -> Points {
        let mut named = None;
        for arg in args {
            let Some(point) = arg.as_ref().strip_prefix("--die-at=") else { continue };
            let (name, count) = point.split_once(':').unwrap_or((point, "1"));
            let count = count.parse().ok().filter(|count| *count > 0);
            let count = count.unwrap_or_else(|| panic!("--die-at={point}: the count is a whole number from 1 on"));
            assert!(named.is_none(), "a process dies once: there are two --die-at");
            named = Some((name.to_owned(), count));
        }
        Points { named: Mutex::new(named), journal: None }
    }

    /// Whether this is the point at which this process is to die.
    pub fn is_named(&self, point: &str) -> bool {
        self.named.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|(name, _)| name == point)
    }

    /// Aborts this process here if its arguments said so: nothing is dropped, flushed or closed in order.
    pub fn die_at(&self, point: &str) {
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((name, count)) = named.as_mut() else { return };
        if name != point {
            return;
        }
        *count -= 1;
        if *count == 0 {
            if let Some(journal) = &self.journal {
                journal.write(Entry::Dying { point: point.to_owned() });
            }
            std::process::abort();
        }
    }
}
