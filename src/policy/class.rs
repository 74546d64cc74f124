use std::time::Duration;

/// How one kind of call goes through a policy: which parts it passes and how long it may take.
///
/// A policy has classes by name, which are looked up before the calls: see [`PolicyBuilder::class`] and
/// [`Policy::class`]. A class can also be made on the spot. It belongs to no policy.
///
/// [`PolicyBuilder::class`]: super::PolicyBuilder::class
/// [`Policy::class`]: crate::Policy::class
///
/// ```
/// use seaworthy::policy::Class;
/// use std::time::Duration;
///
/// // A check whether the backend is reachable at all: without waiting, and only once.
/// const PING: Class = Class::new().timeout(Duration::from_secs(5)).without_bulkhead().without_retry();
/// # let _ = PING;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Class {
    limit: ClassLimit,
    skips_circuit: bool,
    skips_bulkhead: bool,
    skips_retry: bool,
    skips_total_timeout: bool,
}

/// How long an attempt may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum ClassLimit {
    #[default]
    AsUsual,
    Endless,
    After(Duration),
}

impl Class {
    /// Passes through every part of the policy, with the policy's own timeout.
    #[must_use]
    pub const fn new() -> Class {
        Class {
            limit: ClassLimit::AsUsual,
            skips_circuit: false,
            skips_bulkhead: false,
            skips_retry: false,
            skips_total_timeout: false,
        }
    }

    /// Passes through nothing: no circuit breaker, no bulkhead, no retries and no timeout.
    #[must_use]
    pub const fn bare() -> Class {
        let passed_by = Class::new().without_circuit_breaker().without_bulkhead().without_retry();
        passed_by.without_timeout().without_total_timeout()
    }

    /// Gives each attempt this much time, instead of the policy's own timeout.
    ///
    /// For a class that a policy is built with, more than zero. For a class made on the spot, zero stands for a
    /// deadline that has already passed: the call is made and polled once, and given up if it has no response by then.
    /// A duration the clock cannot represent means no limit.
    #[must_use]
    pub const fn timeout(mut self, time: Duration) -> Class {
        self.limit = ClassLimit::After(time);
        self
    }

    /// Sets no limit on the whole call.
    #[must_use]
    pub const fn without_total_timeout(mut self) -> Class {
        self.skips_total_timeout = true;
        self
    }

    /// Sets no limit on an attempt.
    #[must_use]
    pub const fn without_timeout(mut self) -> Class {
        self.limit = ClassLimit::Endless;
        self
    }

    /// Leaves out the circuit breaker, which neither rejects the call nor learns how it went.
    #[must_use]
    pub const fn without_circuit_breaker(mut self) -> Class {
        self.skips_circuit = true;
        self
    }

    /// Leaves out the bulkhead: the call takes no permit, and waits for none.
    #[must_use]
    pub const fn without_bulkhead(mut self) -> Class {
        self.skips_bulkhead = true;
        self
    }

    /// Makes a single attempt.
    #[must_use]
    pub const fn without_retry(mut self) -> Class {
        self.skips_retry = true;
        self
    }

    #[inline]
    pub(super) fn has_circuit_breaker(self) -> bool {
        !self.skips_circuit
    }

    #[inline]
    pub(super) fn has_bulkhead(self) -> bool {
        !self.skips_bulkhead
    }

    #[inline]
    pub(super) fn has_retry(self) -> bool {
        !self.skips_retry
    }

    #[inline]
    pub(super) fn has_total_timeout(self) -> bool {
        !self.skips_total_timeout
    }

    pub(super) fn is_endless(self) -> bool {
        self.limit == ClassLimit::Endless
    }

    pub(super) fn own_timeout(self) -> Option<Duration> {
        match self.limit {
            ClassLimit::After(time) => Some(time),
            ClassLimit::AsUsual | ClassLimit::Endless => None,
        }
    }

    /// The time limit of an attempt, where it is usually `usual`.
    #[inline]
    pub(super) fn limit(self, usual: Option<Duration>) -> Option<Duration> {
        match self.limit {
            ClassLimit::AsUsual => usual,
            ClassLimit::Endless => None,
            ClassLimit::After(time) => Some(time),
        }
    }

    /// Whether it has its own timeout, and that is zero.
    pub(super) fn is_over_at_once(self) -> bool {
        self.limit == ClassLimit::After(Duration::ZERO)
    }
}

/// Decides the [`Class`] of a request.
///
/// A [`Class`] is the class of every request, and any closure that takes a `&Request` and returns a [`Class`] will do:
/// see [`PolicyLayer::class_for`](super::PolicyLayer::class_for).
pub trait ClassFor<Request> {
    /// The class of this request.
    fn class_for(&self, request: &Request) -> Class;

    /// What `poll_ready` assumes before there is a request. A request that skips parts loses nothing: if the inner
    /// service was not made ready for it, the call does that.
    fn expected(&self) -> Class {
        Class::new()
    }
}

impl<Request> ClassFor<Request> for Class {
    #[inline]
    fn class_for(&self, _: &Request) -> Class {
        *self
    }

    #[inline]
    fn expected(&self) -> Class {
        *self
    }
}

impl<F, Request> ClassFor<Request> for F
where
    F: Fn(&Request) -> Class,
{
    fn class_for(&self, request: &Request) -> Class {
        self(request)
    }
}
