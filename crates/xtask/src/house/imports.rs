//! The modules that a file names.

use super::source::{File, Token, Tree};
use super::{Finding, rules};

/// A path into this crate, resolved to segments from its root.
pub(super) struct Import {
    pub segments: Vec<String>,
    pub line: usize,
}

/// All paths in a file that begin with `crate`, `self` or `super`.
pub(super) fn imports(file: &File) -> Vec<Import> {
    let tokens = &file.tokens;
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let begins = matches!(tokens[at].text.as_str(), "crate" | "super")
            && tokens[at].is_ident
            && is_colons(tokens, at + 1)
            && (at < 2 || tokens[at - 1].text != ":" || tokens[at - 2].text != ":")
            // `pub(in crate::..)` names a module and imports nothing.
            && (at == 0 || tokens[at - 1].text != "in");
        if !begins {
            at += 1;
            continue;
        }
        let mut base = if tokens[at].text == "crate" { Vec::new() } else { parent(&file.module()) };
        let line = tokens[at].line;
        at += 3;
        while at < tokens.len() && tokens[at].text == "super" && is_colons(tokens, at + 1) {
            base = parent(&base);
            at += 3;
        }
        at = walk(tokens, at, &base, line, &mut found);
    }
    found
}

fn parent(module: &[String]) -> Vec<String> {
    module.split_last().map(|(_, rest)| rest.to_vec()).unwrap_or_default()
}

fn is_colons(tokens: &[Token], at: usize) -> bool {
    tokens.get(at).is_some_and(|t| t.text == ":") && tokens.get(at + 1).is_some_and(|t| t.text == ":")
}

/// Reads what follows `base::`: a segment, a group or a star.
fn walk(tokens: &[Token], mut at: usize, base: &[String], line: usize, found: &mut Vec<Import>) -> usize {
    let Some(token) = tokens.get(at) else { return at };
    if token.text == "{" {
        at += 1;
        while tokens.get(at).is_some_and(|token| token.text != "}") {
            if tokens[at].text == "," {
                at += 1;
            } else {
                let line = tokens[at].line;
                at = walk(tokens, at, base, line, found);
                // `name as other`
                while tokens.get(at).is_some_and(|token| token.text != "," && token.text != "}") {
                    at += 1;
                }
            }
        }
        return at + 1;
    }
    let mut segments = base.to_vec();
    segments.push(token.text.clone());
    if token.is_ident && is_colons(tokens, at + 1) {
        return walk(tokens, at + 3, &segments, line, found);
    }
    found.push(Import { segments, line });
    at + 1
}

/// Imports name the defining module rather than the crate's root, which hides where things come from.
pub(super) fn defining_module(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.sources().filter(|file| file.room() != "lib") {
        for import in imports(file) {
            let [first, ..] = import.segments.as_slice() else { continue };
            if !rules::ROOMS.iter().any(|(room, _)| room == first) && !file.module().is_empty() {
                let what = format!("`{first}` is imported through the crate's root: name its module");
                findings.push(Finding::new(&file.path, import.line, what));
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
    fn paths_are_resolved_through_groups_and_parents() {
        let text = "use crate::{a::b, c::{d, e as f}}; use super::super::g::H; fn i() { crate::j::k(); }";
        let file = File::new("src/x/y/z.rs", text).expect("it lexes");
        let found: Vec<String> = imports(&file).iter().map(|import| import.segments.join("::")).collect();
        assert_eq!(found, ["a::b", "c::d", "c::e", "x::g::H", "j::k"]);
    }

    #[test]
    fn an_import_through_the_root_is_found() {
        let broken = tree(&[("src/retry/future.rs", "use crate::Name;\nuse crate::name::Name;")]);
        assert_eq!(defining_module(&broken).len(), 1);
        assert_eq!(defining_module(&broken)[0].line, 1);
    }
}
