//! How much of the code depends on a feature.

use super::source::Tree;
use super::{Finding, rules};

/// There is a limit on `cfg(feature)` outside lib.rs and the features' own folders.
pub(super) fn few_cfgs(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.sources() {
        if file.room() == "lib" || rules::FEATURE_ROOMS.iter().any(|room| file.path.starts_with(room)) {
            continue;
        }
        for window in file.tokens.windows(3) {
            let texts: Vec<&str> = window.iter().map(|token| token.text.as_str()).collect();
            if texts[0] == "feature" && texts[1] == "=" && window[2].is_string {
                let finding = Finding::new(&file.path, window[0].line, format!("feature = {}", texts[2]));
                // `any(feature = .., feature = ..)` is one condition.
                if found.last().is_none_or(|last: &Finding| (&last.file, last.line) != (&finding.file, finding.line)) {
                    found.push(finding);
                }
            }
        }
    }
    if found.len() <= rules::MOST_CFGS { Vec::new() } else { found }
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::tree;
    use super::*;

    #[test]
    fn too_many_are_found() {
        let one = "#[cfg(feature = \"prober\")] fn a() {}\n";
        assert_eq!(few_cfgs(&tree(&[("src/retry/mod.rs", one)])), []);
        let many = one.repeat(rules::MOST_CFGS + 1);
        assert_eq!(few_cfgs(&tree(&[("src/retry/mod.rs", &many)])).len(), rules::MOST_CFGS + 1);
        assert_eq!(few_cfgs(&tree(&[("src/prober/mod.rs", &many)])), []);
    }
}
