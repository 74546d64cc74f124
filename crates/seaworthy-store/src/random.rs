//! The only file that draws random numbers.

use rand::RngExt;

/// 128 bits that nobody else has.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place")]
pub fn unique() -> u128 {
    rand::rng().random()
}

/// In `[0, 1)`.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place")]
pub fn fraction() -> f64 {
    rand::rng().random()
}
