//! One name, one type.

use std::collections::BTreeMap;

use super::source::Tree;
use super::{Finding, rules};

/// No two structs, enums, unions or traits share a name, except those that every pattern's folder has.
pub(super) fn one_name_one_type(tree: &Tree) -> Vec<Finding> {
    let mut places: BTreeMap<&str, Vec<(&std::path::Path, usize)>> = BTreeMap::new();
    for file in tree.sources() {
        for window in file.tokens.windows(2) {
            let is_type =
                matches!(window[0].text.as_str(), "struct" | "enum" | "union" | "trait") && window[0].is_ident;
            if is_type && window[1].is_ident {
                places.entry(&window[1].text).or_default().push((&file.path, window[1].line));
            }
        }
    }
    places.retain(|name, places| places.len() > 1 && !rules::NAMES_OF_EACH_PATTERN.contains(name));
    let findings = places.into_iter().flat_map(|(name, places)| {
        places
            .into_iter()
            .map(move |(file, line)| Finding::new(file, line, format!("`{name}` names more than one type")))
    });
    findings.collect()
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::tree;
    use super::*;

    #[test]
    fn a_name_for_two_types_is_found() {
        let broken = tree(&[("src/a.rs", "struct Stage;"), ("src/b.rs", "enum Stage {}")]);
        assert_eq!(one_name_one_type(&broken).len(), 2);
        let allowed = tree(&[("src/a.rs", "struct ResponseFuture;"), ("src/b.rs", "struct ResponseFuture;")]);
        assert_eq!(one_name_one_type(&allowed), []);
    }
}
