//! Each numbered statement has a test that begins with its number; each event has a row in the table of metrics.

use std::collections::BTreeSet;
use std::path::Path;

use super::source::{File, Tree};
use super::{Finding, rules};

/// The numbers at the start of list items: `- CB-07 ..`.
fn stated(text: &str) -> impl Iterator<Item = (usize, String)> {
    text.lines().enumerate().filter_map(|(at, line)| {
        let number = line.strip_prefix("- ")?.split([' ', ',']).next()?;
        is_number(number).then(|| (at + 1, number.to_owned()))
    })
}

/// `CB-07`, or `CO-08a` where a statement was split after others had been numbered.
fn is_number(word: &str) -> bool {
    let Some((prefix, digits)) = word.split_once('-') else { return false };
    let digits = digits.strip_suffix(|last: char| last.is_ascii_lowercase()).unwrap_or(digits);
    (1..=3).contains(&prefix.len())
        && prefix.bytes().all(|byte| byte.is_ascii_uppercase())
        && !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The numbers at the start of doc comments: `/// CB-07: ..`, `/// RN-03, RN-05: ..`.
fn proven(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in text.lines() {
        let line = line.trim_start();
        let Some(comment) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else { continue };
        let head = comment.split_once(": ").map_or(comment, |(head, _)| head);
        let words = head.split([',', ' ', '/']).filter(|word| !word.is_empty());
        for word in words {
            if let Some((first, last)) = word.split_once("..").filter(|(first, _)| is_number(first)) {
                found.insert(first.to_owned());
                found.insert(last.trim_start_matches('=').to_owned());
            }
            if is_number(word) {
                found.insert(word.to_owned());
            }
        }
    }
    found
}

/// The number of each statement of the library is in a test of the repository; that of a statement of a package below
/// `crates/` in a test of these packages, because what takes several processes is shown by one for another.
pub(super) fn numbers(tree: &Tree) -> Vec<Finding> {
    let is_rust = |file: &&File| file.path.extension().is_some_and(|extension| extension == "rs");
    let tested = |files: &mut dyn Iterator<Item = &File>| -> BTreeSet<String> {
        files.filter(is_rust).flat_map(|file| proven(&file.text)).collect()
    };
    let everywhere = tested(&mut tree.files.iter());
    let in_packages = tested(&mut tree.files.iter().filter(|file| is_of_a_package(&file.path)));
    let mut findings = Vec::new();
    if let Some(behaviour) = tree.file("docs/behaviour.md") {
        findings.extend(without_a_test(behaviour, &everywhere));
    }
    for behaviour in tree.files.iter().filter(|file| is_behaviour_of_a_package(&file.path)) {
        if stated(&behaviour.text).next().is_none() {
            findings.push(Finding::new(&behaviour.path, 1, "states nothing: no item of a list begins with a number"));
        }
        findings.extend(without_a_test(behaviour, &in_packages));
    }
    findings.extend(events(tree));
    findings
}

/// `crates/<package>/docs/behaviour.md`
fn is_behaviour_of_a_package(path: &Path) -> bool {
    path.starts_with("crates") && path.components().count() == 4 && path.ends_with("docs/behaviour.md")
}

/// Below `crates/<package>/src` or `crates/<package>/tests`, but for this program's own, whose examples of statements
/// prove nothing.
fn is_of_a_package(path: &Path) -> bool {
    let mut parts = path.components().map(|part| part.as_os_str());
    let (first, package, folder) = (parts.next(), parts.next(), parts.next());
    first.is_some_and(|first| first == "crates")
        && package.is_some_and(|package| package != "xtask")
        && folder.is_some_and(|folder| folder == "src" || folder == "tests")
}

fn without_a_test(behaviour: &File, tested: &BTreeSet<String>) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    stated(&behaviour.text)
        // A number that appears twice is explained further down.
        .filter(|(_, number)| seen.insert(number.clone()) && !tested.contains(number))
        .map(|(line, number)| Finding::new(&behaviour.path, line, format!("no test begins with {number}")))
        .collect()
}

