//! The field's terms, and none of our own invention.

use super::source::Tree;
use super::{Finding, rules};

/// No word for which docs/glossary.md has another: neither as a name in the code, nor as a phrase in prose.
pub(super) fn words(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.sources() {
        for token in file.tokens.iter().filter(|token| token.is_ident) {
            let is_of_others =
                rules::WORDS_OF_OTHERS.iter().any(|(word, place)| *word == token.text && file.path.starts_with(place));
            if is_of_others {
                continue;
            }
            if let Some((_, right)) = rules::WORDS.iter().find(|(wrong, _)| *wrong == token.text) {
                findings.push(Finding::new(
                    &file.path,
                    token.line,
                    format!("`{}` is called `{right}` here", token.text),
                ));
            }
        }
    }
    let prose =
        tree.files.iter().filter(|file| !file.path.starts_with("crates/xtask") && !file.path.ends_with("CHANGELOG.md"));
    for file in prose {
        for (number, line) in file.text.lines().enumerate() {
            for (wrong, right) in rules::PHRASES {
                if line.contains(wrong) {
                    findings.push(Finding::new(&file.path, number + 1, format!("\"{wrong}\": say \"{right}\"")));
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::tree;
    use super::*;

    #[test]
    fn an_invented_word_is_found() {
        assert_eq!(words(&tree(&[("src/a.rs", "struct Dice;")])).len(), 1);
        assert_eq!(words(&tree(&[("src/a.rs", "struct Rng;")])), []);
    }

    #[test]
    fn a_phrase_is_found_in_prose() {
        let text = "A duration too long to be told is none.";
        assert_eq!(words(&tree(&[("docs/behaviour.md", text)])).len(), 1);
    }
}
