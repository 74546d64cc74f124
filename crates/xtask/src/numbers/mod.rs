//! The table of docs/benchmarks.md: what each row costs, beside its floor and its peers, and whether it is what it is
//! to be. Each side of each row is a program of its own, built with 1 and with 16 codegen units.

mod document;
mod programs;
mod rows;
mod run;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use programs::{Library, Programs, Sides, Units};
use rows::{GUARDED, ROWS, Row};
use table::{Compared, Measured};

pub(crate) const USAGE: &str = "\
       cargo xtask numbers [ROW...]   what rows cost, beside floors and peers, as a table
           --list                     the names of the rows
           --runs N                   processes of each side, of which the fastest counts; else 7
           --against PATH             beside the library of another checkout, in time and in instructions
           --only time|instructions   with --against, one of the two; without it, instructions beside the floors
           --bless                    writes the table, and those of benches/peers, into docs/benchmarks.md";

/// What is asked for.
#[derive(Debug, PartialEq)]
struct Options {
    rows: Vec<String>,
    runs: u32,
    against: Option<PathBuf>,
    time: bool,
    instructions: bool,
    list: bool,
    bless: bool,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Options, String> {
        let mut options = Options {
            rows: Vec::new(),
            runs: 7,
            against: None,
            time: true,
            instructions: true,
            list: false,
            bless: false,
        };
        let mut rest = arguments.iter().map(String::as_str);
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument {
                "--list" => options.list = true,
                "--bless" => options.bless = true,
                "--runs" => options.runs = value()?.parse().map_err(|_| "--runs needs a number")?,
                "--against" => options.against = Some(value()?.into()),
                "--only" => match value()? {
                    "time" => options.instructions = false,
                    "instructions" => options.time = false,
                    other => return Err(format!("--only time or instructions, not {other}")),
                },
                name if ROWS.iter().any(|row| row.name == name) => options.rows.push(name.into()),
                other => return Err(format!("there is no row or option `{other}`; --list names the rows")),
            }
        }
        if options.runs == 0 {
            return Err("--runs needs a number that is not zero".into());
        }
        if options.bless && !(options.rows.is_empty() && options.against.is_none()) {
            return Err("--bless writes all rows of this checkout, and no others".into());
        }
        if options.bless && !options.time {
            return Err("--bless writes times".into());
        }
        Ok(options)
    }

    fn rows(&self) -> Vec<&'static Row> {
        let is_wanted = |row: &&Row| self.rows.is_empty() || self.rows.iter().any(|name| name == row.name);
        ROWS.iter().filter(is_wanted).collect()
    }
}

