//! The tables' places in the documentation.

use std::fs;
use std::path::Path;

use crate::cargo;

const FILE: &str = "docs/benchmarks.md";

/// Writes the table of all rows in place of the old one, and then those of benches/peers.
pub(crate) fn write(root: &Path, table: &str) -> Result<(), String> {
    let compiler = cargo::compiler(root)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    replace(root, "numbers", &format!("Measured with {compiler} on {cores} cores.\n\n{table}"))?;
    eprintln!("benches/peers");
    replace(root, "peers", &tables(&peers(root)?))
}

/// What the program in benches/peers prints.
fn peers(root: &Path) -> Result<String, String> {
    let mut command = cargo::command(root);
    command.args(["run", "--quiet", "--release", "--manifest-path", "benches/peers/Cargo.toml"]);
    let output = command.output().map_err(|error| format!("cargo does not start: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("benches/peers: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// The tables, each with its heading and without its notes, which benches/peers/README.md has.
fn tables(said: &str) -> String {
    let mut tables = String::new();
    for line in said.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            let space = if tables.is_empty() { "" } else { "\n" };
            tables.push_str(&format!("{space}### {heading}\n\n"));
        } else if line.starts_with('|') {
            tables.push_str(&format!("{line}\n"));
        }
    }
    tables
}

fn replace(root: &Path, section: &str, body: &str) -> Result<(), String> {
    let file = root.join(FILE);
    let text = fs::read_to_string(&file).map_err(|error| format!("{FILE}: {error}"))?;
    let text = with(&text, section, body).ok_or_else(|| format!("{FILE} has no place for the {section}"))?;
    fs::write(&file, text).map_err(|error| format!("{FILE}: {error}"))
}

fn with(text: &str, section: &str, body: &str) -> Option<String> {
    let start = format!("<!-- {section}: written by `cargo xtask numbers --bless` -->\n");
    let end = format!("<!-- end of {section} -->\n");
    let (before, rest) = text.split_once(&start)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{start}\n{body}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_section_is_replaced() {
        let start = "<!-- a: written by `cargo xtask numbers --bless` -->\n";
        let text = format!("before\n{start}old\n<!-- end of a -->\nafter\n");
        let once = with(&text, "a", "| new |\n").expect("it has a place");
        assert_eq!(once, format!("before\n{start}\n| new |\n\n<!-- end of a -->\nafter\n"));
        assert_eq!(with(&once, "a", "| new |\n"), Some(once.clone()));
        assert_eq!(with(&text, "b", "| new |\n"), None);
    }

    #[test]
    fn there_is_a_place_for_each() {
        let text = fs::read_to_string(cargo::root().join(FILE)).expect("it can be read");
        assert!(["numbers", "peers"].iter().all(|section| with(&text, section, "").is_some()));
    }

    #[test]
    fn tables_without_their_notes() {
        let said = "## one\n\n| a |\n|---|\n| 1 |\n\n- a: a note\n\n## two\n\n| b |\n\nNanoseconds\n";
        assert_eq!(tables(said), "### one\n\n| a |\n|---|\n| 1 |\n\n### two\n\n| b |\n");
    }
}
