use crate::retry::{ByResult, CloneReplay, RetryErrors};

/// How a [`PolicyLayer`](super::PolicyLayer) tries again, where its policy says so: what `retry_if` and `replay` were
/// given.
#[derive(Clone, Copy, Debug, Default)]
pub struct WithRetry<D = ByResult<RetryErrors>, R = CloneReplay> {
    pub(super) retry_if: D,
    pub(super) replay: R,
}

/// Never tries again, whatever the policy says: see [`PolicyLayer::without_retry`](super::PolicyLayer::without_retry).
#[derive(Clone, Copy, Debug, Default)]
pub struct WithoutRetry;
