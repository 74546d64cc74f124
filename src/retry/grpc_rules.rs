/// Which gRPC calls are retried, as far as the retry policy itself says so. Only feature `grpc` sets and obeys it.
#[derive(Clone, Debug, Default)]
pub(crate) struct GrpcRules {
    /// The bits of the codes' numbers; none if they were not set.
    pub(crate) codes: Option<u32>,
    /// Paths of methods, and of services, which end in a slash.
    pub(crate) paths: Vec<Box<str>>,
}

impl GrpcRules {
    /// Nothing was set.
    pub(crate) fn is_empty(&self) -> bool {
        self.codes.is_none() && self.paths.is_empty()
    }
}
