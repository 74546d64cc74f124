//! Calls to cargo, shared by the commands of this program.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The one published package.
pub(crate) const LIBRARY: &str = "seaworthy";

/// The workspace's root, two folders above this package.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The cargo that runs this program, set to run in the workspace's root.
pub(crate) fn command(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// The output of `cargo metadata` for the workspace, without its dependencies.
pub(crate) fn metadata(root: &Path) -> Result<Value, String> {
    let mut command = command(root);
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    let output = command.output().map_err(|error| format!("cargo does not start: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
}

/// `rustc 1.95.0 (59807616e 2026-04-14) x86_64-unknown-linux-gnu`
pub(crate) fn compiler(root: &Path) -> Result<String, String> {
    let mut command = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let output = command.current_dir(root).arg("-Vv").output().map_err(|error| format!("rustc: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let version = said.lines().next();
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    let (Some(version), Some(host)) = (version, host) else { return Err(format!("rustc -Vv says `{said}`")) };
    Ok(format!("{version} {host}"))
}
