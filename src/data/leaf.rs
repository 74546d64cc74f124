use std::fmt;
use std::time::Duration;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::duration;
use super::path::Path;
use super::table::{Fill, Table};
use crate::error::check::Most;

/// A duration as text, longer than zero.
pub(crate) struct Time<'a>(pub(crate) Path<'a>);

fn time<E: Error>(at: &Path<'_>, text: &str) -> Result<Duration, E> {
    match duration::parse(text) {
        Ok(time) if time.is_zero() => Err(at.breaks("must be longer than zero")),
        Ok(time) => Ok(time),
        Err(error) => Err(at.breaks(format_args!("{text:?} is no duration, such as \"30s\" or \"1min 30s\": {error}"))),
    }
}

/// A whole number in range; zero is refused where it would mean nothing.
pub(crate) struct Count<'a> {
    pub(crate) at: Path<'a>,
    pub(crate) least: u32,
    pub(crate) most: Most,
}

/// A number.
pub(crate) struct Number<'a>(pub(crate) Path<'a>);

/// True or false.
pub(crate) struct Flag<'a>(pub(crate) Path<'a>);

/// One of several words.
pub(crate) struct Keyword<'a, T: 'static>(pub(crate) Path<'a>, pub(crate) &'static [(&'static str, T)]);

/// A duration as text, or `false` for none.
pub(crate) struct TimeOrFalse<'a>(pub(crate) Path<'a>);

/// A table, or `false` for none, or one of several words.
pub(crate) struct TableOr<'a, T, W: 'static> {
    pub(crate) at: Path<'a>,
    pub(crate) table: T,
    /// What `false` means.
    pub(crate) off: Option<W>,
    pub(crate) words: &'static [(&'static str, W)],
}

pub(crate) enum Either<T, W> {
    Table(T),
    Keyword(W),
}

impl<'de> DeserializeSeed<'de> for Time<'_> {
    type Value = Duration;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Duration, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Time<'_> {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a duration in text for {}, such as \"30s\" or \"1min 30s\"", self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        time(&self.0, text)
    }
}

impl<'de> DeserializeSeed<'de> for Count<'_> {
    type Value = u32;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u32, D::Error> {
        deserializer.deserialize_u64(self)
    }
}

impl Visitor<'_> for Count<'_> {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number for {}", self.at)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<u32, E> {
        let Count { at, least, most: Most(most, rule) } = self;
        match u32::try_from(number) {
            Ok(number) if number < least => Err(at.breaks(format_args!("must be at least {least}"))),
            Ok(number) if number <= most => Ok(number),
            _ => Err(at.breaks(rule)),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<u32, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(self.at.breaks(format_args!("must be at least {}", self.least))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Number<'_> {
    type Value = f64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<f64, D::Error> {
        deserializer.deserialize_f64(self)
    }
}

impl Visitor<'_> for Number<'_> {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a number for {}", self.0)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<f64, E> {
        Ok(number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<f64, E> {
        Ok(number as f64)
    }
}

impl<'de> DeserializeSeed<'de> for Flag<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_bool(self)
    }
}

impl Visitor<'_> for Flag<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "true or false for {}", self.0)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<bool, E> {
        Ok(flag)
    }
}

fn word<T: Copy, E: Error>(at: &Path<'_>, words: &[(&'static str, T)], text: &str) -> Result<T, E> {
    let known = words.iter().find(|(word, _)| *word == text);
    known.map(|(_, value)| *value).ok_or_else(|| at.breaks(format_args!("{text:?} is none of {}", list(words))))
}

fn list<T>(words: &[(&'static str, T)]) -> String {
    words.iter().map(|(word, _)| format!("{word:?}")).collect::<Vec<_>>().join(", ")
}

impl<'de, T: Copy> DeserializeSeed<'de> for Keyword<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<T: Copy> Visitor<'_> for Keyword<'_, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {} for {}", list(self.1), self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        word(&self.0, self.1, text)
    }
}

impl<'de> DeserializeSeed<'de> for TimeOrFalse<'_> {
    type Value = Option<Duration>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Duration>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for TimeOrFalse<'_> {
    type Value = Option<Duration>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a duration in text for {}, such as \"30s\" or \"1min 30s\", or false", self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<Duration>, E> {
        time(&self.0, text).map(Some)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Option<Duration>, E> {
        if flag { Err(self.0.breaks("must be a duration, or false")) } else { Ok(None) }
    }
}

impl<'de, T: Table, W: Copy> DeserializeSeed<'de> for TableOr<'_, T, W> {
    type Value = Either<T, W>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Either<T, W>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Table, W: Copy> Visitor<'de> for TableOr<'_, T, W> {
    type Value = Either<T, W>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a table for {}", self.at)?;
        if !self.words.is_empty() {
            write!(f, ", or one of {}", list(self.words))?;
        }
        if self.off.is_some() { f.write_str(", or false") } else { Ok(()) }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Either<T, W>, E> {
        if self.words.is_empty() {
            return Err(E::invalid_type(serde::de::Unexpected::Str(text), &self));
        }
        word(&self.at, self.words, text).map(Either::Keyword)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Either<T, W>, E> {
        match self.off {
            Some(off) if !flag => Ok(Either::Keyword(off)),
            _ => Err(E::invalid_type(serde::de::Unexpected::Bool(flag), &self)),
        }
    }

    fn visit_map<M: MapAccess<'de>>(mut self, map: M) -> Result<Either<T, W>, M::Error> {
        Fill(self.at, &mut self.table).deserialize(MapAccessDeserializer::new(map))?;
        Ok(Either::Table(self.table))
    }
}
