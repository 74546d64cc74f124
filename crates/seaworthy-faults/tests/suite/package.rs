//! What the package is to the others.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// FK-10: no package that is published needs this one, save for its own tests, and it is not published itself.
#[test]
fn no_user_needs_it() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    let is_private = |package: &Value| package["publish"].as_array().is_some_and(Vec::is_empty);
    let own = packages.iter().find(|package| package["name"] == env!("CARGO_PKG_NAME")).expect("it is a member");
    assert!(is_private(own));

    let published: Vec<&Value> = packages.iter().filter(|package| !is_private(package)).collect();
    assert!(published.iter().any(|package| package["name"] == "seaworthy"), "the library is published");
    for package in published {
        for dependency in package["dependencies"].as_array().expect("there is a list") {
            let is_ours = dependency["name"] == env!("CARGO_PKG_NAME");
            assert!(!is_ours || dependency["kind"] == "dev", "{} needs the fault kit", package["name"]);
        }
    }
}

/// FK-09b: whatever asks the system for what only Unix has is a module that only Unix has, and the README says so.
#[test]
fn only_unix_has_signals() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read =
        |path: &Path| std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let library = read(&root.join("src/lib.rs"));
    let lines: Vec<&str> = library.lines().collect();
    let (mut everywhere, mut of_unix) = (0, 0);
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = line.trim_start_matches("pub ").strip_prefix("mod ") else { continue };
        let name = name.trim_end_matches(';');
        if lines[at - 1] == "#[cfg(unix)]" {
            of_unix += 1;
            continue;
        }
        everywhere += 1;
        for file in files_of(&root.join("src"), name) {
            let text = read(&file);
            for only_there in ["rustix", "std::os::unix", "crate::clock"] {
                let is_for_unix = text.contains("cfg(unix)") || file.ends_with("writer.rs");
                assert!(!text.contains(only_there) || is_for_unix, "{} uses {only_there}", file.display());
            }
        }
    }
    assert!(everywhere >= 4 && of_unix >= 8, "{everywhere} and {of_unix}");
    assert!(read(&root.join("README.md")).contains("Unix only"));
}

fn files_of(source: &Path, module: &str) -> Vec<std::path::PathBuf> {
    let file = source.join(module).with_extension("rs");
    if file.exists() {
        return vec![file];
    }
    let entries = std::fs::read_dir(source.join(module)).expect("a module is a file or a folder");
    entries.map(|entry| entry.expect("it can be read").path()).collect()
}
