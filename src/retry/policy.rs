use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::time::Duration;

use super::budget::RetryBudget;
use super::builder::RetryBuilder;
use super::decide::RetryErrors;
use super::grpc_rules::GrpcRules;
use super::layer::RetryLayer;
use super::pause::Pause;
use super::run::RetryRun;
use super::selective::SelectiveRetry;
use crate::context;
use crate::error::wrap::wrapped;
use crate::error::{Error, StackError};
use crate::machine::retry::attempts::{Decision, Progress, RetrySettings, StopReason};
use crate::machine::timestamp::Timestamp;
use crate::name::Name;
use crate::observe::event::{BudgetRef, ErrorRef, RetryEvent};
use crate::observe::notifier::Notifier;
use crate::observe::source::{ObserverCache, Source};
use crate::retry::lent;
use crate::retry::lent::Lent;
use crate::rt::random::Random;
use crate::rt::shared::Handle;
use crate::rt::time;

/// Retries failed requests: a limited number of times, with growing, jittered waits in between, and within a budget.
///
/// This is a handle to shared state: clones and everything made from it share the [`RetryBudget`]. It never creates an
/// error of its own; the caller gets the result of the last attempt unchanged.
///
/// # Clone
/// Costs a reference count, or nothing once it has been [leaked](RetryPolicy::leak).
#[derive(Clone)]
pub struct RetryPolicy(Handle<RetryConfig>);

/// What a policy consists of.
#[derive(Debug)]
pub(super) struct RetryConfig {
    pub(super) name: Name,
    pub(super) settings: RetrySettings,
    pub(super) budget: Option<RetryBudget>,
    pub(super) random: Random,
    pub(super) notifier: Notifier,
    pub(super) cache: ObserverCache,
    /// The budget, unless an observer wants an event for every call. So the first check of what to do when a request
    /// starts is nearly always the last.
    pub(super) quiet_budget: Option<RetryBudget>,
    pub(super) beginning: Beginning,
    pub(super) grpc: GrpcRules,
}

impl RetryConfig {
    fn about(&self) -> Source<'_> {
        Source::new(None, &self.cache)
    }
}

/// What to do when a request starts, besides depositing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    Nothing,
    /// Read the clock, which depositing does as well.
    ReadClock,
    /// Report to observers that want an event for every call; takes precedence over the others.
    Notify,
}

/// What a policy asks before another attempt.
#[derive(Clone, Copy)]
pub(crate) enum Ask {
    IsPossible,
    /// It will happen, if it can be prepared.
    Prepare,
}

/// After this many retries without a wait, other tasks get their turn: the timeout that would end the retries may be
/// one of them.
const YIELD_EVERY: u32 = 32;

impl RetryPolicy {
    /// Starts a builder; `name` appears in events.
    pub fn builder(name: impl Into<Name>) -> RetryBuilder {
        RetryBuilder::new(name.into())
    }

    pub(super) fn new(config: RetryConfig) -> RetryPolicy {
        let RetryConfig { name, budget, notifier, .. } = &config;
        if notifier.hears_calls() {
            notifier.notify(RetryEvent::Built { name, source: config.about(), budget: shown(budget) });
        }
        RetryPolicy(Handle::new(config))
    }

    pub(super) fn handle(&self) -> &Handle<RetryConfig> {
        &self.0
    }

    /// What it says of gRPC calls.
    pub(crate) fn grpc_rules(&self) -> &GrpcRules {
        &self.0.grpc
    }

    /// Keeps this policy for the life of the process and returns a handle that costs no reference count to clone, as
    /// each request that may be retried does. It is the same policy, with the same budget; handles cloned earlier go on
    /// counting references.
    ///
    /// ```
    /// use seaworthy::RetryPolicy;
    /// use std::sync::LazyLock;
    ///
    /// static PAYMENTS: LazyLock<RetryPolicy> = LazyLock::new(|| {
    ///     RetryPolicy::builder("payments").build().expect("the settings are fixed").leak()
    /// });
    ///
    /// assert_eq!(PAYMENTS.name(), "payments");
    /// ```
    #[must_use = "it returns the leaked handle"]
    pub fn leak(self) -> RetryPolicy {
        self.name().leak();
        RetryPolicy(self.0.leak())
    }

