//! What the program `jobs` does.

use seaworthy_faults::seed::Seed;

use super::drill;
use super::row::{self, Row};
use super::setup::{Setup, Size};
use super::store::{InSqlite, JobStore};
use crate::verdict::Verdict;

/// A store by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// A file.
    Sqlite,
    /// A Postgres.
    #[cfg(feature = "servers")]
    Postgres,
    /// A Redis.
    #[cfg(feature = "servers")]
    Redis,
}

/// A run, as its arguments ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// On which store.
    pub store: Store,
    /// How much is done.
    pub size: Size,
    /// Only the crash test, with so many jobs.
    pub jobs: Option<usize>,
    /// What decides all random choices; none: that of the environment, or else any.
    pub seed: Option<u64>,
}

impl Program {
    /// Reads the arguments.
    ///
    /// # Errors
    /// If one is not known, or is not what it should be: what there is instead.
    pub fn read(args: impl IntoIterator<Item = String>) -> Result<Program, String> {
        let mut program = Program { store: Store::Sqlite, size: Size::Long, jobs: None, seed: None };
        for arg in args {
            let number = |text: &str| text.parse().map_err(|error| format!("{arg}: {error}"));
            match arg.split_once('=').unwrap_or((&arg, "")) {
                ("--short", "") => program.size = Size::Short,
                ("--store", "sqlite") => program.store = Store::Sqlite,
                #[cfg(feature = "servers")]
                ("--store", "postgres") => program.store = Store::Postgres,
                #[cfg(feature = "servers")]
                ("--store", "redis") => program.store = Store::Redis,
                ("--seed", text) => program.seed = Some(number(text)?),
                ("--jobs", text) => match text.parse() {
                    Ok(jobs @ 1..=1_000_000) => program.jobs = Some(jobs),
                    _ => return Err(format!("{arg}? A number of jobs is wanted, 1 to 1,000,000.")),
                },
                _ => {
                    return Err(format!(
                        "{arg}? There are --short, --jobs=N, --seed=N, --store=sqlite and, with the feature `servers`, \
                         --store=postgres and --store=redis."
                    ));
                }
            }
        }
        Ok(program)
    }

    /// Runs the drills and prints their table. Whether all held that could be run.
    ///
    /// # Panics
    /// If this program cannot be found.
    pub fn run(&self) -> bool {
        let seed = self.seed.map_or_else(Seed::from_env, Seed::new);
        let program = std::env::current_exe().expect("a program is a file");
        let setup = Setup { program, seed, size: self.size };
        let rows = match self.store {
            Store::Sqlite => self.rows::<InSqlite>(&setup),
            #[cfg(feature = "servers")]
            Store::Postgres => self.rows::<super::store::InPostgres>(&setup),
            #[cfg(feature = "servers")]
            Store::Redis => self.rows::<super::store::InRedis>(&setup),
        };
        println!("\n{}", row::head());
        for row in &rows {
            println!("{row}");
        }
        let count = |is_it: fn(&Verdict) -> bool| rows.iter().filter(|row| is_it(&row.verdict)).count();
        let failed = count(|verdict| matches!(verdict, Verdict::Failed(_)));
        let not_here = count(|verdict| matches!(verdict, Verdict::NotHere(_)));
        println!("{} held, {not_here} not run on this store, {failed} failed", rows.len() - failed - not_here);
        failed == 0
    }

    fn rows<J: JobStore>(&self, setup: &Setup) -> Vec<Row> {
        if let Some(jobs) = self.jobs {
            return vec![drill::crash::<J>(setup, jobs)];
        }
        // What mostly waits runs beside the rest.
        std::thread::scope(|scope| {
            let away = scope.spawn(|| drill::backend_away::<J>(setup));
            let mut rows = vec![
                drill::killed::<J>(setup),
                drill::stopped::<J>(setup),
                drill::blips::<J>(setup),
                self.without_persistence(),
                self.terminated(setup),
                drill::poison::<J>(setup),
                drill::exactly::<J>(setup),
                drill::rolling::<J>(setup),
                drill::crash::<J>(setup, 500),
                drill::all_killed::<J>(setup),
                drill::redriven::<J>(setup),
            ];
            if self.size == Size::Long {
                rows.push(drill::crash::<J>(setup, 2_000));
            }
            rows.push(away.join().expect("a drill's panic is in its row"));
            rows
        })
    }

    fn without_persistence(&self) -> Row {
        #[cfg(feature = "servers")]
        if self.store == Store::Redis {
            return drill::without_persistence();
        }
        Row::not_here("DR-13", "Redis without persistence killed -9 and restarted", "this is no Redis")
    }

    fn terminated(&self, setup: &Setup) -> Row {
        #[cfg(feature = "servers")]
        if self.store == Store::Postgres {
            return drill::terminated(setup);
        }
        let _only_there = setup;
        Row::not_here("DR-14", "all backends terminated every second for 10 s", "this is no Postgres")
    }
}
