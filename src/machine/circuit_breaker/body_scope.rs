use std::time::Duration;

use super::settings::OnDrop;

/// When a call that goes on in its response body is settled before the body has ended, as what its head said, if
/// nothing has failed by then. For streams that live for hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Early {
    /// With the first data frame that is not empty.
    FirstFrame,
    /// With the first frame, or the end, this long after the response head or later. Takes no timer, so a probe whose
    /// body stands still may be given up before.
    After(Duration),
    /// With the frame that completes this many bytes of data.
    Bytes(u64),
    /// Not at all: every call waits for the end of its body, a probe as well.
    Never,
}

/// The rules for calls that go on in their response bodies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyScope {
    /// If not set, probes are settled with their first data frame, and other calls at the end.
    pub(crate) early: Option<Early>,
    pub(crate) on_drop: OnDrop,
    pub(crate) slow_to_end: bool,
    pub(crate) counts_late_breaks: bool,
}

impl BodyScope {
    pub(crate) const DEFAULT: BodyScope =
        BodyScope { early: None, on_drop: OnDrop::Ignore, slow_to_end: false, counts_late_breaks: false };

    pub(crate) fn early_for(&self, is_probe: bool) -> Early {
        self.early.unwrap_or(if is_probe { Early::FirstFrame } else { Early::Never })
    }

    /// Whether it matters how long a dropped call has run.
    pub(crate) fn times_drops(&self) -> bool {
        matches!(self.on_drop, OnDrop::FailureAfter(_))
    }
}

/// The rules of a policy, as they were given.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BodyRules {
    pub(crate) until_end: bool,
    pub(crate) early: Option<Early>,
    pub(crate) on_drop: Option<OnDrop>,
}

impl BodyRules {
    /// The setting that breaks a rule, and the rule.
    pub(crate) fn flaw(&self) -> Option<(&'static str, &'static str)> {
        const ALONE: &str = "needs `until_body_end`";
        match (self.early, self.on_drop) {
            (Some(_), _) if !self.until_end => Some(("settle_early", ALONE)),
            (_, Some(_)) if !self.until_end => Some(("on_body_drop", ALONE)),
            (Some(early), _) => early_flaw(early).map(|(_, rule)| ("settle_early", rule)),
            (None, _) => None,
        }
    }

    /// None if calls end with the heads of their responses.
    pub(crate) fn scope(&self) -> Option<BodyScope> {
        let on_drop = self.on_drop.unwrap_or_default();
        self.until_end.then_some(BodyScope { early: self.early, on_drop, ..BodyScope::DEFAULT })
    }
}

/// The rule that a setting for early settling breaks, and the value that does.
pub(crate) fn early_flaw(early: Early) -> Option<(&'static str, &'static str)> {
    match early {
        Early::After(Duration::ZERO) => Some(("After(0ns)", "must be longer than zero")),
        Early::Bytes(0) => Some(("Bytes(0)", "must be at least 1")),
        Early::FirstFrame | Early::After(_) | Early::Bytes(_) | Early::Never => None,
    }
}
