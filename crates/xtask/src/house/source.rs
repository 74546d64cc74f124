//! The tree as the checks see it: files as text and as tokens, without tests.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::{fs, io};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// One token. Groups are flattened: brackets are tokens like any other.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub text: String,
    pub line: usize,
    pub is_ident: bool,
    pub is_string: bool,
}

pub(super) struct File {
    /// Relative to the root of the repository.
    pub path: PathBuf,
    pub text: String,
    /// Without `#[cfg(test)]` items.
    pub tokens: Vec<Token>,
}

impl File {
    pub(super) fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> io::Result<File> {
        let (path, text) = (path.into(), text.into());
        let mut tokens = Vec::new();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let stream = TokenStream::from_str(&text)
                .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
            flatten(stream, &mut tokens);
            tokens = without_tests(tokens);
        }
        Ok(File { path, text, tokens })
    }

    /// `src/circuit_breaker/core.rs` is `["circuit_breaker", "core"]`, `src/lib.rs` is empty.
    pub(super) fn module(&self) -> Vec<String> {
        let below = self.path.strip_prefix("src").unwrap_or(&self.path).with_extension("");
        let mut parts: Vec<String> =
            below.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        if matches!(parts.last().map(String::as_str), Some("mod" | "lib")) {
            parts.pop();
        }
        parts
    }

    /// The top folder or file below `src/`.
    pub(super) fn room(&self) -> String {
        self.module().into_iter().next().unwrap_or_else(|| "lib".into())
    }

    pub(super) fn is_source(&self) -> bool {
        self.path.starts_with("src") && !self.tokens.is_empty() && !self.path.ends_with("tests.rs")
    }
}

pub(super) struct Tree {
    pub files: Vec<File>,
}

impl Tree {
    /// Reads the files that the checks look at.
    pub(super) fn read(root: &Path) -> io::Result<Tree> {
        let mut paths = Vec::new();
        for folder in ["src", "tests", "docs", "examples", "benches", "crates"] {
            collect(&root.join(folder), &mut paths)?;
        }
        for file in ["README.md", "CHANGELOG.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
            paths.push(root.join(file));
        }
        paths.sort();
        let mut files = Vec::new();
        for path in paths.into_iter().filter(|path| path.exists()) {
            let relative = path.strip_prefix(root).unwrap_or(&path);
            files.push(File::new(relative, fs::read_to_string(&path)?)?);
        }
        Ok(Tree { files })
    }

    /// The library's own files, without test files.
    pub(super) fn sources(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_source())
    }

    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == Path::new(path))
    }
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) -> io::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if !path.ends_with("target") && !path.ends_with("ui") {
                collect(&path, into)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "md") {
            into.push(path);
        }
    }
    Ok(())
}

fn flatten(stream: TokenStream, into: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        let mut push = |text: String, is_ident, is_string| into.push(Token { text, line, is_ident, is_string });
        match tree {
            TokenTree::Ident(ident) => push(ident.to_string(), true, false),
            TokenTree::Punct(punct) => push(punct.as_char().to_string(), false, false),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                let is_string = text.ends_with('"') || text.ends_with('#');
                push(text, false, is_string);
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::None => ("", ""),
                };
                push(open.into(), false, false);
                flatten(group.stream(), into);
                let line = group.span_close().start().line;
                into.push(Token { text: close.into(), line, is_ident: false, is_string: false });
            }
        }
    }
}

/// Removes each item below `#[cfg(test)]`, up to its closing brace or semicolon.
fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    let is_test = |at: usize| {
        let texts: Vec<&str> = tokens[at..].iter().take(7).map(|token| token.text.as_str()).collect();
        texts == ["#", "[", "cfg", "(", "test", ")", "]"]
    };
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        if !is_test(at) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        at = end_of_item(&tokens, at + 7);
    }
    kept
}

fn end_of_item(tokens: &[Token], from: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth = depth.saturating_sub(1);
                if depth == 0 && token.text == "}" {
                    return at + 1;
                }
            }
            ";" | "," if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A tree of these files, for tests of the checks.
    pub(crate) fn tree(files: &[(&str, &str)]) -> Tree {
        let files = files.iter().map(|(path, text)| File::new(*path, *text).expect("it lexes")).collect();
        Tree { files }
    }

    #[test]
    fn test_items_are_left_out_and_what_follows_is_not() {
        let file = File::new("src/a.rs", "fn a() {} #[cfg(test)] mod tests { fn b() {} } fn c() {}").expect("it lexes");
        let names: Vec<&str> = file.tokens.iter().filter(|t| t.is_ident).map(|t| t.text.as_str()).collect();
        assert_eq!(names, ["fn", "a", "fn", "c"]);
    }

    #[test]
    fn the_module_of_a_file() {
        let module = |path: &str| File::new(path, "").expect("it lexes").module();
        assert_eq!(module("src/lib.rs"), Vec::<String>::new());
        assert_eq!(module("src/machine/retry/mod.rs"), ["machine", "retry"]);
        assert_eq!(module("src/name.rs"), ["name"]);
    }
}
