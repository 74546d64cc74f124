//! Enums of the public surface.

use std::fs;
use std::path::Path;

/// Every file under `folder`.
fn sources(folder: &Path, all: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else {
            all.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
}

/// SO-11: every public enum may grow without breaking a `match`, except the one that never will: an error is ours or
/// the inner service's.
#[test]
fn so_11_public_enums_may_grow() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let (mut closed, mut open) = (Vec::new(), 0);
    for (path, text) in &files {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (number, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("pub enum ")) {
            let above =
                lines[..number].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("///"));
            if above.into_iter().any(|line| *line == "#[non_exhaustive]") {
                open += 1;
            } else {
                closed.push(format!("{line} in {path}"));
            }
        }
    }
    assert!(open >= 20, "the search finds what is there: {open}");
    // `Idleness` cannot be named outside the crate.
    closed.retain(|line| !line.starts_with("pub enum Error<E>") && !line.starts_with("pub enum Idleness"));
    assert_eq!(closed, [""; 0]);
}
