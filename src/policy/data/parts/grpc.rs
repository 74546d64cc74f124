use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::data::path::Path;
use crate::data::table::Table;
use crate::grpc::code::{Code, CodeSet};
use crate::grpc::method::{method_flaw, path_of_service, service_flaw};
use crate::retry::grpc_rules::GrpcRules;

/// Which gRPC calls are retried.
pub(super) struct GrpcTable(pub(super) GrpcRules);

impl Table for GrpcTable {
    const KEYS: &'static [&'static str] = &["codes", "idempotent", "idempotent_services"];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let GrpcTable(rules) = self;
        match key {
            "codes" => {
                let codes = map.next_value_seed(NonEmptyList { at, what: "names of gRPC codes", read: failure })?;
                rules.codes = Some(CodeSet::of(&codes).bits());
            }
            "idempotent" => {
                let read = |path: &str| method_flaw(path).map_or(Ok(path.into()), |flaw| Err(flaw.to_owned()));
                rules.paths.extend(map.next_value_seed(NonEmptyList { at, what: "paths of gRPC methods", read })?);
            }
            _ => {
                let read =
                    |name: &str| service_flaw(name).map_or(Ok(path_of_service(name)), |flaw| Err(flaw.to_owned()));
                rules.paths.extend(map.next_value_seed(NonEmptyList { at, what: "names of gRPC services", read })?);
            }
        }
        Ok(())
    }

    /// Each value is valid on its own.
    fn check(&self) -> Result<(), (String, String)> {
        Ok(())
    }
}

fn failure(name: &str) -> Result<Code, String> {
    match name.parse() {
        Ok(Code::Ok) => Err("is no failure".to_owned()),
        Ok(code) => Ok(code),
        Err(error) => Err(error.rule().to_owned()),
    }
}

/// A list of texts, each of which means something, or breaks a rule.
struct NonEmptyList<'a, F> {
    at: Path<'a>,
    what: &'static str,
    read: F,
}

impl<'de, T, F> DeserializeSeed<'de> for NonEmptyList<'_, F>
where
    F: Fn(&str) -> Result<T, String>,
{
    type Value = Vec<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T, F> Visitor<'de> for NonEmptyList<'_, F>
where
    F: Fn(&str) -> Result<T, String>,
{
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of {} for {}", self.what, self.at)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(ListItem(&self))? {
            all.push(item);
        }
        if all.is_empty() { Err(self.at.breaks("must not be empty")) } else { Ok(all) }
    }
}

/// One text of a list.
struct ListItem<'a, 'p, F>(&'a NonEmptyList<'p, F>);

impl<'de, T, F> DeserializeSeed<'de> for ListItem<'_, '_, F>
where
    F: Fn(&str) -> Result<T, String>,
{
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<T, F> Visitor<'_> for ListItem<'_, '_, F>
where
    F: Fn(&str) -> Result<T, String>,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "text in the list of {} for {}", self.0.what, self.0.at)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.0.read)(text).map_err(|rule| self.0.at.breaks(format_args!("{text:?} {rule}")))
    }
}
