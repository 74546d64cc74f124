use seaworthy::ConfigError;

use crate::key::Key;
use crate::request::ClaimRequest;

/// What a `key_of` may give: a [`Key`]; a [`ClaimRequest`], which can have a fingerprint or a lease of its own; one of
/// these, or none, for requests that are not guarded; or the [`ConfigError`] of a key that cannot be one, which refuses
/// the request.
pub trait IntoClaimRequest {
    /// What is to be claimed; none if the request is to pass without a claim.
    ///
    /// # Errors
    /// If it cannot be claimed.
    fn into_claim_request(self) -> Result<Option<ClaimRequest>, ConfigError>;
}

impl IntoClaimRequest for ClaimRequest {
    fn into_claim_request(self) -> Result<Option<ClaimRequest>, ConfigError> {
        Ok(Some(self))
    }
}

impl IntoClaimRequest for Key {
    fn into_claim_request(self) -> Result<Option<ClaimRequest>, ConfigError> {
        Ok(Some(self.into()))
    }
}

impl<T: IntoClaimRequest> IntoClaimRequest for Option<T> {
    #[inline]
    fn into_claim_request(self) -> Result<Option<ClaimRequest>, ConfigError> {
        match self {
            Some(some) => some.into_claim_request(),
            None => Ok(None),
        }
    }
}

impl<T: IntoClaimRequest> IntoClaimRequest for Result<T, ConfigError> {
    #[inline]
    fn into_claim_request(self) -> Result<Option<ClaimRequest>, ConfigError> {
        self?.into_claim_request()
    }
}
