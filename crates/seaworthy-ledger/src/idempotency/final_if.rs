/// Decides which outcomes are final: recorded, and given to whoever repeats the request. Any other frees the key, so
/// that the work is done again.
///
/// Any closure that takes a `&Result<T, E>` and returns a `bool` will do: see
/// [`IdempotencyLayer::final_if`](crate::IdempotencyLayer::final_if).
pub trait FinalIf<T, E> {
    /// Whether this is the outcome for good.
    fn is_final(&self, outcome: &Result<T, E>) -> bool;
}

impl<F, T, E> FinalIf<T, E> for F
where
    F: Fn(&Result<T, E>) -> bool,
{
    fn is_final(&self, outcome: &Result<T, E>) -> bool {
        self(outcome)
    }
}

/// Every `Ok` is final, and no `Err` is. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Successes;

impl<T, E> FinalIf<T, E> for Successes {
    fn is_final(&self, outcome: &Result<T, E>) -> bool {
        outcome.is_ok()
    }
}