    /// The name it was built with.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.0.name
    }

    /// The budget that pays for its retries, unless they are free.
    #[must_use]
    pub fn budget(&self) -> Option<&RetryBudget> {
        self.0.budget.as_ref()
    }

    /// A layer that retries the calls of a service: every error except rejections that never reached the backend, for
    /// requests that are `Clone`.
    pub fn layer(&self) -> RetryLayer {
        RetryLayer::new(self.clone())
    }

    /// Makes attempts until one succeeds or no more are allowed, and returns the result of the last.
    ///
    /// If the error type cannot hold a rejection, wrap it with `.map_err(seaworthy::Error::Inner)`, or decide for
    /// yourself with [`retry_if`](RetryPolicy::retry_if).
    ///
    /// # Errors
    /// The last attempt's error.
    ///
    /// # Cancellation
    /// Dropping it drops the running attempt, or ends the wait; nothing is tried after that.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled, if it has to wait.
    ///
    /// ```
    /// use seaworthy::{BoxError, RetryPolicy};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let policy = RetryPolicy::builder("numbers").build()?;
    /// let mut attempts = ["x", "7"].into_iter();
    /// let answer = policy
    ///     .run(|| {
    ///         let text = attempts.next().unwrap_or_default();
    ///         async move { Ok::<_, BoxError>(text.parse::<u8>()?) }
    ///     })
    ///     .await;
    /// assert_eq!(answer.map_err(|error| error.to_string()), Ok(7));
    /// # Ok(())
    /// # }
    /// ```
    pub fn run<F, Fut, T, E>(&self, attempt: F) -> RetryRun<'_, F, Fut>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: StackError + Debug + Display,
    {
        RetryRun::new(self, &RetryErrors, attempt)
    }

    /// Like [`run`](RetryPolicy::run), for an error type that cannot hold a rejection.
    ///
    /// # Errors
    /// The last attempt's error, as [`Error::Inner`].
    ///
    /// # Cancellation
    /// As [`run`](RetryPolicy::run).
    ///
    /// # Panics
    /// As [`run`](RetryPolicy::run).
    pub fn run_wrapped<F, Fut, T, E>(&self, attempt: F) -> impl Future<Output = Result<T, Error<E>>>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Debug + Display,
    {
        RetryRun::new(self, &RetryErrors, wrapped(attempt))
    }

    /// Like [`run`](RetryPolicy::run), for attempts that need mutable access to something, such as a connection: it is
    /// lent to each attempt in turn. Costs an allocation.
    ///
    /// ```
    /// use seaworthy::{BoxError, RetryPolicy};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let policy = RetryPolicy::builder("numbers").build()?;
    /// let mut texts = vec!["7", "x"];
    /// let attempt = async |mut texts: seaworthy::Lent<'_, Vec<&str>>| {
    ///     Ok::<_, BoxError>(texts.pop().unwrap_or_default().parse::<u8>()?)
    /// };
    /// assert_eq!(policy.run_mut(&mut texts, attempt).await.map_err(|error| error.to_string()), Ok(7));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`run`](RetryPolicy::run).
    ///
    /// # Cancellation
    /// As [`run`](RetryPolicy::run).
    ///
    /// # Panics
    /// As [`run`](RetryPolicy::run), and if an attempt keeps what it was lent, fails, and is to be retried.
    pub fn run_mut<'s, S, F, Fut, T, E>(&self, state: &'s mut S, attempt: F) -> impl Future<Output = Result<T, E>>
    where
        S: ?Sized,
        F: FnMut(Lent<'s, S>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: StackError + Debug + Display,
    {
        RetryRun::new(self, &RetryErrors, lent::lending(state, attempt))
    }

    /// A handle to this policy that lets `retry_if` decide what is retried: see [`RetryIf`](crate::RetryIf).
    #[must_use = "it returns a new handle"]
    pub fn retry_if<C>(&self, retry_if: C) -> SelectiveRetry<C> {
        SelectiveRetry::new(self.clone(), retry_if)
    }

    /// Starts the first attempt of a request.
    #[inline]
    pub(crate) fn begin(&self) -> Progress {
        self.0.begin()
    }

    /// Whether this attempt is the last one allowed.
    #[inline]
    pub(crate) fn is_last(&self, progress: &Progress) -> bool {
        self.0.is_last(progress.attempts)
    }

    /// What to do after an attempt: the wait before the next one, if there is to be one. `again` prepares it.
    #[inline]
    pub(crate) fn next<T, E>(
        &self,
        progress: &mut Progress,
        decision: Decision,
        result: &Result<T, E>,
        again: impl FnMut(Ask) -> bool,
    ) -> Option<Pause>
    where
        E: Debug + Display,
    {
        let pause = self.0.next(*progress, decision, result, again)?;
        progress.attempts += 1;
        Some(pause)
    }

    pub(crate) fn stopped(&self, progress: Progress, reason: StopReason, error: Option<ErrorRef<'_>>) {
        self.0.stopped(progress, reason, error);
    }
}

impl RetryConfig {
    /// Starts the first attempt of a request.
    #[inline]
    pub(super) fn begin(&self) -> Progress {
        let started = match (&self.quiet_budget, self.beginning) {
            (Some(budget), _) => {
                let now = time::now();
                budget.deposit_at(now);
                now
            }
            (None, Beginning::Nothing) => Timestamp::NEVER,
            (None, Beginning::ReadClock | Beginning::Notify) => self.begin_slowly(),
        };
        Progress { attempts: 1, started }
    }

    /// A function of its own, to keep the common path short.
    #[inline(never)]
    fn begin_slowly(&self) -> Timestamp {
        let RetryConfig { name, budget, notifier, beginning, .. } = self;
        let now = time::now();
        if *beginning == Beginning::Notify {
            if let Some(budget) = budget {
                budget.deposit_at(now);
            }
            notifier.notify(RetryEvent::Began { name, source: self.about(), budget: shown(budget) });
        }
        now
    }

