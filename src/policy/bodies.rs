use std::time::Duration;

/// The limits of the bodies of responses, which only HTTP has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BodyLimits {
    pub(crate) idle: Option<Duration>,
    pub(crate) total: Option<Duration>,
}
