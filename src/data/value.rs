//! A value of any type, so that the code that reads it can say what it is and what it should be.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum DataValue {
    Nothing,
    Flag(bool),
    Whole(i128),
    Fraction(f64),
    Text(String),
    List(Vec<DataValue>),
    Table(Vec<(String, DataValue)>),
}

/// The most characters of a text that an error repeats.
const MOST_TOLD: usize = 60;

/// The way an error shows it.
impl fmt::Display for DataValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataValue::Nothing => f.write_str("nothing"),
            DataValue::Flag(flag) => flag.fmt(f),
            DataValue::Whole(number) => number.fmt(f),
            DataValue::Fraction(number) => number.fmt(f),
            DataValue::Text(text) if text.chars().count() > MOST_TOLD => {
                write!(f, "{:?}…", text.chars().take(MOST_TOLD).collect::<String>())
            }
            DataValue::Text(text) => write!(f, "{text:?}"),
            DataValue::List(_) => f.write_str("a list"),
            DataValue::Table(_) => f.write_str("a table"),
        }
    }
}

impl<'de> Deserialize<'de> for DataValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<DataValue, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = DataValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<DataValue, E> {
        Ok(DataValue::Nothing)
    }

    fn visit_none<E: Error>(self) -> Result<DataValue, E> {
        Ok(DataValue::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<DataValue, D::Error> {
        DataValue::deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<DataValue, E> {
        Ok(DataValue::Flag(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<DataValue, E> {
        Ok(DataValue::Whole(number.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<DataValue, E> {
        Ok(DataValue::Whole(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<DataValue, E> {
        Ok(DataValue::Fraction(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<DataValue, E> {
        Ok(DataValue::Text(text.to_owned()))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<DataValue, S::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(DataValue::List(values))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<DataValue, M::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(DataValue::Table(entries))
    }
}
