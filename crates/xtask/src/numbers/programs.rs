//! The programs: one for each side of each row, because what else is in a program moves its times.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::rows::{Kind, Row};
use crate::cargo;

/// Where the functions are, below the root.
const PACKAGE: &str = "benches/rows";

/// How the library is named in that package's manifest.
const LIBRARY: &str = "seaworthy = { path = \"../..\"";

/// The codegen units of a release build: as many as one may ask for, and as many as cargo takes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Units {
    One,
    Sixteen,
}

impl Units {
    pub(crate) const BOTH: [Units; 2] = [Units::One, Units::Sixteen];

    pub(crate) fn number(self) -> u8 {
        match self {
            Units::One => 1,
            Units::Sixteen => 16,
        }
    }

    fn profile(self) -> String {
        format!("units-{}", self.number())
    }
}

/// Which checkout's library the programs are built with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Library<'a> {
    /// The one of this workspace.
    Here,
    /// The one of another checkout, to compare with.
    At(&'a Path),
}

/// Which functions of a row are wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sides {
    Ours,
    OursAndFloor,
    All,
}

/// A function of a row to be built as a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Program {
    function: &'static str,
    feature: Option<&'static str>,
    is_number: bool,
}

/// The programs of some rows, once they are built.
#[derive(Debug)]
pub(crate) struct Programs {
    target: PathBuf,
    prefix: &'static str,
}

impl Programs {
    /// The program of one function.
    pub(crate) fn path(&self, function: &str, units: Units) -> PathBuf {
        self.target.join(units.profile()).join(name(self.prefix, function))
    }

    /// Builds the programs of these rows; those that do not compile with another checkout are missing then.
    pub(crate) fn build(
        root: &Path,
        library: Library<'_>,
        rows: &[&Row],
        units: &[Units],
        sides: Sides,
    ) -> Result<Programs, String> {
        let wanted: BTreeSet<Program> = rows.iter().flat_map(|row| of(row, sides)).collect();
        let (prefix, checkout) = match library {
            Library::Here => ("", root),
            Library::At(other) => ("other-", other),
        };
        let folder = root.join("target/numbers").join(format!("{prefix}package"));
        let programs = Programs { target: root.join("target/numbers/build"), prefix };
        write_package(root, checkout, &folder, prefix, &wanted)?;
        for units in units {
            for program in &wanted {
                // What no longer compiles must not be measured as it was.
                let _ = fs::remove_file(programs.path(program.function, *units));
            }
            for feature in wanted.iter().map(|program| program.feature).collect::<BTreeSet<_>>() {
                let with_it = wanted.iter().filter(|program| program.feature == feature);
                let names: Vec<String> = with_it.map(|program| name(prefix, program.function)).collect();
                programs.compile(&folder, *units, feature, &names)?;
            }
        }
        Ok(programs)
    }

    fn compile(&self, folder: &Path, units: Units, feature: Option<&str>, names: &[String]) -> Result<(), String> {
        let mut command = cargo::command(folder);
        // Whatever the environment asks for would be measured, too.
        command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        command.args(["build", "--quiet", "--profile", &units.profile(), "--target-dir"]).arg(&self.target);
        command.args(feature.into_iter().flat_map(|feature| ["--features", feature]));
        command.args(names.iter().flat_map(|name| ["--bin", name]));
        // Another checkout may not have all that this one has.
        let is_here = self.prefix.is_empty();
        if !is_here {
            command.arg("--keep-going").stderr(Stdio::null());
        }
        let status = command.status().map_err(|error| format!("cargo does not start: {error}"))?;
        let is_built = |name: &String| self.target.join(units.profile()).join(name).exists();
        if status.success() || (!is_here && names.iter().any(is_built)) {
            return Ok(());
        }
        Err(format!("the programs in {} do not compile", folder.display()))
    }
}

fn of(row: &Row, sides: Sides) -> Vec<Program> {
    let program = |function| Program { function, feature: row.feature, is_number: matches!(row.kind, Kind::Number(_)) };
    let floor = row.floor.filter(|_| sides != Sides::Ours);
    let peers = row.peers.iter().filter(|_| sides == Sides::All).map(|peer| peer.1);
    std::iter::once(row.ours).chain(floor).chain(peers).map(program).collect()
}

