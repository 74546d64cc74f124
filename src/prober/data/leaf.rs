use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::de::value::Error as Flaw;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use crate::data::duration;
use crate::data::path::Path;
use crate::data::table::{Fill, Table};
use crate::data::value::DataValue;
use crate::error::ConfigError;

/// A value under a key.
pub(super) struct Leaf<'a> {
    at: Path<'a>,
    value: DataValue,
}

impl<'a> Leaf<'a> {
    /// Passes the value to `judge`; none if there is no value, as with `null`. It is judged while it is being read, so
    /// that an error points at its line.
    pub(super) fn read<'de, M: MapAccess<'de>, T>(
        at: Path<'a>,
        map: &mut M,
        judge: impl FnOnce(&Leaf<'a>) -> Result<T, Flaw>,
    ) -> Result<Option<T>, M::Error> {
        map.next_value_seed(Judged { at, judge })
    }

    /// An error: what the value must be, and what it is.
    pub(super) fn must(&self, be: impl fmt::Display) -> Flaw {
        self.at.breaks(format_args!("must be {be}, is {}", self.value))
    }

    /// An error: the value breaks a rule that the code has, too.
    fn breaks(&self, error: &ConfigError) -> Flaw {
        self.at.breaks(format_args!("{}, is {}", error.rule(), self.value))
    }

    pub(super) fn value(&self) -> &DataValue {
        &self.value
    }

    pub(super) fn whole(&self, range: RangeInclusive<u32>) -> Result<u32, Flaw> {
        let number = match self.value {
            DataValue::Whole(number) => u32::try_from(number).ok().filter(|number| range.contains(number)),
            _ => None,
        };
        number.ok_or_else(|| self.must(format_args!("a number from {} to {}", range.start(), range.end())))
    }

    pub(super) fn port(&self) -> Result<u16, Flaw> {
        Ok(self.whole(1..=u16::MAX.into())? as u16)
    }

    /// A duration as text. With `zero`, zero is a valid one.
    pub(super) fn time(&self, zero: bool) -> Result<Duration, Flaw> {
        let DataValue::Text(text) = &self.value else {
            return Err(self.must("a duration in text, such as \"30s\" or \"1min 30s\""));
        };
        match duration::parse(text) {
            Ok(time) if time.is_zero() && !zero => Err(self.must("longer than zero")),
            Ok(time) => Ok(time),
            Err(flaw) => {
                let be = format_args!("a duration in text, such as \"30s\" or \"1min 30s\"");
                Err(self.at.breaks(format_args!("must be {be}, is {}: {flaw}", self.value)))
            }
        }
    }

    /// A text that obeys a rule.
    pub(super) fn text<T>(&self, rule: impl FnOnce(&str) -> Result<T, ConfigError>) -> Result<String, Flaw> {
        let DataValue::Text(text) = &self.value else { return Err(self.must("a text")) };
        rule(text).map_err(|error| self.breaks(&error))?;
        Ok(text.clone())
    }

    /// A list of texts that obeys a rule.
    pub(super) fn texts(&self, rule: impl FnOnce(&[String]) -> Result<(), ConfigError>) -> Result<Vec<String>, Flaw> {
        let texts = match &self.value {
            DataValue::List(list) => list.iter().map(text).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        let texts = texts.ok_or_else(|| self.must("a list of texts"))?;
        rule(&texts).map_err(|error| self.at.breaks(error.rule()))?;
        Ok(texts)
    }

    /// A status, a range of them such as `"200-299"`, or a list of either.
    pub(super) fn statuses(&self) -> Result<Vec<RangeInclusive<u16>>, Flaw> {
        let statuses = match &self.value {
            DataValue::List(list) if !list.is_empty() => list.iter().map(range).collect::<Option<Vec<_>>>(),
            one => range(one).map(|range| vec![range]),
        };
        statuses.ok_or_else(|| self.must("a status from 100 to 599, a range such as \"200-299\", or a list of these"))
    }

    /// Names and values: in a table, where a value may be a list, or in a list of tables, as in Kubernetes.
    pub(super) fn headers(
        &self,
        rule: impl Fn(&str, &str) -> Result<(), ConfigError>,
    ) -> Result<Vec<(String, String)>, Flaw> {
        let mut headers = Vec::new();
        let shape = match &self.value {
            DataValue::Table(entries) => entries.iter().try_for_each(|(name, value)| {
                match value {
                    DataValue::List(values) => {
                        for value in values {
                            headers.push((name.clone(), text(value)?));
                        }
                    }
                    one => headers.push((name.clone(), text(one)?)),
                }
                Some(())
            }),
            DataValue::List(list) => list.iter().try_for_each(|header| {
                let DataValue::Table(entries) = header else { return None };
                let of = |key: &str| text(&entries.iter().find(|(name, _)| name == key)?.1);
                headers.push((of("name")?, of("value")?));
                (entries.len() == 2).then_some(())
            }),
            _ => None,
        };
        shape.ok_or_else(|| self.must("a table of texts, or a list of tables with `name` and `value`"))?;
        for (name, value) in &headers {
            // Without the value, which may be a secret.
            rule(name, value).map_err(|error| self.at.breaks(format_args!("{name:?} {}", error.rule())))?;
        }
        Ok(headers)
    }
}

struct Judged<'a, J> {
    at: Path<'a>,
    judge: J,
}

impl<'de, 'a, T, J: FnOnce(&Leaf<'a>) -> Result<T, Flaw>> DeserializeSeed<'de> for Judged<'a, J> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        let Judged { at, judge } = self;
        match DataValue::deserialize(deserializer)? {
            DataValue::Nothing => Ok(None),
            value => judge(&Leaf { at, value }).map(Some).map_err(D::Error::custom),
        }
    }
}

/// Fills a table if there is one, and returns whether there is.
pub(super) struct Maybe<'a, T> {
    pub(super) fill: Fill<'a, T>,
    /// Why the table must not be there.
    pub(super) conflict: Option<Flaw>,
}

impl<'de, T: Table> DeserializeSeed<'de> for Maybe<'_, T> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, T: Table> Visitor<'de> for Maybe<'_, T> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fill.expecting(f)
    }

    fn visit_none<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        if let Some(conflict) = self.conflict {
            return Err(D::Error::custom(conflict));
        }
        self.fill.deserialize(deserializer)?;
        Ok(true)
    }
}

fn text(value: &DataValue) -> Option<String> {
    if let DataValue::Text(text) = value { Some(text.clone()) } else { None }
}

fn range(value: &DataValue) -> Option<RangeInclusive<u16>> {
    let status = |text: &str| text.trim().parse::<u16>().ok();
    let range = match value {
        DataValue::Whole(number) => {
            let number = (*number).try_into().ok()?;
            number..=number
        }
        DataValue::Text(text) => {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            status(first)?..=status(last)?
        }
        _ => return None,
    };
    (*range.start() >= 100 && *range.end() <= 599 && range.start() <= range.end()).then_some(range)
}
