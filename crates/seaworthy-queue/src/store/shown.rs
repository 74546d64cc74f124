//! What is shown of jobs: a body and the values of headers are whoever's secrets they are, and are never written into a
//! log because somebody wrote down all he was given.

use std::fmt;

use super::{DeadJob, NewJob, Taken};
use crate::length::Length;

impl fmt::Debug for NewJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NewJob { id, kind, version, headers, body, due } = self;
        let mut shown = f.debug_struct("NewJob");
        shown.field("id", id).field("kind", kind).field("version", version).field("headers", headers);
        shown.field("body", &Length(body.len())).field("due", due).finish()
    }
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Taken { id, kind, version, headers, body, accepted_at, attempt, fence, abandoned, deferred_for, waited } =
            self;
        let mut shown = f.debug_struct("Taken");
        shown.field("id", id).field("kind", kind).field("version", version).field("headers", headers);
        shown.field("body", &Length(body.len())).field("accepted_at", accepted_at).field("attempt", attempt);
        shown.field("fence", fence).field("abandoned", abandoned).field("deferred_for", deferred_for);
        shown.field("waited", waited).finish()
    }
}

impl fmt::Debug for DeadJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DeadJob { id, kind, version, headers, body, attempts, reason, accepted_at, died_at } = self;
        let mut shown = f.debug_struct("DeadJob");
        shown.field("id", id).field("kind", kind).field("version", version).field("headers", headers);
        shown.field("body", &Length(body.len())).field("attempts", attempts).field("reason", reason);
        shown.field("accepted_at", accepted_at).field("died_at", died_at).finish()
    }
}
