//! The library as rustdoc's JSON.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::cargo;

/// The toolchain whose rustdoc is used. Another may write another format, or print the same API differently.
const RUST: &str = "1.95.0";

/// The target folder. A separate one, because dependencies that detect a nightly toolchain are built differently when
/// its options are unlocked.
const TARGET: &str = "target/api";

/// Lets rustdoc describe a package with all features, and returns the file it wrote.
pub(super) fn describe(root: &Path, package: &str) -> Result<PathBuf, String> {
    let mut cargo = cargo_of_the_toolchain(root)?;
    cargo.env("RUSTC_BOOTSTRAP", "1").args(["rustdoc", "--quiet", "--package", package, "--lib"]);
    cargo.args(["--all-features", "--target-dir", TARGET]);
    cargo.args(["--", "-Z", "unstable-options", "--output-format", "json", "--cap-lints", "allow"]);
    let file = root.join(TARGET).join("doc").join(package.replace('-', "_")).with_extension("json");
    // The output of an earlier run must not pass for this one's.
    match fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(format!("{}: {error}", file.display()));
        }
        _ => {}
    }
    match cargo.status() {
        Ok(status) if status.success() => Ok(file),
        Ok(status) => Err(format!("rustdoc of Rust {RUST}: {status}")),
        Err(error) => Err(format!("cargo of Rust {RUST} does not start: {error}")),
    }
}

/// Reads that file, if it is in the format that this program's libraries know.
pub(super) fn read(file: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let json: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    check_format(&json)?;
    Ok(json)
}

fn check_format(json: &Value) -> Result<(), String> {
    let (known, format) = (rustdoc_types::FORMAT_VERSION, &json["format_version"]);
    if *format == known {
        return Ok(());
    }
    Err(format!(
        "rustdoc wrote format {format}, but `public-api` and `rustdoc-types` of crates/xtask/Cargo.toml read {known}: \
         `RUST` in crates/xtask/src/api/rustdoc.rs, which is {RUST}, and the two are raised together"
    ))
}

/// The current cargo, if it belongs to that toolchain, or else rustup's.
fn cargo_of_the_toolchain(root: &Path) -> Result<Command, String> {
    let at_hand = || cargo::command(root);
    let of_rustup = || {
        let mut rustup = Command::new("rustup");
        rustup.current_dir(root).args(["run", RUST, "cargo"]);
        rustup
    };
    if is_of_the_toolchain(at_hand()) {
        Ok(at_hand())
    } else if is_of_the_toolchain(of_rustup()) {
        Ok(of_rustup())
    } else {
        Err(format!("missing: Rust {RUST}, whose rustdoc writes the public API down (rustup toolchain install {RUST})"))
    }
}

fn is_of_the_toolchain(mut cargo: Command) -> bool {
    let output = cargo.arg("--version").output();
    output.is_ok_and(|output| output.status.success() && is_release(&String::from_utf8_lossy(&output.stdout)))
}

/// Whether this is cargo of the release of [`RUST`], with any patch version.
fn is_release(version: &str) -> bool {
    let Some((release, _patch)) = RUST.rsplit_once('.') else { return false };
    version
        .strip_prefix("cargo ")
        .and_then(|version| version.strip_prefix(release))
        .is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_format_is_told() {
        let json = |format: u32| serde_json::json!({ "format_version": format });
        assert_eq!(check_format(&json(rustdoc_types::FORMAT_VERSION)), Ok(()));
        let message = check_format(&json(rustdoc_types::FORMAT_VERSION + 1)).unwrap_err();
        assert!(message.contains("raised together"), "{message}");
        assert!(check_format(&serde_json::json!({})).is_err());
    }

    #[test]
    fn another_release_is_not_taken() {
        let (release, _) = RUST.rsplit_once('.').unwrap();
        assert!(is_release(&format!("cargo {RUST} (f2d3ce0bd 2026-03-21)\n")));
        assert!(is_release(&format!("cargo {release}.7\n")));
        assert!(!is_release(&format!("cargo {release}0.0\n")));
        assert!(!is_release("cargo 1.70.0\n"));
    }
}
