//! What the compiler says about the commonest mistakes: each program in tests/ui must not compile, and its `//~` lines
//! are what the message must contain.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program, and the words that the compiler's message must contain.
struct Mistake {
    name: String,
    words: Vec<String>,
}

fn mistakes(folder: &Path) -> Vec<Mistake> {
    let files = fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("it can be read").path());
    let mut found: Vec<Mistake> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("it can be read");
            let words = text.lines().filter_map(|line| line.strip_prefix("//~ ")).map(str::to_owned).collect();
            Mistake { name: path.file_stem().expect("it has a name").to_string_lossy().into_owned(), words }
        })
        .collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

/// Everything the compiler says about one program, or nothing if it compiles.
fn message(folder: &Path, target: &Path, name: &str) -> Option<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(folder).args(["check", "--quiet", "--locked", "--bin", name, "--target-dir"]).arg(target);
    let output = command.output().expect("cargo runs");
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

/// HC-21, HC-19: each of the commonest mistakes fails to compile, and the message says what to write instead.
#[test]
fn say_what_to_write() {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("a workspace").into();
    let (folder, target) = (root.join("tests/ui"), root.join("target/ui"));
    let mistakes = mistakes(&folder);
    assert!(mistakes.len() >= 6);
    for Mistake { name, words } in mistakes {
        assert!(!words.is_empty(), "{name} says nothing of what it must be told");
        let message = message(&folder, &target, &name).unwrap_or_else(|| panic!("{name} compiles"));
        for word in words {
            assert!(message.contains(&word), "{name} is not told `{word}`, but:\n{message}");
        }
    }
}
