//! The page that says what can break.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn rust_files(below: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            rust_files(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push(path);
        }
    }
}

/// The numbers that begin doc comments: `/// DR-13, IN-06: ..`.
fn shown() -> BTreeSet<String> {
    let mut files = Vec::new();
    rust_files(&root().join("crates"), &mut files);
    let texts: Vec<String> = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let labels = texts.iter().flat_map(|text| text.lines()).filter_map(|line| {
        let label = line.trim_start().strip_prefix("/// ")?.split_once(':')?.0;
        label.chars().all(|letter| letter.is_ascii_alphanumeric() || ", -".contains(letter)).then_some(label)
    });
    labels.flat_map(|label| label.split(", ")).map(str::to_owned).collect()
}

/// The last cell of each row: what shows it.
fn shown_by(page: &str) -> Vec<(&str, Vec<&str>)> {
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| what breaks"));
    let cells = rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect::<Vec<_>>());
    cells.map(|cells| (cells[0], cells.last().unwrap().split([',', ';']).map(str::trim).collect())).collect()
}

/// FM-01, FM-02: each row of the page is shown by tests of these numbers, or says that it was not run.
#[test]
fn each_row_is_shown() {
    let page = std::fs::read_to_string(root().join("docs/failure-modes.md")).unwrap();
    let (rows, shown) = (shown_by(&page), shown());
    assert!(rows.len() > 15 && shown.len() > 100, "{} rows, {} numbers", rows.len(), shown.len());
    for (row, numbers) in &rows {
        assert!(!numbers.is_empty(), "{row}");
        for number in numbers {
            assert!(
                *number == "not run" || shown.contains(*number),
                "`{row}` names {number}, of which there is no test"
            );
        }
    }
    let with_a_fault = page.replace("DR-13, QU-71", "DR-13, QU-7100");
    assert!(shown_by(&with_a_fault).iter().any(|(_, numbers)| numbers.iter().any(|number| !shown.contains(*number))));
    assert!(page.contains("## What was not run"));
}
