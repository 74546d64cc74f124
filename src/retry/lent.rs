use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

/// What an attempt borrows mutably while it runs, such as a connection: see [`Policy::run_mut`] and
/// [`RetryPolicy::run_mut`]. It is a `&mut S` that returns to its owner when dropped, so that the next attempt can have
/// it.
///
/// [`Policy::run_mut`]: crate::Policy::run_mut
/// [`RetryPolicy::run_mut`]: crate::RetryPolicy::run_mut
// A future that borrowed from its own closure would be a different type for each lifetime, and no current compiler can
// tell that such a type is `Send` from within another future. A guard makes it one type.
pub struct Lent<'s, S: ?Sized>(OwnedMutexGuard<&'s mut S>);

/// Lends `state` to each call. The lock is never waited for.
pub(crate) fn lending<'s, S, F, Fut>(state: &'s mut S, mut call: F) -> impl FnMut() -> Fut
where
    S: ?Sized,
    F: FnMut(Lent<'s, S>) -> Fut,
{
    let home = Arc::new(Mutex::new(state));
    move || match Arc::clone(&home).try_lock_owned() {
        Ok(state) => call(Lent(state)),
        Err(_) => panic!("an attempt kept what it was lent, and there is another attempt to be made"),
    }
}

impl<S: ?Sized> Deref for Lent<'_, S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.0
    }
}

impl<S: ?Sized> DerefMut for Lent<'_, S> {
    fn deref_mut(&mut self) -> &mut S {
        &mut self.0
    }
}

impl<S: ?Sized + fmt::Debug> fmt::Debug for Lent<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
