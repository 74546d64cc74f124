//! Keeps a transaction that writes open, for as long as it lives.

use std::future::pending;

use seaworthy_drills::database::Database;
use seaworthy_drills::options::Options;
use seaworthy_faults::journal::{Entry, Writer};

pub(crate) async fn run<D: Database>(options: &Options) {
    let database = D::open(options.store()).await;
    database.prepare().await;
    let mut connection = database.connect().await;
    database.begin(&mut connection).await;
    database.effect(&mut connection, "never", 0).await;
    Writer::from_args().write(Entry::note("writing"));
    pending::<()>().await;
}
