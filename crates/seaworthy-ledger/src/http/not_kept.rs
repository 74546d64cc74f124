/// Why an answer is not kept although its work was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotKept {
    TooLong,
    TooLarge,
    Failed,
    Panicked,
    Late,
    /// As the layer was told to.
    ClientLeft,
}

impl NotKept {
    /// For the observer, if it is a fault that somebody should know of: repeats of such a request are never answered.
    pub(super) fn fault(self) -> Option<&'static str> {
        match self {
            NotKept::TooLong => Some("its body is longer than max_response"),
            NotKept::TooLarge => Some("its headers or trailers are larger than 16 KiB"),
            NotKept::Failed => Some("its body failed"),
            NotKept::Panicked => Some("its body panicked"),
            NotKept::Late => Some("its body did not end within the lease"),
            NotKept::ClientLeft => None,
        }
    }
}
