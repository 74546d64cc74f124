use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// The name of a circuit breaker or another part of a stack, as it appears in logs, events and rejections.
///
/// # Clone
/// Never allocates. A name made from a `&'static str` is copied; one made from a `String` is shared, which costs a
/// reference count.
///
/// ```
/// use seaworthy::Name;
///
/// let fixed = Name::from("payments");
/// let made = Name::from(format!("shard-{}", 7));
/// assert_eq!((&*fixed, made.as_str()), ("payments", "shard-7"));
/// ```
#[derive(Clone)]
pub struct Name(NameRepr);

#[derive(Clone)]
enum NameRepr {
    Static(&'static str),
    Shared(Arc<str>),
}

impl Name {
    /// The text.
    #[must_use]
    #[inline]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            NameRepr::Static(text) => text,
            NameRepr::Shared(text) => text,
        }
    }
}

impl From<&'static str> for Name {
    fn from(text: &'static str) -> Name {
        Name(NameRepr::Static(text))
    }
}

impl From<String> for Name {
    fn from(text: String) -> Name {
        Name(NameRepr::Shared(text.into()))
    }
}

impl From<Arc<str>> for Name {
    fn from(text: Arc<str>) -> Name {
        Name(NameRepr::Shared(text))
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
}
