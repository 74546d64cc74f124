//! What the packages of the workspace ask of those who use them, read from their manifests and from cargo.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

const COMPANIONS: &[&str] = &["seaworthy-leader", "seaworthy-ledger", "seaworthy-queue", "seaworthy-store"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn manifest(package: &str) -> String {
    std::fs::read_to_string(root().join("crates").join(package).join("Cargo.toml")).unwrap()
}

/// The packages that a user compiles.
fn tree(arguments: &[&str]) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).args(["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    let output = cargo.args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let names = text.lines().filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

fn features(manifest: &str) -> Vec<(&str, &str)> {
    let table = manifest.split("[features]\n").nth(1).unwrap().split("\n[").next().unwrap();
    table.lines().filter_map(|line| line.split_once(" = ")).collect()
}

/// CO-02: the versions of what several packages share stand once, and so do the lints.
#[test]
fn co_02_versions_stand_once() {
    let all = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let shared = all.split("[workspace.dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let shared: Vec<&str> = shared.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name).collect();
    assert!(shared.contains(&"sqlx") && shared.contains(&"tokio"));
    for package in COMPANIONS.iter().chain(&["seaworthy-drills", "seaworthy-faults", "seaworthy-tonic"]) {
        let manifest = manifest(package);
        assert!(manifest.contains("[lints]\nworkspace = true"), "{package}");
        for name in shared.iter().filter(|name| **name != "seaworthy") {
            // A feature may have a dependency's name.
            let dependencies = manifest.split("[dependencies]\n").nth(1).unwrap_or_default();
            let again = dependencies.lines().any(|line| {
                line.starts_with(&format!("{name} = ")) && line.contains('"') && !line.contains("workspace")
            });
            assert!(!again, "{package} has a version of its own of {name}");
        }
    }
}

/// CO-03: a companion needs the Rust that sqlx needs, and says so; the core is not held to it.
#[test]
fn co_03_minimum_rust() {
    for package in COMPANIONS {
        assert!(manifest(package).contains("\nrust-version = \"1.94\"\n"), "{package}");
    }
    assert!(std::fs::read_to_string(root().join("Cargo.toml")).unwrap().contains("\nrust-version = \"1.85\"\n"));
}

/// CO-04, CO-05: without a feature a companion has its memory form and builds no C; no feature but `sqlite` builds SQLite.
#[test]
fn co_04_co_05_features() {
    for package in COMPANIONS {
        let manifest = manifest(package);
        let features = features(&manifest);
        assert!(features.contains(&("default", "[]")), "{package}");
        for (feature, implied) in features.iter().filter(|(feature, _)| *feature != "sqlite") {
            assert!(!implied.contains("sqlite"), "{package}: {feature} implies {implied}");
            if *feature != "tls" {
                let compiled = tree(&["--package", package, "--no-default-features", "--features", feature]);
                assert!(!compiled.contains("cc") && !compiled.contains("libsqlite3-sys"), "{package}: {feature}");
            }
        }
    }
    assert!(tree(&["--package", "seaworthy-ledger", "--features", "sqlite"]).contains("libsqlite3-sys"));
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    assert_eq!(lock.matches("name = \"libsqlite3-sys\"").count(), 1);
}

/// CO-06: with its default features a companion adds few packages to the core's.
#[test]
fn co_06_weight() {
    let core = tree(&["--package", "seaworthy"]);
    let ledger = tree(&["--package", "seaworthy-ledger"]);
    let added: Vec<_> = ledger.difference(&core).filter(|name| !name.starts_with("seaworthy")).collect();
    assert_eq!(added, ["hmac-sha256", "memchr", "serde", "serde_core", "serde_json", "zmij"]);
    let leader = tree(&["--package", "seaworthy-leader"]);
    assert!(leader.difference(&core).all(|name| name.starts_with("seaworthy")));
}

/// CO-07: TLS trusts what the system trusts, and bundles no roots of its own.
#[test]
fn co_07_the_systems_roots() {
    let with = tree(&["--package", "seaworthy-ledger", "--features", "postgres,tls"]);
    assert!(with.contains("rustls-native-certs") && !with.contains("webpki-roots"));
    assert!(!tree(&["--package", "seaworthy-ledger", "--features", "postgres"]).contains("rustls"));
}

fn sources(package: &str) -> Vec<(PathBuf, String)> {
    let mut folders = vec![root().join("crates").join(package).join("src")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push((path.clone(), std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    assert!(files.len() > 5, "{package}");
    files
}

/// CO-08b: no unsafe code, no public item without a word, and no `unwrap` on a path of a request.
#[test]
fn co_08b_lints() {
    let all = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(all.contains("unsafe_code = \"forbid\""));
    for package in COMPANIONS {
        let files = sources(package);
        let (_, library) = files.iter().find(|(path, _)| path.ends_with("src/lib.rs")).unwrap();
        for lint in ["deny(missing_docs)", "warn(clippy::expect_used, clippy::unwrap_used)"] {
            assert!(library.contains(lint), "{package}: {lint}");
        }
    }
}

/// CO-11: one file reads clocks, and one draws random numbers; what has expired is decided by the store's clock.
#[test]
fn co_11_one_clock() {
    for package in COMPANIONS {
        for (path, text) in sources(package) {
            let is_the_clock = path.ends_with("seaworthy-store/src/time.rs");
            let is_chance = path.ends_with("seaworthy-store/src/random.rs");
            assert!(is_the_clock || !text.contains("Instant::now(") && !text.contains("SystemTime::now("), "{path:?}");
            assert!(is_chance || !text.contains("rand::"), "{path:?}");
        }
    }
}
