//! The invariants of ARCHITECTURE.md, each held by a check that names the file and the line that breaks it.

mod doors;
mod features;
mod files;
mod graph;
mod imports;
mod names;
mod numbers;
mod rules;
mod source;
mod words;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use source::Tree;

/// Where a rule is broken, and how.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
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

/// Names as ARCHITECTURE.md gives them.
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

pub fn run(root: &Path) -> ExitCode {
    let tree = match Tree::read(root) {
        Ok(tree) => tree,
        Err(error) => {
            eprintln!("cannot read {}: {error}", root.display());
            return ExitCode::from(2);
        }
    };
    let mut broken = 0;
    for (name, check) in CHECKS {
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
        println!("{broken} of {} invariants are broken; ARCHITECTURE.md says what each is for", CHECKS.len());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
