use std::fmt::{self, Display, Write};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use crate::name::Name;

/// How many bytes of a key go into a name.
const MOST: usize = 64;

/// How a key is written in names.
pub(super) struct Label<K>(Arc<Writer<K>>);

type Writer<K> = dyn Fn(&K, &mut dyn Write) -> fmt::Result + Send + Sync;

/// A panic in it leaves nothing half done.
impl<K> UnwindSafe for Label<K> {}
impl<K> RefUnwindSafe for Label<K> {}

impl<K> Label<K> {
    pub(super) fn display() -> Label<K>
    where
        K: Display,
    {
        Label(Arc::new(|key, out| write!(out, "{key}")))
    }

    pub(super) fn new<T: Display>(label: impl Fn(&K) -> T + Send + Sync + 'static) -> Label<K> {
        Label(Arc::new(move |key, out| write!(out, "{}", label(key))))
    }

    /// `family[key]`.
    pub(super) fn name(&self, family: &Name, key: &K) -> Name {
        let mut name = format!("{family}[");
        let end = name.len() + MOST;
        // An error means that the key is too long or cannot be written; what has been written so far will do.
        if (self.0)(key, &mut Until { name: &mut name, end }).is_err() {
            name.push('…');
        }
        name.push(']');
        Name::from(name)
    }
}

/// The name of the handle shared by the keys without room. No key has this name, because a key's name ends with a
/// bracket.
pub(super) fn overflow(family: &Name) -> Name {
    Name::from(format!("{family} (overflow)"))
}

/// Writes up to `end`, and nothing that would break a log line: a key may come from anywhere.
struct Until<'a> {
    name: &'a mut String,
    end: usize,
}

impl Write for Until<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            let char = if char.is_control() { char::REPLACEMENT_CHARACTER } else { char };
            if self.name.len() + char.len_utf8() > self.end {
                return Err(fmt::Error);
            }
            self.name.push(char);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(key: &str) -> String {
        Label::display().name(&Name::from("hosts"), &key).to_string()
    }

    /// KY-10: a name consists of the family's and the key's, which is cut if too long and never breaks a line.
    #[test]
    fn ky_10_bounded_and_on_one_line() {
        assert_eq!(name("eu-1"), "hosts[eu-1]");
        assert_eq!(name(""), "hosts[]");
        assert_eq!(name("a\nb\x1b[2J"), "hosts[a\u{fffd}b\u{fffd}[2J]");
        assert_eq!(name(&"x".repeat(64)), format!("hosts[{}]", "x".repeat(64)));
        assert_eq!(name(&"x".repeat(65)), format!("hosts[{}…]", "x".repeat(64)));
        // 64 is not a multiple of three: the character that does not fit is left out as a whole.
        assert_eq!(name(&"€".repeat(30)), format!("hosts[{}…]", "€".repeat(21)));
        assert_eq!(name(&"x".repeat(1 << 20)).len(), 64 + "hosts[…]".len());
        let label = Label::new(|key: &u32| format!("tenant {key}"));
        assert_eq!(label.name(&Name::from("slots"), &7), "slots[tenant 7]");
    }

    /// SO-07: no key has the overflow's name, not even one that spells it.
    #[test]
    fn so_07_the_overflow_has_a_name_of_its_own() {
        assert_eq!(overflow(&Name::from("hosts")), "hosts (overflow)");
        for key in ["*", " (overflow)", "", "] (overflow)", "x".repeat(100).as_str()] {
            assert!(name(key).ends_with(']') && !overflow(&Name::from("hosts")).ends_with(']'), "{key}");
        }
    }
}
