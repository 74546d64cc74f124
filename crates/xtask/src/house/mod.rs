//! The invariants of the code base, each held by a check that names the file and line that break it.

mod doors;
mod features;
mod files;
mod graph;
mod imports;
mod names;
mod numbers;
pub(crate) mod rules;
mod source;
mod words;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use source::Tree;

/// Where and how a rule is broken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    file: PathBuf,
    line: usize,
    what: String,
}

impl Finding {
    fn new(file: &Path, line: usize, what: impl Into<String>) -> Finding {
        Finding { file: file.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.what)
    }
}

type Check = (&'static str, fn(&Tree) -> Vec<Finding>);

const CHECKS: [Check; 10] = [
    ("pure-machine", doors::pure_machine),
    ("direction", graph::direction),
    ("defining-module", imports::defining_module),
    ("doors", doors::doors),
    ("one-walk-of-sources", doors::one_walk_of_sources),
    ("few-cfgs", features::few_cfgs),
    ("one-name-one-type", names::one_name_one_type),
    ("words", words::words),
    ("short-files", files::short_files),
    ("numbers", numbers::numbers),
];

/// Runs the checks of these names, or all.
pub(crate) fn run(root: &Path, names: &[String]) -> ExitCode {
    if let Some(unknown) = names.iter().find(|name| CHECKS.iter().all(|(known, _)| known != name)) {
        eprintln!("there is no check `{unknown}`; there are: {}", CHECKS.map(|(name, _)| name).join(", "));
        return ExitCode::from(2);
    }
    let asked = || CHECKS.iter().filter(|(name, _)| names.is_empty() || names.iter().any(|asked| asked == name));
    let tree = match Tree::read(root) {
        Ok(tree) => tree,
        Err(error) => {
            eprintln!("cannot read {}: {error}", root.display());
            return ExitCode::from(2);
        }
    };
    let mut broken = 0;
    for (name, check) in asked() {
        let findings = check(&tree);
        println!(
            "{name}: {}",
            if findings.is_empty() { "holds".into() } else { format!("{} findings", findings.len()) }
        );
        for finding in &findings {
            println!("  {finding}");
        }
        broken += usize::from(!findings.is_empty());
    }
    if broken > 0 {
        println!("{broken} of {} are broken", asked().count());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
