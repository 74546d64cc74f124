//! A process that leads when it can: `lead`, and one that keeps others from a file: `lock`.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use seaworthy::{BoxError, Event, Runner};
use seaworthy_faults::journal::{Entry, Writer};
use seaworthy_leader::{LeaderGuard, Term};

use super::late::Late;
use super::resource::Resource;
use super::settings;
use super::work::{Work, work};

/// What all candidates want to lead.
pub(super) const NAME: &str = "drill";

/// What the arguments of this process say, by name.
fn find(name: &str) -> Option<String> {
    std::env::args()
        .skip(1)
        .find_map(|arg| Some(arg.strip_prefix("--")?.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
}

fn span(name: &str) -> Option<Duration> {
    let text = find(name)?;
    let millis = text.parse().unwrap_or_else(|error| panic!("--{name}={text}: {error}"));
    Some(Duration::from_millis(millis))
}

/// Runs a guard until SIGTERM.
#[expect(private_bounds, reason = "it is called with the databases that there are")]
pub async fn lead<D: Resource + 'static>(url: &str) {
    let journal = Arc::new(Writer::from_args());
    let database = Arc::new(D::open(url).await);
    let notes = Arc::clone(&journal);
    let builder = settings::apply(database.elector(), span);
    let elector = builder.observer(move |event: &Event<'_>| note(&notes, event)).build();
    let elector = elector.unwrap_or_else(|error| panic!("{error}"));
    let bound = u64::try_from(elector.failover_bound().as_millis()).unwrap_or(u64::MAX);
    let every = span("every").unwrap_or(Duration::from_millis(20));
    let late = Late::new(Arc::clone(&database), elector.store().clone(), Arc::clone(&journal), every);
    let written = Arc::clone(&journal);
    let guard = LeaderGuard::new(elector.clone(), NAME, move |term: Term<D::Leases>| {
        late.begin(term.epoch(), term.ended());
        work(Work { database: Arc::clone(&database), journal: Arc::clone(&written), every }, term)
    });
    let ready = Arc::clone(&journal);
    let ended = async {
        // Nothing is routed to this process that would have to be routed elsewhere first.
        let runner = Runner::builder().drain_delay(Duration::ZERO).build()?;
        // From here on SIGTERM is heard.
        ready.write(Entry::note("ready").with("bound", bound));
        runner.start(guard.into_task())?;
        runner.run().await?;
        Ok::<(), BoxError>(())
    };
    ended.await.unwrap_or_else(|error| panic!("{error:?}"));
    elector.close().await;
    journal.write(Entry::note("closed"));
}

/// Writes down what the elector tells: `campaigning`, `elected`, `told`, `released`, `expired`, and what goes wrong.
fn note(journal: &Writer, event: &Event<'_>) {
    let Event::Extension(event) = event else { return };
    let mut entry = Entry::note(event.kind());
    event.fields(&mut |name, value| {
        let held = std::mem::replace(&mut entry, Entry::note(""));
        entry = held.with(name, value.to_string());
    });
    journal.write(entry);
}

/// Keeps a transaction that writes open, for as long as it lives.
#[expect(private_bounds, reason = "it is called with the databases that there are")]
pub async fn lock<D: Resource>(url: &str) {
    let database = D::open(url).await;
    let mut connection = database.connect().await;
    database.begin(&mut connection).await;
    Writer::from_args().write(Entry::note("locked"));
    pending::<()>().await;
}

/// Does what the first argument says if it is one of these, in a runtime of its own. Whether it was.
pub fn run() -> bool {
    let task = std::env::args().nth(1).unwrap_or_default();
    if task != "lead" && task != "lock" {
        return false;
    }
    let url = find("store").unwrap_or_else(|| panic!("--store= is missing"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        match (url.split(':').next(), task.as_str()) {
            (Some("sqlite"), "lead") => lead::<crate::sqlite::SqliteFile>(&url).await,
            (Some("sqlite"), _) => lock::<crate::sqlite::SqliteFile>(&url).await,
            #[cfg(feature = "servers")]
            (Some("postgres"), "lead") => lead::<crate::postgres::PostgresSchema>(&url).await,
            _ => panic!("this program was not built with the store that it was given, or cannot lock it"),
        }
    });
    true
}
