//! Foreign crates whose types are part of the public API: a new major version of one is a new major version of this
//! crate.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What each foreign crate contributes to public items: its types and traits, each with one item that names it.
pub(super) type Foreign = BTreeMap<String, BTreeMap<String, String>>;

/// The number of the crate that rustdoc described.
const OWN: u64 = 0;

/// Searches the public items, given as ids and text.
pub(super) fn foreign(json: &Value, items: impl IntoIterator<Item = (u32, String)>) -> Result<Foreign, String> {
    let mut foreign = Foreign::new();
    for (id, text) in items {
        let item = &json["index"][id.to_string()]["inner"];
        if item.is_null() {
            return Err(format!("rustdoc wrote nothing of `{text}`"));
        }
        let mut named = BTreeSet::new();
        ids(item, &mut named);
        for id in named {
            if let Some((owner, path)) = origin(json, id)? {
                foreign.entry(owner).or_default().entry(path).or_insert_with(|| text.clone());
            }
        }
    }
    Ok(foreign)
}

/// Everything an item refers to. A type, a trait or a re-export that has an `id` refers to the item with that id.
fn ids(value: &Value, named: &mut BTreeSet<u64>) {
    match value {
        Value::Object(fields) => {
            named.extend(fields.get("id").and_then(Value::as_u64));
            fields.values().for_each(|field| ids(field, named));
        }
        Value::Array(values) => values.iter().for_each(|value| ids(value, named)),
        _ => {}
    }
}

/// The crate and path of a foreign item; nothing for one of this crate.
fn origin(json: &Value, id: u64) -> Result<Option<(String, String)>, String> {
    let summary = &json["paths"][id.to_string()];
    // Every foreign item has a path; one without is private to this crate. If that changed, the list would show as
    // unused.
    let Some(number) = summary["crate_id"].as_u64().filter(|number| *number != OWN) else { return Ok(None) };
    let Some(owner) = json["external_crates"][number.to_string()]["name"].as_str() else {
        return Err(format!("rustdoc names no crate {number}"));
    };
    let path: Vec<&str> = summary["path"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    Ok(Some((owner.to_owned(), path.join("::"))))
}

/// What is missing from the list, and what is on it but unused.
pub(super) fn broken(foreign: &Foreign, allowed: &[(&str, &str)]) -> Vec<String> {
    let is_allowed = |owner: &str| allowed.iter().any(|(name, _)| *name == owner);
    let mut broken = Vec::new();
    for (owner, paths) in foreign.iter().filter(|(owner, _)| !is_allowed(owner)) {
        broken.extend(paths.iter().map(|(path, text)| format!("`{path}` of the crate {owner} stands in `{text}`")));
    }
    let unused = allowed.iter().filter(|(name, _)| !foreign.contains_key(*name));
    broken.extend(unused.map(|(name, _)| format!("the crate {name} is on the list, and no public item names it")));
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `pub fn f(x: alpha::A) -> beta::B`, `pub use gamma::C`, and an item of this crate.
    fn sample() -> Value {
        serde_json::json!({
            "index": {
                "1": { "inner": { "function": { "sig": {
                    "inputs": [["x", { "resolved_path": { "path": "A", "id": 10, "args": null } }]],
                    "output": { "resolved_path": { "path": "B", "id": 20, "args": null } },
                } } } },
                "2": { "inner": { "use": { "source": "gamma::C", "name": "C", "id": 30, "is_glob": false } } },
                "3": { "inner": { "struct_field": { "resolved_path": { "path": "Own", "id": 40, "args": null } } } },
                "4": { "inner": { "struct_field": { "resolved_path": { "path": "Private", "id": 3, "args": null } } } },
                "5": { "inner": { "struct_field": { "resolved_path": { "path": "Delta", "id": 50, "args": null } } } },
            },
            "paths": {
                "10": { "crate_id": 7, "path": ["alpha", "inside", "A"] },
                "20": { "crate_id": 8, "path": ["beta", "B"] },
                "30": { "crate_id": 9, "path": ["gamma", "C"] },
                "50": { "crate_id": 10, "path": ["delta", "D"] },
                "40": { "crate_id": 0, "path": ["seaworthy", "Own"] },
            },
            "external_crates": { "7": { "name": "alpha" }, "8": { "name": "beta" }, "9": { "name": "gamma" } },
        })
    }

    fn of(ids: &[u32]) -> Result<Foreign, String> {
        foreign(&sample(), ids.iter().map(|id| (*id, format!("item {id}"))))
    }

    #[test]
    fn arguments_results_and_exports_are_seen() {
        let allowed = [("alpha", ""), ("beta", ""), ("gamma", "")];
        let all = of(&[1, 2, 3, 4]).unwrap();
        assert_eq!(broken(&all, &allowed), [""; 0]);
        assert_eq!(broken(&all, &allowed[1..]), ["`alpha::inside::A` of the crate alpha stands in `item 1`"]);
        assert_eq!(broken(&all, &allowed[..2]), ["`gamma::C` of the crate gamma stands in `item 2`"]);
    }

    #[test]
    fn what_nobody_names_leaves_the_list() {
        let one = of(&[2]).unwrap();
        let findings = broken(&one, &[("gamma", ""), ("alpha", "")]);
        assert_eq!(findings, ["the crate alpha is on the list, and no public item names it"]);
    }

    #[test]
    fn what_is_not_understood_does_not_pass() {
        assert!(of(&[5]).is_err());
        assert!(of(&[6]).is_err());
    }
}
