//! Every random choice of a test, from one number that is printed and can be given again.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::time::Duration;

/// The variable that repeats a run.
pub const SEED: &str = "SEAWORTHY_SEED";
/// The variable that makes random tests longer.
pub const DRILL_SECONDS: &str = "SEAWORTHY_DRILL_SECONDS";

/// The number that decides all random choices of a test.
///
/// ```
/// use seaworthy_faults::seed::Seed;
///
/// let seed = Seed::new(42);
/// let mut kills = seed.rng("kills");
/// let mut delays = seed.rng("delays"); // what is drawn here changes nothing there
/// assert_eq!(kills.below(1_000), seed.rng("kills").below(1_000));
/// # let _ = delays.below(10);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(u64);

impl Seed {
    /// This number.
    pub const fn new(seed: u64) -> Seed {
        Seed(seed)
    }

    /// The number in `SEAWORTHY_SEED`, or else another one each time. Prints it.
    ///
    /// # Panics
    ///
    /// If the variable is set to something else than a whole number.
    pub fn from_env() -> Seed {
        let seed = Seed::read(std::env::var(SEED).ok().as_deref());
        println!("seed {seed}, to be repeated with {SEED}={seed}");
        seed
    }

    fn read(given: Option<&str>) -> Seed {
        let Some(given) = given else {
            // Short enough to be typed.
            return Seed(RandomState::new().hash_one(0_u8) % 1_000_000);
        };
        Seed(given.parse().unwrap_or_else(|_| panic!("{SEED}={given}: a whole number is wanted")))
    }

    /// The random numbers for one purpose, independent of those for others.
    pub fn rng(self, purpose: &str) -> Rng {
        // FNV-1a: the same in every build, which the standard library's hashers do not promise.
        let hash = purpose
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Rng { state: mix(self.0 ^ mix(hash)) }
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How long a random test goes on: `SEAWORTHY_DRILL_SECONDS`, or else 10 s.
///
/// # Panics
///
/// If the variable is set to something else than a whole number of seconds, at least 1.
pub fn drill_time() -> Duration {
    read_drill_time(std::env::var(DRILL_SECONDS).ok().as_deref())
}

fn read_drill_time(given: Option<&str>) -> Duration {
    let Some(given) = given else { return Duration::from_secs(10) };
    match given.parse() {
        Ok(seconds) if seconds > 0 => Duration::from_secs(seconds),
        _ => panic!("{DRILL_SECONDS}={given}: a whole number of seconds is wanted, at least 1"),
    }
}

/// Random numbers that are the same for the same seed and purpose, on every machine.
///
/// This is Steele, Lea and Flood's SplitMix64: good enough to choose whom to kill, and nothing to keep a secret with.
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// Any number.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// A number from 0 to `end`, exclusive.
    ///
    /// # Panics
    ///
    /// If `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        assert!(end > 0, "there is no number below 0");
        // The high half of the product; its bias is below one in 2^32 for every `end` that a test uses.
        let product = u128::from(self.next_u64()) * u128::from(end);
        u64::try_from(product >> 64).unwrap_or(u64::MAX)
    }

    /// Whether something happens that happens once in `n` times.
    ///
    /// # Panics
    ///
    /// If `n` is 0.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// A time in this range, by the microsecond.
    ///
    /// # Panics
    ///
    /// If the range is empty.
    pub fn duration(&mut self, range: Range<Duration>) -> Duration {
        assert!(range.start < range.end, "there is no time in {range:?}");
        let span = u64::try_from((range.end - range.start).as_micros()).unwrap_or(u64::MAX).max(1);
        range.start + Duration::from_micros(self.below(span))
    }

    /// One of these.
    ///
    /// # Panics
    ///
    /// If there are none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.index(of.len())]
    }

    /// Puts these in any order.
    pub fn shuffle<T>(&mut self, these: &mut [T]) {
        for last in (1..these.len()).rev() {
            let at = self.index(last + 1);
            these.swap(last, at);
        }
    }

    fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }
}

fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FK-09: a variable that cannot be read ends the test rather than being ignored.
    #[test]
    fn what_the_variables_may_say() {
        assert_eq!(Seed::read(Some("7")), Seed(7));
        assert_eq!(read_drill_time(None), Duration::from_secs(10));
        assert_eq!(read_drill_time(Some("120")), Duration::from_secs(120));
        for wrong in ["", "x", "-1", "1.5", "0"] {
            assert!(std::panic::catch_unwind(|| read_drill_time(Some(wrong))).is_err(), "{wrong}");
        }
        assert!(std::panic::catch_unwind(|| Seed::read(Some("x"))).is_err());
    }

    /// FK-09: the first number of the published algorithm for the seed 1234567.
    #[test]
    fn the_numbers_are_those_of_the_algorithm() {
        let mut rng = Rng { state: 1_234_567 };
        assert_eq!(rng.next_u64(), 6_457_827_717_110_365_317);
    }
}
