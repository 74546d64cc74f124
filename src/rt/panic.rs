//! The only file that catches panics: foreign code may panic where ours must go on.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

use crate::error::one_line::OneLine;

/// Runs foreign code. If it panics there is the panic's text, and nothing left of the panic itself.
#[inline]
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // What a panic leaves behind is the foreign code's own, or is dropped by whoever asks.
    catch_unwind(AssertUnwindSafe(work)).map_err(text_of)
}

#[cold]
fn text_of(payload: Box<dyn Any + Send>) -> String {
    let text = match payload.downcast_ref::<&'static str>() {
        Some(text) => (*text).to_owned(),
        None => payload.downcast_ref::<String>().cloned().unwrap_or_else(|| "a panic without a message".to_owned()),
    };
    dispose(payload);
    text
}

/// A payload can be anything, also something that panics when it is dropped, with another of its kind.
pub(crate) fn dispose(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}

/// Logs. A panic of whoever writes the log is nobody's: a log to a broken pipe panics when stderr, which it complains to,
/// is gone as well; and so may an error that is put into words.
pub(crate) fn log_guarded(log: impl FnOnce()) {
    let _nobody_left_to_tell = caught(log);
}

/// Wakes all of them. Whoever wakes has nothing to do with those who wait, so a panic of a waker is not theirs, nor that
/// of the others.
pub(crate) fn wake_all(wakers: impl IntoIterator<Item = Waker>) {
    for waker in wakers {
        if let Err(panic) = caught(|| waker.wake()) {
            log_guarded(|| tracing::error!(target: "seaworthy::waker", panic = %OneLine(&panic), "a waker panicked"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::panic_any;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    /// Panics when it is dropped, with one that does so, too.
    struct Bomb(u32);

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic_any(Bomb(self.0 + 1));
        }
    }

    /// ER-09: whatever a panic is made of, it has a text and does no more harm.
    #[test]
    fn every_panic_has_a_text() {
        assert_eq!(caught(|| 7), Ok(7));
        assert_eq!(caught(|| panic!("fixed")), Err::<(), _>("fixed".to_owned()));
        assert_eq!(caught(|| panic!("made of {}", 2)), Err::<(), _>("made of 2".to_owned()));
        assert_eq!(caught(|| panic_any(Bomb(0))), Err::<(), _>("a panic without a message".to_owned()));
        assert_eq!(caught(|| drop(Bomb(0))), Err("a panic without a message".to_owned()));
    }

    /// ER-09: a waker that panics keeps no other from being woken.
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