/// Runs the command.
pub(crate) fn run(root: &Path, arguments: &[String]) -> ExitCode {
    let done = Options::parse(arguments).and_then(|options| {
        if options.list {
            ROWS.iter().for_each(|row| println!("{:<16} {}", row.name, row.title));
            return Ok(());
        }
        match &options.against {
            Some(other) => against(root, other, &options),
            None if options.time => measure(root, &options),
            None => instructions(root, &options),
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn measure(root: &Path, options: &Options) -> Result<(), String> {
    let rows = options.rows();
    let programs = Programs::build(root, Library::Here, &rows, &Units::BOTH, Sides::All)?;
    let mut measured = Vec::new();
    for row in rows {
        eprintln!("{}", row.name);
        measured.push((row, of(&programs, row, options.runs)?));
    }
    let table = table::table(&measured);
    print!("{table}");
    if options.bless { document::write(root, &table) } else { Ok(()) }
}

/// All sides of a row, in turn, so that a noisy moment hits all of them.
fn of(programs: &Programs, row: &Row, runs: u32) -> Result<Vec<Measured>, String> {
    let functions: Vec<&str> =
        std::iter::once(row.ours).chain(row.floor).chain(row.peers.iter().map(|peer| peer.1)).collect();
    let units: &[Units] = if row.is_timed() { &Units::BOTH } else { &[Units::Sixteen] };
    let mut times = vec![vec![f64::INFINITY; functions.len()]; units.len()];
    for _ in 0..if row.is_timed() { runs } else { 1 } {
        for (units, times) in units.iter().zip(&mut times) {
            for (function, time) in functions.iter().zip(times) {
                let program = programs.path(function, *units);
                *time = time.min(if row.is_timed() { run::time(&program)? } else { run::print(&program)? });
            }
        }
    }
    let measured = times.into_iter().map(|times| {
        let (floor, peers) = times[1..].split_at(usize::from(row.floor.is_some()));
        Measured { ours: times[0], floor: floor.first().copied(), peers: peers.to_vec() }
    });
    Ok(measured.collect())
}

/// Ours with the library of another checkout, and with this one's.
fn against(root: &Path, other: &Path, options: &Options) -> Result<(), String> {
    let rows: Vec<&Row> = options.rows().into_iter().filter(|row| row.is_timed()).collect();
    if options.instructions {
        run::need_valgrind()?;
    }
    let build = |library| Programs::build(root, library, &rows, &Units::BOTH, Sides::Ours);
    let [other, here] = [build(Library::At(other))?, build(Library::Here)?];
    let mut compared = Vec::new();
    for row in rows {
        if Units::BOTH.iter().any(|units| !other.path(row.ours, *units).exists()) {
            eprintln!("{}: does not compile there", row.name);
            continue;
        }
        eprintln!("{}", row.name);
        let of_units =
            |units| compare(options, units, &[&other, &here].map(|programs: &Programs| programs.path(row.ours, units)));
        compared.push((row, Units::BOTH.into_iter().map(of_units).collect::<Result<_, _>>()?));
    }
    print!("{}", table::comparison(["there", "here"], &compared));
    Ok(())
}

/// Instructions of ours beside those of the floors.
fn instructions(root: &Path, options: &Options) -> Result<(), String> {
    run::need_valgrind()?;
    let rows: Vec<&Row> = options.rows().into_iter().filter(|row| row.is_timed()).collect();
    let programs = Programs::build(root, Library::Here, &rows, &Units::BOTH, Sides::OursAndFloor)?;
    let mut compared = Vec::new();
    for row in rows {
        let Some(floor) = row.floor else { continue };
        eprintln!("{}", row.name);
        let of_units = |units| compare(options, units, &[floor, row.ours].map(|side| programs.path(side, units)));
        compared.push((row, Units::BOTH.into_iter().map(of_units).collect::<Result<_, _>>()?));
    }
    print!("{}", table::comparison(["floor", "seaworthy"], &compared));
    Ok(())
}

/// Two programs, in what the options ask for.
fn compare(options: &Options, units: Units, programs: &[PathBuf; 2]) -> Result<Compared, String> {
    let mut time = [f64::INFINITY; 2];
    for _ in 0..if options.time { options.runs } else { 0 } {
        for (program, time) in programs.iter().zip(&mut time) {
            *time = time.min(run::time(program)?);
        }
    }
    let count = || Ok::<_, String>([run::instructions(&programs[0])?, run::instructions(&programs[1])?]);
    let instructions = if options.instructions { Some(count()?) } else { None };
    Ok(Compared { units, time: options.time.then_some(time), instructions })
}

/// Instructions and allocations a call, of ours.
pub(crate) fn counts(root: &Path, rows: &[&Row]) -> Result<Vec<Counted>, String> {
    run::need_valgrind()?;
    let programs = Programs::build(root, Library::Here, rows, &Units::BOTH, Sides::Ours)?;
    let mut counted = Vec::new();
    for row in rows {
        for units in Units::BOTH {
            let program = programs.path(row.ours, units);
            let (instructions, allocations) = (run::instructions(&program)?, run::allocations(&program)?);
            counted.push(Counted { row: row.name.into(), units: units.number(), instructions, allocations });
        }
    }
    Ok(counted)
}

/// What a call of a row costs, by valgrind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Counted {
    pub row: String,
    pub units: u8,
    pub instructions: f64,
    pub allocations: f64,
}

/// The rows of the guard.
pub(crate) fn guarded() -> Vec<&'static Row> {
    ROWS.iter().filter(|row| GUARDED.contains(&row.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, String> {
        Options::parse(&arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn what_may_be_asked_for() {
        assert_eq!(parse(&[]).expect("nothing is everything").rows().len(), ROWS.len());
        let two = parse(&["open", "closed", "--runs", "3"]).expect("they are rows");
        let names: Vec<&str> = two.rows().iter().map(|row| row.name).collect();
        assert_eq!((names, two.runs), (vec!["closed", "open"], 3));
        let only = parse(&["--against", "..", "--only", "time"]).expect("they go together");
        assert_eq!((only.time, only.instructions), (true, false));
        let only = parse(&["--only", "instructions"]).expect("it goes alone");
        assert_eq!((only.time, only.instructions), (false, true));
        for wrong in [
            &["none-such"][..],
            &["--runs"],
            &["--runs", "0"],
            &["--only", "instructions", "--bless"],
            &["--against", "..", "--only", "both"],
            &["--bless", "closed"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
