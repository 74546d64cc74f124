use crate::error::StackError;

/// Decides which errors the fallback answers.
///
/// Any closure that takes an `&Error` and returns a `bool` will do: see
/// [`FallbackBuilder::when`](super::FallbackBuilder::when).
pub trait FallbackIf<E> {
    /// Whether a call that failed with `error` gets another answer.
    fn covers(&self, error: &E) -> bool;
}

impl<F, E> FallbackIf<E> for F
where
    F: Fn(&E) -> bool,
{
    fn covers(&self, error: &E) -> bool {
        self(error)
    }
}

/// Covers every [`Rejected`](crate::Rejected) and nothing else. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rejections;

impl<E: StackError> FallbackIf<E> for Rejections {
    #[inline]
    fn covers(&self, error: &E) -> bool {
        error.rejected().is_some()
    }
}
