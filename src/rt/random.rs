//! The only file that draws random numbers.
#![allow(clippy::disallowed_methods, reason = "this is the file that the rest is sent to")]

use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::rt::sync::Mutex;

/// The source of randomness: the thread's generator, or a seeded one for tests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Random(Option<Arc<Mutex<StdRng>>>);

impl Random {
    pub(crate) fn seeded(seed: u64) -> Random {
        Random(Some(Arc::new(Mutex::new(StdRng::seed_from_u64(seed)))))
    }

    /// Uniform in `[0, 1)`.
    pub(crate) fn fraction(&self) -> f64 {
        match &self.0 {
            Some(seeded) => seeded.lock().random(),
            None => rand::random(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_the_default_does_not() {
        let draw = |random: &Random| [(); 8].map(|()| random.fraction());
        assert_eq!(draw(&Random::seeded(7)), draw(&Random::seeded(7)));
        assert_ne!(draw(&Random::seeded(7)), draw(&Random::seeded(8)));
        assert_ne!(draw(&Random::default()), draw(&Random::default()));
        assert!(draw(&Random::default()).iter().all(|fraction| (0.0..1.0).contains(fraction)));
    }
}
