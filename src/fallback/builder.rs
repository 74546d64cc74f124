use super::answer::{Other, RequestFunction};
use super::fallback_if::Rejections;
use super::handle::{Fallback, FallbackNotifier};
use crate::error::ConfigError;
use crate::error::check::Subject;
use crate::name::Name;
use crate::observe::notifier::Notifier;
use crate::observe::observer::Observer;

/// The settings of a [`Fallback`]. Made by [`Fallback::value`] and the like; nothing is checked before
/// [`build`](Self::build).
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct FallbackBuilder<A, W = Rejections> {
    name: Name,
    notifier: Notifier,
    answer: A,
    when: W,
}

impl<A> FallbackBuilder<A> {
    pub(super) fn new(name: Name, answer: A) -> FallbackBuilder<A> {
        FallbackBuilder { name, notifier: Notifier::default(), answer, when: Rejections }
    }
}

impl<A, W> FallbackBuilder<A, W> {
    /// Covers the errors for which `when` is true, instead of exactly the [`Rejections`].
    ///
    /// ```
    /// use seaworthy::{BoxError, Fallback, Rejected, StackError};
    ///
    /// let layer = Fallback::value("quotes", "as of yesterday")
    ///     .when(|error: &BoxError| matches!(error.rejected(), Some(Rejected::CircuitOpen { .. })))
    ///     .build()?;
    /// # let _ = layer;
    /// # Ok::<(), seaworthy::ConfigError>(())
    /// ```
    ///
    /// Takes any [`FallbackIf`](super::FallbackIf). Each call holds a clone of it, so it should be cheap to clone: a
    /// function, a closure that captures nothing, or an `Arc`.
    pub fn when<V>(self, when: V) -> FallbackBuilder<A, V> {
        FallbackBuilder { name: self.name, notifier: self.notifier, answer: self.answer, when }
    }

    /// Reports each call that falls back to `observer` instead of the [default](crate::observe).
    pub fn observer(mut self, observer: impl Observer + 'static) -> FallbackBuilder<A, W> {
        self.notifier = Notifier::new(observer);
        self
    }

    /// Checks the settings and builds a fallback. Once it is built, no setting can fail.
    ///
    /// # Errors
    /// An empty name; the field is `name`.
    pub fn build(self) -> Result<Fallback<A, W>, ConfigError> {
        Subject::checked("fallback", &self.name)?;
        Ok(Fallback::built(self.answer, self.when, FallbackNotifier::new(self.name, self.notifier.or_default())))
    }
}

impl<S, R, W> FallbackBuilder<Other<S, R>, W> {
    /// Copies requests with `replay` instead of cloning them: see [`Replay`](crate::retry::Replay).
    pub fn replay<P>(self, replay: P) -> FallbackBuilder<Other<S, P>, W> {
        let answer = Other { service: self.answer.service, replay };
        FallbackBuilder { name: self.name, notifier: self.notifier, answer, when: self.when }
    }
}

impl<F, R, W> FallbackBuilder<RequestFunction<F, R>, W> {
    /// Copies requests with `replay` instead of cloning them: see [`Replay`](crate::retry::Replay).
    pub fn replay<P>(self, replay: P) -> FallbackBuilder<RequestFunction<F, P>, W> {
        let answer = RequestFunction { function: self.answer.function, replay };
        FallbackBuilder { name: self.name, notifier: self.notifier, answer, when: self.when }
    }
}