/// The variants of the event enums, by file.
fn events(tree: &Tree) -> Vec<Finding> {
    let Some(table) = tree.file("docs/metrics.md") else { return Vec::new() };
    let mut findings = Vec::new();
    for file in tree.sources().filter(|file| file.path.starts_with("src/observe/event")) {
        let tokens = &file.tokens;
        let enums = (0..tokens.len().saturating_sub(1))
            .filter(|&at| tokens[at].text == "enum" && tokens[at + 1].text.ends_with("Event"));
        for start in enums {
            let owner = &tokens[start + 1].text;
            let mut depth = 0_usize;
            for at in start..tokens.len() {
                match tokens[at].text.as_str() {
                    "{" | "(" | "[" => depth += 1,
                    "}" | ")" | "]" => {
                        depth -= 1;
                        if depth == 0 && tokens[at].text == "}" {
                            break;
                        }
                    }
                    _ => {}
                }
                let follows = at > 0 && matches!(tokens[at - 1].text.as_str(), "{" | "," | "]");
                // `Pattern(PatternEvent<'a>)` holds an enum whose own variants have the rows.
                let holds_an_enum =
                    tokens.get(at + 2).is_some_and(|inner| inner.text == format!("{}Event", tokens[at].text));
                let is_variant = depth == 1 && tokens[at].is_ident && follows && !holds_an_enum;
                let name = format!("{owner}::{}", tokens[at].text);
                if is_variant && !table.text.contains(&name) && !rules::EVENTS_WITHOUT_A_METRIC.contains(&name.as_str())
                {
                    let what = format!("`{name}` has no row in docs/metrics.md, and no reason in the rules");
                    findings.push(Finding::new(&file.path, tokens[at].line, what));
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
    fn a_statement_without_a_test_is_found() {
        let broken = tree(&[
            ("docs/behaviour.md", "- CB-01 Closed.\n- CB-02 Opens.\n- CB-01 Again.\n"),
            ("tests/suite/a.rs", "/// CB-01: a new one is closed.\nfn a() {}\n// CB-02 is mentioned only.\n"),
        ]);
        let findings = numbers(&broken);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].what.contains("CB-02"));
    }

    #[test]
    fn a_statement_of_a_package_without_a_test_is_found() {
        let broken = tree(&[
            ("crates/ledger/docs/behaviour.md", "- LG-01 One.\n- LG-02 Two.\n- CO-08a A.\n- FK-09b B.\n- LG-40 C.\n"),
            (
                "crates/ledger/src/row.rs",
                "/// LG-01: one.\nfn a() {}\n/// CO-08: is another statement than CO-08a.\nfn b() {}",
            ),
            ("crates/ledger/tests/suite/a.rs", "/// FK-09b: b.\nfn a() {}"),
            ("crates/drills/tests/suite/crash.rs", "/// LG-40: another package shows it.\nfn a() {}"),
            // None of these is a test of a package.
            ("tests/suite/a.rs", "/// LG-02: the library knows nothing of it.\nfn a() {}"),
            ("crates/xtask/src/a.rs", "/// LG-02: is an example.\nfn a() {}"),
            ("crates/ledger/examples/a.rs", "/// LG-02: shows it.\nfn a() {}"),
        ]);
        let findings: Vec<String> = numbers(&broken).iter().map(ToString::to_string).collect();
        assert_eq!(
            findings,
            [
                "crates/ledger/docs/behaviour.md:2: no test begins with LG-02",
                "crates/ledger/docs/behaviour.md:3: no test begins with CO-08a",
            ]
        );
    }

    #[test]
    fn a_behaviour_that_states_nothing_is_found() {
        let broken = tree(&[("crates/ledger/docs/behaviour.md", "# Behaviour\n\n- See elsewhere.\n")]);
        assert_eq!(numbers(&broken).len(), 1);
        let elsewhere = tree(&[("crates/ledger/docs/old/behaviour.md", "# Behaviour\n")]);
        assert_eq!(numbers(&elsewhere), []);
    }

    #[test]
    fn an_event_without_a_metric_is_found() {
        let broken = tree(&[
            ("docs/metrics.md", "| `RetryEvent::Built` |"),
            ("src/observe/event/mod.rs", "pub enum Event<'a> { Retry(RetryEvent<'a>) }"),
            (
                "src/observe/event/retry.rs",
                "pub enum RetryEvent<'a> { #[x] Built { name: &'a str, }, Odd { a: u8 }, }\nenum LateEvent { Late {} }",
            ),
        ]);
        let findings = numbers(&broken);
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings[0].what.contains("RetryEvent::Odd") && findings[1].what.contains("LateEvent::Late"));
    }
}
