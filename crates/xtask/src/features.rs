//! Checks that packages compile without warnings with no feature, with each one, with each pair, and with all.

use std::path::Path;
use std::process::ExitCode;

use crate::cargo;

/// A package whose users choose features.
struct Package {
    name: &'static str,
    /// Whether its features touch the same code. The engines of a companion do not know of one another, and each pair
    /// of them would compile two drivers anew.
    in_pairs: bool,
}

const PACKAGES: &[Package] = &[
    Package { name: cargo::LIBRARY, in_pairs: true },
    Package { name: "seaworthy-ledger", in_pairs: false },
    Package { name: "seaworthy-leader", in_pairs: false },
    Package { name: "seaworthy-queue", in_pairs: false },
];

/// Runs clippy on each set of features of each package, and fails if one of them has a warning.
pub(crate) fn run(root: &Path) -> ExitCode {
    let mut all_clean = true;
    for &Package { name: package, in_pairs } in PACKAGES {
        let names = match names(root, package) {
            Ok(names) => names,
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::from(2);
            }
        };
        let sets = sets(&names, in_pairs);
        let broken: Vec<&String> = sets.iter().filter(|set| !is_clean(root, package, set)).collect();
        println!("{package}: {} sets of {} features", sets.len(), names.len());
        for set in &broken {
            println!("  broken: --package {package} --no-default-features --features {set:?}");
        }
        all_clean &= broken.is_empty();
    }
    if all_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The features of a package except `default`, which only names others.
fn names(root: &Path, package: &str) -> Result<Vec<String>, String> {
    let metadata = cargo::metadata(root)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let found = packages.into_iter().find(|found| found["name"] == package);
    let Some(features) = found.and_then(|found| found["features"].as_object()) else {
        return Err(format!("cargo metadata knows no package `{package}` with features"));
    };
    Ok(features.keys().filter(|name| *name != "default").cloned().collect())
}

/// None, each one, each pair if that is asked for, and all, in cargo's notation.
fn sets(names: &[String], in_pairs: bool) -> Vec<String> {
    let mut sets = vec![String::new()];
    sets.extend(names.iter().cloned());
    for (at, one) in names.iter().enumerate().filter(|_| in_pairs) {
        sets.extend(names[at + 1..].iter().map(|other| format!("{one},{other}")));
    }
    let all = names.join(",");
    if !sets.contains(&all) {
        sets.push(all);
    }
    sets
}

/// The lint level goes to clippy only: in `RUSTFLAGS` it would rebuild every dependency.
fn is_clean(root: &Path, package: &str, set: &str) -> bool {
    let mut command = cargo::command(root);
    command.args(["clippy", "--quiet", "--package", package, "--lib", "--no-default-features"]);
    command.args(["--features", set, "--", "-D", "warnings"]);
    let status = command.status().inspect_err(|error| eprintln!("cargo does not start: {error}"));
    let clean = status.is_ok_and(|status| status.success());
    println!("{}: {}", if set.is_empty() { "no feature" } else { set }, if clean { "ok" } else { "BROKEN" });
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> Vec<String> {
        sets(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), true)
    }

    #[test]
    fn none_each_and_all() {
        assert_eq!(sets(&["a", "b", "c"].map(str::to_owned), false), ["", "a", "b", "c", "a,b,c"]);
        assert_eq!(sets(&["a"].map(str::to_owned), false), ["", "a"]);
    }

    #[test]
    fn none_each_each_pair_and_all() {
        assert_eq!(of(&["a", "b", "c"]), ["", "a", "b", "c", "a,b", "a,c", "b,c", "a,b,c"]);
        // The set of all features differs from the pairs only from three features on.
        assert_eq!(of(&["a", "b"]), ["", "a", "b", "a,b"]);
        assert_eq!(of(&["a"]), ["", "a"]);
    }

    /// Each `name = [..]` below `[features]`, found in the text instead of by cargo.
    #[test]
    fn no_feature_of_the_manifest_is_forgotten() {
        let manifest = std::fs::read_to_string(cargo::root().join("Cargo.toml")).expect("it can be read");
        let table = manifest.split("\n[features]\n").nth(1).expect("it has features");
        let lines = table.lines().take_while(|line| !line.starts_with('['));
        let mut written: Vec<&str> = lines.filter_map(|line| Some(line.split_once(" = [")?.0)).collect();
        written.retain(|name| *name != "default");
        written.sort_unstable();
        assert!(written.len() >= 8, "{written:?}");
        assert_eq!(names(cargo::root(), cargo::LIBRARY).expect("cargo knows them"), written);
    }
}
