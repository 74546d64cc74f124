use std::sync::Arc;

use seaworthy_store::TableNames;
use seaworthy_store::postgres::Statement;

use crate::postgres::statements::Statements as OfLeases;

/// The statements with their table's name filled in.
pub(super) struct Statements {
    pub(super) ping: Statement,
    pub(super) raise: Statement,
    pub(super) try_lock: Statement,
    /// What is asked of rows as an elector by leases asks it.
    pub(super) of_leases: Arc<OfLeases>,
}

impl Statements {
    pub(super) fn new(names: &TableNames) -> Statements {
        let fill = |text| Statement::new(names, text);
        Statements {
            ping: fill(include_str!("ping.sql")),
            raise: fill(include_str!("raise.sql")),
            try_lock: fill(include_str!("try_lock.sql")),
            of_leases: Arc::new(OfLeases::new(names)),
        }
    }
}