    /// Whether this attempt is the last one allowed.
    #[inline]
    pub(super) fn is_last(&self, attempts: u32) -> bool {
        attempts >= self.settings.attempts
    }

    /// What to do after an attempt: the wait before the next one, if there is to be one. `again` prepares it.
    #[inline]
    pub(super) fn next<T, E>(
        &self,
        progress: Progress,
        decision: Decision,
        result: &Result<T, E>,
        mut again: impl FnMut(Ask) -> bool,
    ) -> Option<Pause>
    where
        E: Debug + Display,
    {
        if decision == Decision::Stop && result.is_ok() {
            self.succeeded(progress);
            return None;
        }
        self.next_after_failure(progress, decision, result.as_ref().err().map(ErrorRef::new), &mut again)
    }

    /// What was returned needs no other attempt.
    #[inline]
    pub(super) fn succeeded(&self, progress: Progress) {
        if progress.attempts > 1 {
            self.stopped(progress, StopReason::Succeeded, None);
        }
    }

    /// Not generic, so that there is a single copy, which can be optimised as a whole.
    #[inline(never)]
    pub(super) fn next_after_failure(
        &self,
        progress: Progress,
        decision: Decision,
        error: Option<ErrorRef<'_>>,
        again: &mut dyn FnMut(Ask) -> bool,
    ) -> Option<Pause> {
        match self.find_next(progress, decision, error.is_some(), again) {
            Ok((delay, pause)) => {
                if self.notifier.hears_debug() {
                    self.notify_retried(progress.attempts, delay, error);
                }
                Some(pause)
            }
            Err(reason) => {
                self.stopped(progress, reason, error);
                None
            }
        }
    }

    #[inline]
    pub(super) fn stopped(&self, progress: Progress, reason: StopReason, error: Option<ErrorRef<'_>>) {
        if self.notifier.hears_debug() {
            self.notify_stopped(progress.attempts, reason, error);
        }
    }

    #[cold]
    fn notify_retried(&self, attempt: u32, delay: Duration, error: Option<ErrorRef<'_>>) {
        let RetryConfig { name, notifier, budget, .. } = self;
        let (source, budget) = (self.about(), shown(budget));
        notifier.notify(RetryEvent::Retried { name, source, attempt, delay, error, budget });
    }

    #[cold]
    fn notify_stopped(&self, attempts: u32, reason: StopReason, error: Option<ErrorRef<'_>>) {
        let RetryConfig { name, notifier, budget, .. } = self;
        let (source, budget) = (self.about(), shown(budget));
        notifier.notify(RetryEvent::Stopped { name, source, attempts, reason, error, budget });
    }

    /// The budget is asked last, so that no token is spent in vain. Only then is the next attempt prepared, because
    /// that may disturb the previous one, whose result would be the caller's.
    #[inline]
    fn find_next(
        &self,
        progress: Progress,
        decision: Decision,
        failed: bool,
        again: &mut dyn FnMut(Ask) -> bool,
    ) -> Result<(Duration, Pause), StopReason> {
        let RetryConfig { settings, budget, random, .. } = self;
        let hint = match decision {
            Decision::Stop if failed => return Err(StopReason::NotRetryable),
            Decision::Stop => return Err(StopReason::Succeeded),
            Decision::Retry => None,
            Decision::RetryAfter(hint) => Some(hint),
            Decision::ToldNotTo => return Err(StopReason::ToldNotTo),
        };
        let delay = settings.delay(progress.attempts, hint, &mut || random.fraction())?;
        let deadline = context::deadline();
        let timed = settings.deadline.is_some() || budget.is_some() || !delay.is_zero() || deadline != Timestamp::NEVER;
        let now = if timed { time::now() } else { Timestamp::NEVER };
        let in_time = settings.deadline.is_none() || settings.ends_in_time(delay, progress.started, now);
        if !in_time || deadline != Timestamp::NEVER && now.after(delay) >= deadline {
            return Err(StopReason::DeadlineReached);
        }
        if !again(Ask::IsPossible) {
            return Err(StopReason::NotReplayable);
        }
        if budget.as_ref().is_some_and(|budget| !budget.withdraw_at(now)) {
            return Err(StopReason::BudgetEmpty);
        }
        if !again(Ask::Prepare) {
            return Err(StopReason::NotReplayable);
        }
        let pause = match Pause::new(delay, now) {
            Pause::Over if progress.attempts % YIELD_EVERY == 0 => Pause::Yield,
            pause => pause,
        };
        Ok((delay, pause))
    }
}

impl Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RetryConfig { name, settings, budget, .. } = &*self.0;
        let mut fields = f.debug_struct("RetryPolicy");
        fields.field("name", name).field("settings", settings).field("budget", budget);
        if !self.grpc_rules().is_empty() {
            fields.field("grpc", self.grpc_rules());
        }
        fields.finish_non_exhaustive()
    }
}

/// A budget, as an event shows it.
fn shown(budget: &Option<RetryBudget>) -> Option<BudgetRef<'_>> {
    budget.as_ref().map(|budget| BudgetRef::new(budget))
}
