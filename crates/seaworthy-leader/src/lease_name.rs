use seaworthy::{ConfigError, Name};

const LONGEST: usize = 100;

/// A name that a store can keep.
pub(crate) fn checked(name: Name) -> Result<Name, ConfigError> {
    let is_kept = (1..=LONGEST).contains(&name.len()) && !name.chars().any(char::is_control);
    if is_kept {
        return Ok(name);
    }
    let rule = "must be 1 to 100 bytes without control characters";
    Err(ConfigError::new("lease", "name", name.as_str(), rule))
}
