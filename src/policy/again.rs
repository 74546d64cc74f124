use crate::retry::{ByResult, CloneReplay, RetryErrors};

/// How a [`PolicyLayer`](super::PolicyLayer) retries if its policy does: what was passed to `retry_if` and `replay`.
#[derive(Clone, Copy, Debug, Default)]
pub struct WithRetry<D = ByResult<RetryErrors>, R = CloneReplay> {
    pub(super) retry_if: D,
    pub(super) replay: R,
}

/// Never retries, whatever the policy says: see [`PolicyLayer::without_retry`](super::PolicyLayer::without_retry).
#[derive(Clone, Copy, Debug, Default)]
pub struct WithoutRetry;
