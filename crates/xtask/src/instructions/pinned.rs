//! The file, and the comparison with it.

use std::fmt::Write;

use crate::numbers::Counted;

/// How far a count may be from the one that is written down, either way.
const MARGIN: f64 = 0.03;

const HEAD: &str = "\
# Instructions and allocations a call, by `cargo xtask instructions`, which fails when one is off by more than 3 %,
# and writes this file with `--bless`. First the compiler, for they hold for no other; then the row, codegen units,
# instructions, allocations.
";

/// Counts, and the compiler that they are of.
#[derive(Debug, PartialEq)]
pub(crate) struct Pinned {
    pub compiler: String,
    pub counts: Vec<Counted>,
}

impl Pinned {
    pub(crate) fn read(text: &str) -> Result<Pinned, String> {
        let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let compiler = lines.next().ok_or("it is empty")?.to_owned();
        let counts: Option<Vec<Counted>> = lines.map(count).collect();
        Ok(Pinned { compiler, counts: counts.ok_or("a line is not `ROW UNITS INSTRUCTIONS ALLOCATIONS`")? })
    }

    pub(crate) fn write(&self) -> String {
        format!("{HEAD}{}\n{}", self.compiler, self.table())
    }

    pub(crate) fn table(&self) -> String {
        self.counts.iter().fold(String::new(), |mut table, Counted { row, units, instructions, allocations }| {
            let _ = writeln!(table, "{row} {units} {instructions:.1} {allocations:.2}");
            table
        })
    }

    /// Fails, and says what to do, if another compiler was at work.
    pub(crate) fn is_of(&self, compiler: &str) -> Result<(), String> {
        if self.compiler == compiler {
            return Ok(());
        }
        let toolchain = self.compiler.split(' ').nth(1).unwrap_or("that");
        Err(format!(
            "instructions: the counts that are written down are of\n    {}\nand this is\n    {compiler}\nNothing can be \
             said of one by the other. Either use that compiler (cargo +{toolchain} xtask instructions), or, on a commit \
             whose counts hold with it,\nwrite those of this one down (cargo xtask instructions --bless) and commit them \
             with the change of the compiler.",
            self.compiler
        ))
    }

    /// Where what was counted is not what is written down.
    pub(crate) fn findings(&self, counted: &[Counted]) -> Vec<String> {
        let find = |all: &[Counted], one: &Counted| {
            all.iter().find(|other| (&other.row, other.units) == (&one.row, one.units)).cloned()
        };
        let mut findings = Vec::new();
        for pinned in &self.counts {
            match find(counted, pinned) {
                Some(counted) => findings.extend(differences(pinned, &counted)),
                None => findings.push(format!("{}: is written down, but was not counted", title(pinned))),
            }
        }
        let unknown = counted.iter().filter(|counted| find(&self.counts, counted).is_none());
        findings.extend(unknown.map(|counted| format!("{}: is not written down (--bless)", title(counted))));
        findings
    }
}

fn count(line: &str) -> Option<Counted> {
    let mut words = line.split(' ');
    let (row, units) = (words.next()?.to_owned(), words.next()?.parse().ok()?);
    let (instructions, allocations) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    words.next().is_none().then_some(Counted { row, units, instructions, allocations })
}

fn title(Counted { row, units, .. }: &Counted) -> String {
    format!("{row}, {units} codegen unit{}", if *units == 1 { "" } else { "s" })
}

fn differences(pinned: &Counted, counted: &Counted) -> Vec<String> {
    let pairs = [
        ("instructions", pinned.instructions, counted.instructions),
        ("allocations", pinned.allocations, counted.allocations),
    ];
    let mut differences = Vec::new();
    for (what, pinned_count, count) in pairs {
        // What is written down is rounded.
        if (count - pinned_count).abs() <= MARGIN * pinned_count + 0.01 {
            continue;
        }
        let change = if count > pinned_count {
            "more than"
        } else {
            "fewer, which is good: write it down (--bless), so that it stays; it was"
        };
        differences.push(format!("{}: {count:.1} {what} a call, {change} {pinned_count:.1}", title(pinned)));
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(row: &str, units: u8, instructions: f64, allocations: f64) -> Counted {
        Counted { row: row.into(), units, instructions, allocations }
    }

    fn pinned() -> Pinned {
        Pinned {
            compiler: "rustc 1.2.3 (abc 2026-01-01) x86_64".into(),
            counts: vec![of("closed", 1, 100.0, 0.0), of("full", 16, 200.0, 1.0)],
        }
    }

    fn findings(closed: (f64, f64), full: (f64, f64)) -> Vec<String> {
        pinned().findings(&[of("closed", 1, closed.0, closed.1), of("full", 16, full.0, full.1)])
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(Pinned::read(&pinned().write()), Ok(pinned()));
        for wrong in
            ["", "# only a comment\n", "rustc\nclosed 1 100\n", "rustc\nclosed 1 100 0 0\n", "rustc\nclosed a 1 1\n"]
        {
            assert!(Pinned::read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn within_the_margin() {
        assert_eq!(findings((100.0, 0.0), (200.0, 1.0)), Vec::<String>::new());
        assert_eq!(findings((103.0, 0.0), (194.0, 1.0)), Vec::<String>::new());
    }

    #[test]
    fn more_is_a_finding() {
        let found = findings((103.1, 0.0), (200.0, 1.0));
        assert_eq!(found, ["closed, 1 codegen unit: 103.1 instructions a call, more than 100.0"]);
        let found = findings((100.0, 0.1), (200.0, 2.0));
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|finding| finding.contains("allocations")), "{found:?}");
    }

    /// Or the next one to make it slower again would have room for it.
    #[test]
    fn fewer_is_one_too_and_says_what_to_do() {
        let found = findings((96.9, 0.0), (200.0, 0.0));
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|finding| finding.contains("(--bless)")), "{found:?}");
    }

    #[test]
    fn a_row_that_is_missing_on_either_side() {
        let found = pinned().findings(&[of("closed", 1, 100.0, 0.0), of("full", 1, 200.0, 1.0)]);
        assert_eq!(
            found,
            [
                "full, 16 codegen units: is written down, but was not counted",
                "full, 1 codegen unit: is not written down (--bless)",
            ]
        );
        assert_eq!(pinned().findings(&[]).len(), 2);
    }

    #[test]
    fn another_compiler_is_never_passed_over() {
        assert_eq!(pinned().is_of("rustc 1.2.3 (abc 2026-01-01) x86_64"), Ok(()));
        for other in ["rustc 1.2.4 (abd 2026-02-01) x86_64", "rustc 1.2.3 (abc 2026-01-01) aarch64"] {
            let said = pinned().is_of(other).expect_err("it is another");
            assert!(said.contains(other) && said.contains("cargo +1.2.3") && said.contains("--bless"), "{said}");
        }
    }

    #[test]
    fn the_file_has_each_row_for_each_build() {
        let text = std::fs::read_to_string(crate::cargo::root().join(super::super::FILE)).expect("it can be read");
        let pinned = Pinned::read(&text).expect("it is well-formed");
        let expected: Vec<(&str, u8)> =
            crate::numbers::guarded().iter().flat_map(|row| [(row.name, 1), (row.name, 16)]).collect();
        let written: Vec<(&str, u8)> = pinned.counts.iter().map(|count| (count.row.as_str(), count.units)).collect();
        assert_eq!(written, expected);
    }
}
