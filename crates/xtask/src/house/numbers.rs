//! Each numbered statement has a test that begins with its number; each event has a row in the table of metrics.

use std::collections::BTreeSet;

use super::source::Tree;
use super::{Finding, rules};

/// The numbers at the start of list items: `- CB-07 ..`.
fn stated(text: &str) -> impl Iterator<Item = (usize, String)> {
    text.lines().enumerate().filter_map(|(at, line)| {
        let number = line.strip_prefix("- ")?.split([' ', ',']).next()?;
        is_number(number).then(|| (at + 1, number.to_owned()))
    })
}

fn is_number(word: &str) -> bool {
    let Some((prefix, digits)) = word.split_once('-') else { return false };
    (2..=3).contains(&prefix.len())
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

pub(super) fn numbers(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut tested = BTreeSet::new();
    for file in tree.files.iter().filter(|file| file.path.extension().is_some_and(|ext| ext == "rs")) {
        tested.extend(proven(&file.text));
    }
    if let Some(behaviour) = tree.file("docs/behaviour.md") {
        let mut seen = BTreeSet::new();
        for (line, number) in stated(&behaviour.text) {
            // A number that appears twice is explained further down.
            if seen.insert(number.clone()) && !tested.contains(&number) {
                findings.push(Finding::new(&behaviour.path, line, format!("no test begins with {number}")));
            }
        }
    }
    findings.extend(events(tree));
    findings
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
