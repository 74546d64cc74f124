//! Guesses which known name an unknown one was meant to be.

/// Longer than any key of this crate. A longer name is not worth the time it would take to compare.
const LONGEST: usize = 64;

/// The nearest known name, if it is near enough to have been meant.
pub(crate) fn nearest<'k>(known: impl Iterator<Item = &'k str>, name: &str) -> Option<&'k str> {
    let length = name.chars().count();
    if length > LONGEST {
        return None;
    }
    let near = known.filter(|known| known.len() <= LONGEST).map(|known| (distance(known, name), known));
    let (distance, known) = near.min_by_key(|(distance, _)| *distance)?;
    // At most one slip in three characters.
    (distance <= (length.max(known.chars().count()) / 3).max(1) && distance < length).then_some(known)
}

/// How many characters have to be inserted, removed, changed, or swapped with their neighbour to turn one into the
/// other.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let changed = last[j] + usize::from(a != b);
            let mut least = changed.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                least = least.min(before_last[j - 1] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SO-05: a slip is recognised, and a different word is not mistaken for one.
    #[test]
    fn so_05_slips() {
        let known = ["circuit_breaker", "bulkhead", "timeout", "retry", "classes", "min_calls"];
        let meant = |name| nearest(known.into_iter(), name);
        for (name, nearest) in [
            ("timout", "timeout"),
            ("Timeout", "timeout"),
            ("timeuot", "timeout"),
            ("rety", "retry"),
            ("bulk-head", "bulkhead"),
            ("class", "classes"),
            ("mincalls", "min_calls"),
        ] {
            assert_eq!(meant(name), Some(nearest), "{name}");
        }
        for name in ["", "x", "deadline", "tomato", "t", "retries", &"timeout".repeat(100)] {
            assert_eq!(meant(name), None, "{name}");
        }
        assert_eq!(nearest([].into_iter(), "timeout"), None);
        assert_eq!((distance("abc", "abc"), distance("", "abc"), distance("ab", "ba")), (0, 3, 1));
    }
}
