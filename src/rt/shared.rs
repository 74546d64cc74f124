use std::ops::Deref;
use std::sync::Arc;

/// What a handle is made of: state that is reference-counted, or state that lives as long as the process and costs no
/// reference count to clone.
#[derive(Debug)]
pub(crate) enum Handle<T: 'static> {
    Shared(Arc<T>),
    Leaked(&'static T),
}

impl<T> Handle<T> {
    pub(crate) fn new(state: T) -> Handle<T> {
        Handle::Shared(Arc::new(state))
    }

    /// The same state, never to be freed. Handles cloned before this still count references.
    pub(crate) fn leak(self) -> Handle<T> {
        Handle::Leaked(match self {
            Handle::Shared(state) => Box::leak(Box::new(state)),
            Handle::Leaked(state) => state,
        })
    }

    /// A handle to another state, leaked if this one is.
    pub(crate) fn replaced(&self, state: T) -> Handle<T> {
        match self {
            Handle::Shared(_) => Handle::new(state),
            Handle::Leaked(_) => Handle::new(state).leak(),
        }
    }

    /// The state, if nothing else can reach it.
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        match self {
            Handle::Shared(state) => Arc::get_mut(state),
            Handle::Leaked(_) => None,
        }
    }
}

impl<T> Clone for Handle<T> {
    #[inline]
    fn clone(&self) -> Handle<T> {
        match self {
            Handle::Shared(state) => Handle::Shared(Arc::clone(state)),
            Handle::Leaked(state) => Handle::Leaked(state),
        }
    }
}

impl<T> Deref for Handle<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match self {
            Handle::Shared(state) => state,
            Handle::Leaked(state) => state,
        }
    }
}
