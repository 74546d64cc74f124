use std::marker::PhantomData;
use std::time::Duration;

use seaworthy::observe::Notifier;
use seaworthy::{ConfigError, Name, Observer};

use super::handle::Queue;

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) request_timeout: Duration,
    pub(crate) max_payload: usize,
    pub(crate) max_len: Option<u64>,
    pub(crate) remember: Option<Duration>,
    pub(crate) keep_dead: Option<Duration>,
    pub(crate) max_dead: Option<u64>,
    /// Of an engine that has to ask now and then.
    pub(crate) poll: Option<Duration>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            request_timeout: Duration::from_secs(5),
            max_payload: 1 << 20,
            max_len: None,
            remember: None,
            keep_dead: None,
            max_dead: None,
            poll: None,
        }
    }
}

const SHORTEST: Duration = Duration::from_millis(50);
const POLLS: std::ops::RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(60);
const LONGEST_PAYLOAD: usize = 64 << 20;

/// Settings of a [`Queue`]. Nothing is clamped: what cannot be is refused by [`build`](Self::build).
#[derive(Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct QueueBuilder<M, S> {
    name: Name,
    store: S,
    settings: Settings,
    notifier: Notifier,
    of: PhantomData<fn(M) -> M>,
}

impl<M, S> QueueBuilder<M, S> {
    pub(crate) fn new(name: Name, store: S) -> QueueBuilder<M, S> {
        let (settings, notifier) = (Settings::default(), Notifier::default());
        QueueBuilder { name, store, settings, notifier, of: PhantomData }
    }

    /// How long each request to the store may take. Default 5 s; at least 50 ms, and below a third of the visibility of
    /// whoever consumes.
    pub fn request_timeout(mut self, limit: Duration) -> QueueBuilder<M, S> {
        self.settings.request_timeout = limit;
        self
    }

    /// How many bytes the body of a job may have. Default 1 MiB; 1 byte to 64 MiB.
    pub fn max_payload(mut self, bytes: usize) -> QueueBuilder<M, S> {
        self.settings.max_payload = bytes;
        self
    }

    /// How many jobs that are not dead there may be; beyond that the queue is full. Default no limit; at least 1.
    pub fn max_len(mut self, jobs: u64) -> QueueBuilder<M, S> {
        self.settings.max_len = Some(jobs);
        self
    }

    /// For how long the id of a job that is done is remembered, so that enqueuing it again changes nothing. Default not
    /// at all; more than zero.
    pub fn remember(mut self, span: Duration) -> QueueBuilder<M, S> {
        self.settings.remember = Some(span);
        self
    }

    /// For how long a dead job is kept. Default until somebody deals with it; more than zero.
    pub fn keep_dead(mut self, span: Duration) -> QueueBuilder<M, S> {
        self.settings.keep_dead = Some(span);
        self
    }

    /// How many dead jobs are kept, the latest ones. Default all; at least 1.
    pub fn max_dead(mut self, jobs: u64) -> QueueBuilder<M, S> {
        self.settings.max_dead = Some(jobs);
        self
    }

    /// For an engine that has to ask now and then.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn polling(mut self, poll: Duration, set: impl FnOnce(&mut S)) -> QueueBuilder<M, S> {
        self.settings.poll = Some(poll);
        set(&mut self.store);
        self
    }

    /// Reports to this observer, in place of the default.
    pub fn observer(mut self, observer: impl Observer + 'static) -> QueueBuilder<M, S> {
        self.notifier = Notifier::new(observer);
        self
    }

    /// The queue.
    ///
    /// # Errors
    /// If a setting cannot be used; the error says which, its value, and the rule.
    pub fn build(self) -> Result<Queue<M, S>, ConfigError> {
        self.check().map_err(|error| error.with_name(self.name.clone()))?;
        Ok(Queue::built(self.name, self.store, self.settings, self.notifier.or_default()))
    }

    fn check(&self) -> Result<(), ConfigError> {
        let require = |holds: bool, field, value: &dyn std::fmt::Debug, rule| {
            if holds { Ok(()) } else { Err(ConfigError::new("queue", field, value, rule)) }
        };
        let Settings { request_timeout, max_payload, max_len, remember, keep_dead, max_dead, poll } = &self.settings;
        let limit = *request_timeout;
        require(limit >= SHORTEST, "request_timeout", &limit, "must be at least 50 ms")?;
        let is_fine = (1..=LONGEST_PAYLOAD).contains(max_payload);
        require(is_fine, "max_payload", max_payload, "must be 1 byte to 64 MiB")?;
        require(*max_len != Some(0), "max_len", &0, "must be at least 1")?;
        require(*max_dead != Some(0), "max_dead", &0, "must be at least 1")?;
        let is_fine = poll.is_none_or(|poll| POLLS.contains(&poll));
        require(is_fine, "poll", &poll.unwrap_or_default(), "must be 10 ms to 1 min")?;
        let is_some_time = |span: &Option<Duration>| span.is_none_or(|span| !span.is_zero());
        require(is_some_time(remember), "remember", &Duration::ZERO, "must be more than zero")?;
        require(is_some_time(keep_dead), "keep_dead", &Duration::ZERO, "must be more than zero")
    }
}
