//! The public API as text, so that it only changes on purpose, and the foreign crates it names.

mod external;
mod rustdoc;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use public_api::{Builder, PublicItem};
use serde_json::Value;
use similar::TextDiff;

use crate::cargo;
use crate::house::rules;

/// A package whose public API is written down.
struct Package {
    name: &'static str,
    /// The file that holds it.
    file: &'static str,
    /// The foreign crates that may be named.
    foreign: &'static [(&'static str, &'static str)],
}

const PACKAGES: &[Package] = &[
    Package { name: cargo::LIBRARY, file: "docs/public-api.txt", foreign: rules::EXTERNAL_CRATES },
    Package {
        name: "seaworthy-ledger",
        file: "crates/seaworthy-ledger/docs/public-api.txt",
        foreign: rules::EXTERNAL_CRATES_OF_THE_LEDGER,
    },
    Package {
        name: "seaworthy-leader",
        file: "crates/seaworthy-leader/docs/public-api.txt",
        foreign: rules::EXTERNAL_CRATES_OF_THE_LEADER,
    },
    Package {
        name: "seaworthy-queue",
        file: "crates/seaworthy-queue/docs/public-api.txt",
        foreign: rules::EXTERNAL_CRATES_OF_THE_QUEUE,
    },
];

/// Compares the public API with the file, or writes the file, and checks foreign types against their list.
pub(crate) fn run(root: &Path, bless: bool) -> ExitCode {
    let mut holds = true;
    for package in PACKAGES {
        println!("{}:", package.name);
        match check(root, package, bless) {
            Ok(this) => holds &= this,
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::from(2);
            }
        }
    }
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn check(root: &Path, &Package { name, file, foreign: allowed }: &Package, bless: bool) -> Result<bool, String> {
    let json_file = rustdoc::describe(root, name)?;
    let json = rustdoc::read(&json_file)?;
    // Every type has the blanket implementations, and tests assert auto traits such as `Send` where they matter.
    let builder = Builder::from_rustdoc_json(json_file).omit_blanket_impls(true).omit_auto_trait_impls(true);
    let api = builder.build().map_err(|error| error.to_string())?;

    let foreign = external::foreign(&json, api.items().map(|item| (item.id().0, item.to_string())))?;
    let broken = external::broken(&foreign, allowed);
    println!(
        "external-types: {}",
        if broken.is_empty() { "holds".into() } else { format!("{} findings", broken.len()) }
    );
    for finding in &broken {
        println!("  {finding}");
    }

    let twice = named_twice(api.items().map(|item| (item.id().0, item.to_string())));
    println!("one-path: {}", if twice.is_empty() { "holds".into() } else { format!("{} findings", twice.len()) });
    for finding in &twice {
        println!("  {finding}");
    }
    let holds = broken.is_empty() && twice.is_empty();

    let path = root.join(file);
    let text: String =
        api.items().filter(|item| !is_derived_member(&json, item)).map(|item| format!("{item}\n")).collect();
    if bless {
        fs::write(&path, text).map_err(|error| format!("{file}: {error}"))?;
        println!("public-api: written to {file}");
        return Ok(holds);
    }
    let written = fs::read_to_string(&path).map_err(|error| format!("{file}: {error} (cargo xtask api --bless)"))?;
    let difference = difference(&written, &text);
    match &difference {
        None => println!("public-api: holds"),
        Some(difference) => {
            println!("public-api: is not what {file} says; `cargo xtask api --bless` writes it down\n{difference}");
        }
    }
    Ok(holds && difference.is_none())
}

/// The types and traits that users can name by more than one path.
fn named_twice(items: impl Iterator<Item = (u32, String)>) -> Vec<String> {
    let mut paths: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    for (id, text) in items {
        // Attributes such as `#[non_exhaustive]` stand before it.
        let mut words = text.split(' ').skip_while(|word| *word != "pub").skip(1);
        if matches!(words.next(), Some("struct" | "enum" | "union" | "trait")) {
            let path = words.next().unwrap_or_default();
            let end = path.find(['<', '(', '{']).unwrap_or(path.len());
            paths.entry(id).or_default().insert(path[..end].trim_end_matches(':').to_owned());
        }
    }
    let twice = paths.into_values().filter(|paths| paths.len() > 1);
    twice.map(|paths| paths.into_iter().collect::<Vec<_>>().join(" is also ")).collect()
}

/// The functions of derived implementations add nothing to their `impl`.
fn is_derived_member(json: &Value, item: &PublicItem) -> bool {
    let Some(parent) = item.parent_id() else { return false };
    let attributes = json["index"][parent.0.to_string()]["attrs"].as_array();
    attributes.into_iter().flatten().any(|attribute| attribute == "automatically_derived")
}

/// The lines removed and added, each with its neighbours.
fn difference(written: &str, text: &str) -> Option<String> {
    let diff = TextDiff::from_lines(written, text);
    (written != text).then(|| diff.unified_diff().context_radius(1).header("written down", "as it is").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_paths_of_one_type_are_named() {
        let items = [
            (1, "pub struct a::S<T>"),
            (1, "pub struct a::b::S<T>"),
            (2, "pub enum a::E"),
            (5, "#[non_exhaustive] pub enum a::N"),
            (5, "#[non_exhaustive] pub enum a::b::N"),
            (3, "pub trait a::T: a::E"),
            (4, "pub fn a::S<T>::f()"),
        ];
        let items = items.map(|(id, text)| (id, text.to_owned()));
        assert_eq!(named_twice(items.into_iter()), ["a::S is also a::b::S", "a::N is also a::b::N"]);
    }

    #[test]
    fn a_difference_names_what_went_and_what_came() {
        let written = "pub mod a\npub fn a::f()\npub fn a::g()\n";
        assert_eq!(difference(written, written), None);
        let told = difference(written, "pub mod a\npub fn a::f(u8)\npub fn a::g()\n").unwrap();
        assert!(told.contains("\n-pub fn a::f()\n+pub fn a::f(u8)\n"), "{told}");
        assert!(difference(written, "").is_some());
    }
}
