//! What may be touched in one place only: the clock, chance, locks, foreign crates, an error's sources.

use super::source::{File, Token, Tree};
use super::{Finding, rules};

/// Whether the tokens at `at` spell `path`, segments separated by `::`.
fn spells(tokens: &[Token], at: usize, path: &str) -> bool {
    let mut at = at;
    for (number, segment) in path.split("::").enumerate() {
        if number > 0 {
            if !(tokens.get(at).is_some_and(|t| t.text == ":") && tokens.get(at + 1).is_some_and(|t| t.text == ":")) {
                return false;
            }
            at += 2;
        }
        if tokens.get(at).is_none_or(|token| token.text != segment) {
            return false;
        }
        at += 1;
    }
    true
}

/// Whether a path begins at `at`, rather than continuing there.
fn begins(tokens: &[Token], at: usize) -> bool {
    // `mod http;` declares a module of ours.
    tokens[at].is_ident && (at == 0 || !matches!(tokens[at - 1].text.as_str(), ":" | "." | "mod"))
}

fn find(file: &File, path: &str) -> Vec<usize> {
    let tokens = &file.tokens;
    (0..tokens.len()).filter(|&at| begins(tokens, at) && spells(tokens, at, path)).map(|at| tokens[at].line).collect()
}

/// The machine uses only std, and from std no clock, lock, atomic or thread.
pub(super) fn pure_machine(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.sources().filter(|file| file.room() == "machine") {
        for path in rules::IMPURE {
            findings.extend(
                find(file, path)
                    .into_iter()
                    .map(|line| Finding::new(&file.path, line, format!("the machine is pure: no `{path}` in it"))),
            );
        }
    }
    findings
}

/// Each thing that touches the outside world has one place.
pub(super) fn doors(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.sources() {
        for (path, places) in rules::DOORS {
            let is_at_home = places.iter().any(|place| file.path.starts_with(place));
            if is_at_home {
                continue;
            }
            findings.extend(
                find(file, path)
                    .into_iter()
                    .map(|line| Finding::new(&file.path, line, format!("`{path}` belongs to {}", places.join(" or ")))),
            );
        }
    }
    findings
}

/// An error's sources are walked in one place, where the walk is bounded.
pub(super) fn one_walk_of_sources(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.sources().filter(|file| file.path != *rules::WALK_OF_SOURCES) {
        for window in file.tokens.windows(4) {
            let texts: Vec<&str> = window.iter().map(|token| token.text.as_str()).collect();
            let is_forwarded = forwards_source(file, window[0].line);
            if texts == [".", "source", "(", ")"] && !is_forwarded {
                let what = format!("errors are walked in {} only", rules::WALK_OF_SOURCES.display());
                findings.push(Finding::new(&file.path, window[0].line, what));
            }
        }
    }
    findings
}

/// Whether the line is within `fn source`, where an error may forward to the source of the one inside.
fn forwards_source(file: &File, line: usize) -> bool {
    let lines: Vec<&str> = file.text.lines().take(line).collect();
    let function = lines.iter().rev().find(|line| line.contains("fn "));
    function.is_some_and(|line| line.contains("fn source("))
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::tree;
    use super::*;

    #[test]
    fn a_clock_in_the_machine_is_found() {
        let broken = tree(&[("src/machine/retry/mod.rs", "use std::time::Instant;\nuse std::time::Duration;")]);
        assert_eq!(pure_machine(&broken).len(), 1);
    }

    #[test]
    fn a_random_number_outside_its_room_is_found() {
        let text = "fn a() -> u64 { rand::random() }";
        assert_eq!(doors(&tree(&[("src/retry/future.rs", text)])).len(), 1);
        assert_eq!(doors(&tree(&[("src/rt/random.rs", text)])), []);
    }

    #[test]
    fn another_walk_of_sources_is_found() {
        let walk = "fn text(e: &dyn Error) { let _ = e.source(); }";
        assert_eq!(one_walk_of_sources(&tree(&[("src/runner/graceful.rs", walk)])).len(), 1);
        let forward = "impl Error for A { fn source(&self) -> Option<&(dyn Error + 'static)> {\n self.0.source() } }";
        assert_eq!(one_walk_of_sources(&tree(&[("src/error/wrap.rs", forward)])), []);
    }
}
