//! The only file that catches panics: foreign code may panic where ours must carry on. And the one panic of our own.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

use crate::error::one_line::OneLine;

/// Runs foreign code. If it panics, the error is the panic's text; the payload is gone.
#[inline]
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // State that a panic leaves half-changed is the foreign code's own, or the caller drops it.
    catch_unwind(AssertUnwindSafe(work)).map_err(panic_text)
}

/// The text of a panic that was caught, for an error or an event; the payload is gone, even one whose own drop panics.
///
/// ```
/// use seaworthy::observe::panic_text;
/// use std::panic::catch_unwind;
///
/// let payload = catch_unwind(|| panic!("no such order")).unwrap_err();
/// assert_eq!(panic_text(payload), "no such order");
/// ```
#[cold]
#[must_use]
pub fn panic_text(payload: Box<dyn Any + Send>) -> String {
    let text = match payload.downcast_ref::<&'static str>() {
        Some(text) => (*text).to_owned(),
        None => payload.downcast_ref::<String>().cloned().unwrap_or_else(|| "a panic without a message".to_owned()),
    };
    dispose(payload);
    text
}

/// A payload can be anything, even something whose drop panics with another payload like itself.
pub(crate) fn dispose(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}

/// Logs, and swallows a panic of the subscriber: logging to a broken pipe panics when stderr, where the complaint goes,
/// is gone as well. Formatting an error may panic, too.
pub(crate) fn log_guarded(log: impl FnOnce()) {
    let _nobody_left_to_tell = caught(log);
}

/// Wakes all of them. The code that wakes has nothing to do with the tasks that wait, so a waker's panic must reach
/// neither that code nor the other wakers.
pub(crate) fn wake_all(wakers: impl IntoIterator<Item = Waker>) {
    for waker in wakers {
        if let Err(panic) = caught(|| waker.wake()) {
            log_guarded(|| tracing::error!(target: "seaworthy::waker", panic = %OneLine(&panic), "a waker panicked"));
        }
    }
}

/// `future` was polled after it was ready, which a future need not survive; a panic is better than a hang.
#[cold]
#[track_caller]
pub(crate) fn polled_again(future: &str) -> ! {
    panic!("{future} was polled after it was ready")
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    /// Panics when dropped, with another bomb as the payload.
    struct Bomb(u32);

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic_any(Bomb(self.0 + 1));
        }
    }

    /// ER-09: any panic, whatever its payload, has a text and does no more harm.
    #[test]
    fn every_panic_has_a_text() {
        assert_eq!(caught(|| 7), Ok(7));
        assert_eq!(caught(|| panic!("fixed")), Err::<(), _>("fixed".to_owned()));
        assert_eq!(caught(|| panic!("made of {}", 2)), Err::<(), _>("made of 2".to_owned()));
        assert_eq!(caught(|| panic_any(Bomb(0))), Err::<(), _>("a panic without a message".to_owned()));
        assert_eq!(caught(|| drop(Bomb(0))), Err("a panic without a message".to_owned()));
    }

    /// ER-09: a waker that panics does not keep the others from being woken.
    #[test]
    fn wakers_that_panic() {
        struct Panics;
        impl Wake for Panics {
            fn wake(self: Arc<Panics>) {
                panic_any(Bomb(0));
            }
        }
        struct Counts(AtomicUsize);
        impl Wake for Counts {
            fn wake(self: Arc<Counts>) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let counts = Arc::new(Counts(AtomicUsize::new(0)));
        let (panics, counting) = (Waker::from(Arc::new(Panics)), Waker::from(Arc::clone(&counts)));
        wake_all([counting.clone(), panics.clone(), counting.clone(), panics, counting]);
        assert_eq!(counts.0.load(Ordering::Relaxed), 3);
    }
}
