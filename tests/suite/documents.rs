//! What the README and the examples claim.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The target of each link, whether inline or in a definition.
fn targets(text: &str) -> Vec<&str> {
    let inline = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let below = text.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: ")).map(|(_, target)| target);
    inline.chain(below).collect()
}

/// DX-01: the README is also the crate's documentation, where a link relative to the repository leads nowhere. Files of
/// this repository that it links to exist, and are part of the package.
#[test]
fn dx_01_links_work_wherever_the_readme_is_shown() {
    const OWN: &str = "https://docs.rs/crate/seaworthy/latest/source/";
    let readme = read("README.md");
    let manifest = read("Cargo.toml");
    let excluded = manifest.lines().find(|line| line.starts_with("exclude = ")).unwrap();
    let excluded: Vec<&str> = excluded.split('"').skip(1).step_by(2).collect();
    let mut own = 0;
    for target in targets(&readme) {
        assert!(target.starts_with("https://") || target.starts_with('#') || target.starts_with("crate::"), "{target}");
        if let Some(path) = target.strip_prefix(OWN) {
            own += 1;
            assert!(root().join(path).is_file(), "{path} is not there");
            assert!(!excluded.iter().any(|folder| path.starts_with(folder)), "{path} is not in the package");
        }
    }
    assert!(own >= 3, "{own}");
}

/// DX-02: a feature is found by its usual name on the first screen; the tables of costs are elsewhere.
#[test]
fn dx_02_the_first_screen_says_what_there_is() {
    let readme = read("README.md");
    let screen = readme.lines().take(30).collect::<Vec<_>>().join("\n").to_lowercase();
    for word in [
        "circuit breaker",
        "sliding window",
        "half-open",
        "permitted calls",
        "bulkhead",
        "semaphore",
        "retry",
        "timeout",
    ] {
        assert!(screen.contains(word), "no {word}");
    }
    assert!(!readme.contains("| floor |") && read("docs/benchmarks.md").contains("| floor |"));
}

/// DX-03: there is a section for users of each, with their defaults beside ours.
#[test]
fn dx_03_coming_from() {
    let page = read("docs/coming-from.md");
    for library in ["resilience4j", "Polly", "tower's own layers", "tower-resilience"] {
        assert!(page.contains(&format!("\n## From {library}\n")), "{library}");
    }
    for row in page.lines().filter(|line| line.starts_with('|')) {
        assert!(matches!(row.matches('|').count(), 4 | 5), "{row}");
    }
}

/// DX-04: all examples are run with the same profile, and those that need features with all of them, so that none
/// rebuilds everything.
#[test]
fn dx_04_one_build_for_all_examples() {
    let mut texts = vec![read("README.md")];
    let mut examples = 0;
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.join("Cargo.toml").is_file() {
            continue; // a package of its own, with a profile of its own
        }
        let main = if path.is_dir() { path.join("main.rs") } else { path };
        if main.extension().is_some_and(|extension| extension == "rs") {
            examples += 1;
            texts.push(read(&main));
        }
    }
    assert!(examples >= 9);
    for text in texts {
        assert!(text.contains("cargo run --release"), "{text}");
        for line in text.lines().filter(|line| line.contains("cargo run ") && line.contains("--example ")) {
            let (_, options) = line.split_once("cargo run ").unwrap();
            let (options, _) = options.split_once("--example ").unwrap();
            assert!(matches!(options, "--release " | "--release --all-features "), "{line}");
        }
    }
}
