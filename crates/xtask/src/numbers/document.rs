//! The table's place in the documentation.

use std::fs;
use std::path::Path;

const FILE: &str = "docs/benchmarks.md";
const START: &str = "<!-- numbers: written by `cargo xtask numbers --bless` -->\n";
const END: &str = "<!-- end of numbers -->\n";

/// Writes a new table in place of the old one.
pub(crate) fn write(root: &Path, compiler: &str, table: &str) -> Result<(), String> {
    let file = root.join(FILE);
    let text = fs::read_to_string(&file).map_err(|error| format!("{FILE}: {error}"))?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let table = format!("Measured with {compiler} on {cores} cores.\n\n{table}");
    let text = with(&text, &table).ok_or_else(|| format!("{FILE} has no lines {START:?} and {END:?}"))?;
    fs::write(&file, text).map_err(|error| format!("{FILE}: {error}"))
}

fn with(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(START)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{START}\n{table}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_table_is_replaced() {
        let text = format!("before\n{START}old\n{END}after\n");
        let once = with(&text, "| new |\n").expect("it has both lines");
        assert_eq!(once, format!("before\n{START}\n| new |\n\n{END}after\n"));
        assert_eq!(with(&once, "| new |\n"), Some(once.clone()));
        assert_eq!(with("no place for it", "| new |\n"), None);
    }

    #[test]
    fn there_is_a_place_for_it() {
        let text = fs::read_to_string(crate::cargo::root().join(FILE)).expect("it can be read");
        assert!(with(&text, "").is_some());
    }
}
