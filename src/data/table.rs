use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::path::Path;
use crate::error::did_you_mean::nearest;

/// A table all of whose keys are known.
pub(crate) trait Table {
    const KEYS: &'static [&'static str];

    /// Takes the value of one of the keys.
    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error>;

    /// Called once all keys are read: the field that breaks a rule, and the rule.
    fn check(&self) -> Result<(), (String, String)>;
}

/// Reads a table.
pub(crate) struct Fill<'a, T>(pub(crate) Path<'a>, pub(crate) &'a mut T);

impl<'de, T: Table> DeserializeSeed<'de> for Fill<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: Table> Visitor<'de> for Fill<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a table for {}", self.0)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let Fill(at, table) = self;
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key_seed(KeyOf { at, keys: T::KEYS, seen: &mut seen })? {
            match key {
                Ok(key) => table.read(key, at.child(key), &mut map)?,
                Err(flaw) => map.next_value_seed(flaw)?,
            }
        }
        table.check().map_err(|(field, rule)| at.breaks_below(&field, &rule))
    }
}

/// What is wrong with a key. Reported where the value would be read, because not every format knows where a key is.
struct TableFlaw(String);

impl<'de> DeserializeSeed<'de> for TableFlaw {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, _: D) -> Result<(), D::Error> {
        Err(D::Error::custom(self.0))
    }
}

/// Reads one of the known keys.
struct KeyOf<'a> {
    at: Path<'a>,
    keys: &'static [&'static str],
    seen: &'a mut BTreeSet<&'static str>,
}

impl<'de> DeserializeSeed<'de> for KeyOf<'_> {
    type Value = Result<&'static str, TableFlaw>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KeyOf<'_> {
    type Value = Result<&'static str, TableFlaw>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a key of {}", self.at)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let at = self.at.child(text);
        let Some(key) = self.keys.iter().copied().find(|key| *key == text) else {
            let keys = self.keys.join(", ");
            let meant = match nearest(self.keys.iter().copied(), text) {
                Some(meant) => format!("did you mean {meant}? There are"),
                None => "there are".to_owned(),
            };
            return Ok(Err(TableFlaw(format!("{at}: there is no such key; {meant} {keys}"))));
        };
        Ok(if self.seen.insert(key) { Ok(key) } else { Err(TableFlaw(format!("{at}: it is there twice"))) })
    }
}

/// Reads a table whose keys are names.
pub(crate) struct NamedTables<'a, F> {
    /// None for the outermost table.
    pub(crate) at: Option<Path<'a>>,
    pub(crate) what: &'static str,
    pub(crate) each: F,
}

/// Reads the value under a name.
pub(crate) trait Each {
    fn read<'de, M: MapAccess<'de>>(&mut self, name: &str, at: Path<'_>, map: &mut M) -> Result<(), M::Error>;
}

impl<'de, F: Each> DeserializeSeed<'de> for NamedTables<'_, F> {
    type Value = F;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<F, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: Each> Visitor<'de> for NamedTables<'_, F> {
    type Value = F;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a table of {} by name", self.what)?;
        self.at.map_or(Ok(()), |at| write!(f, " for {at}"))
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> Result<F, M::Error> {
        let mut seen = BTreeSet::new();
        let at = self.at;
        while let Some(name) = map.next_key_seed(NameOf(self.what))? {
            let path = at.as_ref().map_or(Path::root(&name), |at| at.child(&name));
            if name.is_empty() {
                map.next_value_seed(TableFlaw(format!("{path}: a name must not be empty")))?;
            } else if seen.insert(name.clone()) {
                self.each.read(&name, path, &mut map)?;
            } else {
                map.next_value_seed(TableFlaw(format!("{path}: it is there twice")))?;
            }
        }
        Ok(self.each)
    }
}

/// Reads a name.
struct NameOf(&'static str);

impl<'de> DeserializeSeed<'de> for NameOf {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameOf {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the name of one of the {}", self.0)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<String, E> {
        Ok(name.to_owned())
    }
}
