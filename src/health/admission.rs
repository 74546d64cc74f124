use std::convert::Infallible;
use std::task::{Context, Poll};

use super::handle::{Health, NotReadyCause};
use crate::admission::{Admission, Admitted, HeldFlag, HeldTicket, Refused};
use crate::error::Rejected;
use crate::machine::lifecycle::phase::Phase;

/// Which requests are let in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadinessScope {
    /// The last phase in which they are.
    pub(super) last: Phase,
    /// Whether this one passes whatever the state.
    pub(super) exempt: bool,
}

/// A request that was let in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Entry {
    /// An exempt one is not.
    pub(crate) counted: bool,
    held: HeldFlag,
}

impl HeldTicket for Entry {
    #[inline(always)]
    fn held(&mut self) -> &mut HeldFlag {
        &mut self.held
    }
}

impl Admission for Health {
    type Scope = ReadinessScope;
    type Memo = ();
    type Seen = ();
    type Ticket = Entry;
    type Refusal = NotReadyCause;
    type Wait = Infallible;
    type Waiting = ();
    type Limit = ();

    const CONSULTS_DEADLINE: bool = false;
    const SETTLES: bool = false;

    #[inline(always)]
    fn peek(&self, scope: ReadinessScope, (): &mut (), _: &mut Context<'_>) -> Poll<Option<()>> {
        Poll::Ready(self.is_ready_until(scope.last).then_some(()))
    }

    #[inline(always)]
    fn admit(&self, scope: ReadinessScope, (): &mut ()) -> Admitted<Self> {
        if scope.exempt {
            return Ok(Entry { counted: false, held: HeldFlag::YES });
        }
        match self.enter(scope.last) {
            Ok(()) => Ok(Entry { counted: true, held: HeldFlag::YES }),
            Err(cause) => Err(Refused::For(cause)),
        }
    }

    #[inline(always)]
    fn release(&self, entry: &Entry) {
        if entry.counted {
            self.left();
        }
    }

    #[inline(always)]
    fn limit(&self, _: ReadinessScope) {}

    fn rejection(&self, cause: &NotReadyCause) -> Rejected {
        Health::reject(self, cause)
    }

    fn rejected(&self, _: NotReadyCause) {}
}
