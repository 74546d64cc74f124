//! Files that can be read in one sitting, and lines that fit on a screen.

use std::path::Path;

use super::source::Tree;
use super::{Finding, rules};

/// There is a limit on the lines of a library file, unless it has a reason, and on the columns of a comment.
pub(super) fn short_files(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| is_library(&file.path)) {
        let lines = file.text.lines().count();
        let has_reason = rules::LONG_FILES.iter().any(|(path, _)| file.path == Path::new(path));
        if lines > rules::MOST_LINES && !has_reason {
            findings.push(Finding::new(&file.path, lines, format!("{lines} lines; is there a second idea in it?")));
        }
        if lines <= rules::MOST_LINES && has_reason {
            findings.push(Finding::new(&file.path, lines, "is short: its reason in the rules is not needed any more"));
        }
        for (number, line) in file.text.lines().enumerate() {
            if line.trim_start().starts_with("//") && line.chars().count() > rules::MOST_COLUMNS {
                findings.push(Finding::new(&file.path, number + 1, "a comment of more than 120 columns"));
            }
        }
    }
    findings
}

/// Below `src/`, or `src/` of a package below `crates/`.
fn is_library(path: &Path) -> bool {
    let mut parts = path.components().map(|part| part.as_os_str());
    match parts.next() {
        Some(first) if first == "src" => true,
        Some(first) if first == "crates" => parts.nth(1).is_some_and(|folder| folder == "src"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::tree;
    use super::*;

    #[test]
    fn a_long_file_and_a_long_comment_are_found() {
        let long = "fn a() {}\n".repeat(rules::MOST_LINES + 1);
        assert_eq!(short_files(&tree(&[("src/a.rs", &long)])).len(), 1);
        let wide = format!("// {}\n", "x".repeat(rules::MOST_COLUMNS));
        assert_eq!(short_files(&tree(&[("src/a.rs", &wide)])).len(), 1);
        assert_eq!(short_files(&tree(&[("src/a.rs", "fn a() {}\n")])), []);
        assert_eq!(short_files(&tree(&[("crates/b/src/a.rs", &long)])).len(), 1);
        assert_eq!(short_files(&tree(&[("crates/b/tests/a.rs", &long), ("tests/src/a.rs", &wide)])), []);
    }
}
