//! Which top module ("room") may use which.

use std::collections::BTreeMap;

use super::imports::imports;
use super::source::Tree;
use super::{Finding, rules};

/// Rooms use only what `rules::ROOMS` allows, which has no cycle.
pub(super) fn direction(tree: &Tree) -> Vec<Finding> {
    let mut findings = circle(rules::ROOMS);
    for file in tree.sources().filter(|file| file.room() != "lib") {
        let room = file.room();
        let Some((_, allowed)) = rules::ROOMS.iter().find(|(name, _)| *name == room) else {
            findings.push(Finding::new(&file.path, 1, format!("`{room}` is no room that the rules know")));
            continue;
        };
        for import in imports(file) {
            let Some(to) = import.segments.first() else { continue };
            let is_room = rules::ROOMS.iter().any(|(name, _)| name == to);
            if is_room && *to != room && !allowed.contains(&to.as_str()) {
                let what = format!("`{room}` must not use `{to}` ({})", import.segments.join("::"));
                findings.push(Finding::new(&file.path, import.line, what));
            }
        }
    }
    findings
}

/// The first cycle in a table of rooms.
fn circle(rooms: &[(&str, &[&str])]) -> Vec<Finding> {
    let table: BTreeMap<&str, &[&str]> = rooms.iter().copied().collect();
    let mut path = Vec::new();
    let found = table.keys().find_map(|room| reach(&table, room, room, &mut path));
    let what = found.map(|circle| format!("the rules allow a circle: {circle}"));
    what.map(|what| Finding::new("crates/xtask/src/house/rules.rs".as_ref(), 1, what)).into_iter().collect()
}

fn reach<'a>(
    table: &BTreeMap<&'a str, &'a [&'a str]>,
    from: &'a str,
    goal: &str,
    path: &mut Vec<&'a str>,
) -> Option<String> {
    if path.contains(&from) {
        return None;
    }
    path.push(from);
    let found = table.get(from).copied().unwrap_or_default().iter().find_map(|next| {
        if *next == goal { Some(format!("{} -> {goal}", path.join(" -> "))) } else { reach(table, next, goal, path) }
    });
    path.pop();
    found
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::tree;
    use super::*;

    #[test]
    fn an_arrow_upwards_is_found() {
        let broken = tree(&[("src/machine/retry/mod.rs", "use crate::retry::RetryPolicy;")]);
        assert_eq!(direction(&broken).len(), 1);
        let right = tree(&[("src/retry/mod.rs", "use crate::machine::retry::Decision;")]);
        assert_eq!(direction(&right), []);
    }

    #[test]
    fn a_circle_in_the_rules_is_found() {
        assert_eq!(circle(rules::ROOMS), []);
        assert_eq!(circle(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"])]).len(), 1);
    }

    #[test]
    fn a_room_that_nobody_knows_is_found() {
        assert_eq!(direction(&tree(&[("src/attic/mod.rs", "fn a() {}")])).len(), 1);
    }
}
