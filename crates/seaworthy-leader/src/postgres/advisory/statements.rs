use std::sync::Arc;

use seaworthy_store::TableNames;
use seaworthy_store::postgres::Statement;

/// What is asked, with the table's name filled in.
///
/// # Clone
/// Costs a reference count.
#[derive(Clone, Debug)]
pub(super) struct Statements(Arc<All>);

#[derive(Debug)]
pub(super) struct All {
    pub(super) try_lock: Statement,
    pub(super) raise: Statement,
    pub(super) ping: Statement,
    pub(super) give_back: Statement,
    pub(super) who_leads: Statement,
    pub(super) fence: Statement,
}

impl Statements {
    pub(super) fn new(names: &TableNames) -> Statements {
        let statement = |text| Statement::new(names, text);
        Statements(Arc::new(All {
            try_lock: statement(include_str!("try_lock.sql")),
            raise: statement(include_str!("raise.sql")),
            ping: statement(include_str!("ping.sql")),
            give_back: statement(include_str!("give_back.sql")),
            who_leads: statement(include_str!("who_leads.sql")),
            fence: statement(include_str!("fence.sql")),
        }))
    }
}

impl std::ops::Deref for Statements {
    type Target = All;

    fn deref(&self) -> &All {
        &self.0
    }
}