/// `ours::stack_open` is `ours-stack-open`.
fn name(prefix: &str, function: &str) -> String {
    format!("{prefix}{}", function.replace("::", "-").replace('_', "-"))
}

/// Writes a package with one program for each function. It is the one in `benches/rows` in all but that.
fn write_package(
    root: &Path,
    checkout: &Path,
    folder: &Path,
    prefix: &str,
    programs: &BTreeSet<Program>,
) -> Result<(), String> {
    let package = root.join(PACKAGE).canonicalize().map_err(|error| format!("{PACKAGE}: {error}"))?;
    let checkout = checkout.canonicalize().map_err(|error| format!("{}: {error}", checkout.display()))?;
    let manifest = read(&package.join("Cargo.toml"))?;
    if !manifest.contains(LIBRARY) {
        return Err(format!("{PACKAGE}/Cargo.toml has no line with `{LIBRARY}`"));
    }
    let library = format!("seaworthy = {{ path = {:?}", checkout.display().to_string());
    let mut manifest = manifest.replace(LIBRARY, &library);
    for program in programs {
        let name = name(prefix, program.function);
        manifest.push_str(&format!("\n[[bin]]\nname = \"{name}\"\npath = \"{name}.rs\"\n"));
        write(&folder.join(format!("{name}.rs")), &main(&package, *program))?;
    }
    write(&folder.join("Cargo.toml"), &manifest)?;
    let lock = folder.join("Cargo.lock");
    // Another checkout may need other versions, which cargo then adds to its lock file; ours are as they are written.
    if prefix.is_empty() || !lock.exists() { write(&lock, &read(&package.join("Cargo.lock"))?) } else { Ok(()) }
}

/// The program's only file: the module of its function, and nothing of the others.
fn main(package: &Path, program: Program) -> String {
    let (module, _) = program.function.split_once("::").unwrap_or((program.function, ""));
    let module_file = [format!("src/{module}.rs"), format!("src/{module}/mod.rs")].map(|file| package.join(file));
    let module_file = module_file.iter().find(|file| file.exists()).unwrap_or(&module_file[0]);
    let kit = package.join("src/kit.rs");
    let run = if program.is_number { "print" } else { "measure" };
    format!(
        "#![allow(dead_code, unused, unreachable_pub)]\n#[path = {kit:?}]\nmod kit;\n#[path = {module_file:?}]\n\
         mod {module};\n\nfn main() {{\n    kit::{run}({}());\n}}\n",
        program.function
    )
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Leaves a file alone that says so already: cargo goes by its time.
fn write(path: &Path, text: &str) -> Result<(), String> {
    if fs::read_to_string(path).is_ok_and(|known| known == text) {
        return Ok(());
    }
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder.and_then(|()| fs::write(path, text)).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::super::rows::{GUARDED, ROWS};
    use super::*;

    #[test]
    fn each_row_has_a_name_of_its_own_and_each_function_is_there() {
        let names: BTreeSet<&str> = ROWS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), ROWS.len());
        assert!(GUARDED.iter().all(|name| names.contains(name)));
        for program in ROWS.iter().flat_map(|row| of(row, Sides::All)) {
            let (module, function) = program.function.split_once("::").expect("a module and a function");
            let text = [format!("{module}.rs"), format!("{module}/mod.rs")]
                .into_iter()
                .find_map(|file| fs::read_to_string(cargo::root().join(PACKAGE).join("src").join(file)).ok());
            let text = text.unwrap_or_else(|| panic!("there is no module {module}"));
            assert!(text.contains(&format!("pub fn {function}()")), "{}", program.function);
        }
    }

    #[test]
    fn ours_alone_or_with_more() {
        let row = &ROWS[0];
        assert_eq!(of(row, Sides::Ours).len(), 1);
        assert_eq!(of(row, Sides::OursAndFloor).len(), 2);
        assert_eq!(of(row, Sides::All).len(), 2 + row.peers.len());
        assert_eq!(name("other-", "ours::stack_open"), "other-ours-stack-open");
    }
}
