use super::error::PolicyError;
use crate::error::ConfigError;

/// A part that is still to be built, or one that was passed in.
#[derive(Clone, Debug)]
pub(super) enum Part<B, H> {
    Own(B),
    Given(H),
    /// One was set up and another was passed in, and one of them would have no effect.
    Both,
}

impl<B, H> Part<B, H> {
    /// Continues with the settings so far, or with new ones.
    pub(super) fn set(part: &mut Option<Part<B, H>>, new: impl FnOnce() -> B, set: impl FnOnce(B) -> B) {
        *part = Some(match part.take() {
            Some(Part::Own(builder)) => Part::Own(set(builder)),
            None => Part::Own(set(new())),
            Some(Part::Given(_) | Part::Both) => Part::Both,
        });
    }

    pub(super) fn give(part: &mut Option<Part<B, H>>, handle: H) {
        *part = Some(match part.take() {
            Some(Part::Given(_)) | None => Part::Given(handle),
            Some(Part::Own(_) | Part::Both) => Part::Both,
        });
    }

    pub(super) fn is_own(part: Option<&Part<B, H>>) -> bool {
        matches!(part, Some(Part::Own(_)))
    }

    pub(super) fn build(
        part: Option<Part<B, H>>,
        name: &str,
        build: impl FnOnce(B) -> Result<H, ConfigError>,
    ) -> Result<Option<H>, PolicyError> {
        match part {
            Some(Part::Own(builder)) => build(builder).map(Some).map_err(|error| PolicyError::in_part(name, &error)),
            Some(Part::Given(handle)) => Ok(Some(handle)),
            Some(Part::Both) => {
                Err(PolicyError::new(name, format!("must not be set up together with `shared_{name}`")))
            }
            None => Ok(None),
        }
    }
}
