use std::borrow::Borrow;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use arcstr::ArcStr;

/// Every text that is part of the program and was made a name.
static KEPT: LazyLock<Mutex<HashSet<ArcStr>>> = LazyLock::new(Mutex::default);

/// The name of a circuit breaker or another part of a stack, as it appears in logs, events and rejections.
///
/// It is a single word, because every rejection carries one.
///
/// # Clone
/// Never allocates. One made from a `&'static str` is copied: such texts are kept, each once, for the life of the
/// process. Any other text is shared, which costs a reference count, until a handle that has it is leaked.
///
/// ```
/// use seaworthy::Name;
///
/// let fixed = Name::from("payments");
/// let made = Name::from(format!("shard-{}", 7));
/// assert_eq!((&*fixed, made.as_str()), ("payments", "shard-7"));
/// ```
#[derive(Clone)]
pub struct Name(ArcStr);

impl Name {
    /// A name that is part of the program, for where it is made again and again: nothing is looked up.
    pub(crate) const fn literal(text: ArcStr) -> Name {
        Name(text)
    }

    /// Keeps the text for the life of the process; from here on no clone counts references.
    pub(crate) fn leak(&self) {
        self.0.leak();
    }

    #[cfg(test)]
    pub(crate) fn counts_references(&self) -> bool {
        !ArcStr::is_static(&self.0)
    }

    /// The text.
    #[must_use]
    #[inline]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&'static str> for Name {
    fn from(text: &'static str) -> Name {
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.get(text) {
            return Name(known.clone());
        }
        let new = ArcStr::from(text);
        new.leak();
        kept.insert(new.clone());
        Name(new)
    }
}

impl From<String> for Name {
    fn from(text: String) -> Name {
        Name(text.into())
    }
}

impl From<Arc<str>> for Name {
    fn from(text: Arc<str>) -> Name {
        Name((&*text).into())
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Name {}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // As `str` does, so that a map can be looked up with one.
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn equal_whatever_it_was_made_from() {
        let (fixed, made) = (Name::from("a"), Name::from(String::from("a")));
        assert_eq!(fixed, made);
        assert_eq!(HashMap::from([(made, 1)]).get("a"), Some(&1));
        assert_ne!(fixed, Name::from("b"));
        assert_eq!(format!("{fixed} {fixed:?} {fixed:>3}"), "a \"a\"   a");
    }

    /// ER-13: one word, which counts no references if it is part of the program, or once it was leaked.
    #[test]
    fn what_counts_references() {
        assert_eq!(size_of::<Option<Name>>(), size_of::<usize>());
        let (one, other) = (Name::from("kept"), Name::from("kept"));
        assert!(ArcStr::ptr_eq(&one.0, &other.0) && ArcStr::is_static(&one.0));
        let made = Name::from(String::from("made"));
        let clone = made.clone();
        assert_eq!(ArcStr::strong_count(&made.0), Some(2));
        made.leak();
        assert_eq!(ArcStr::strong_count(&clone.0), None);
    }
}
