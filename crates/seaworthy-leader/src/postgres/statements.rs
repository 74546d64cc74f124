use seaworthy_store::TableNames;
use seaworthy_store::postgres::Statement;

/// The statements with their tables' names filled in.
pub(super) struct Statements {
    pub(super) acquire: Statement,
    pub(super) guard: Statement,
    pub(super) guard_limits: Statement,
    pub(super) read: Statement,
    pub(super) release: Statement,
    pub(super) renew: Statement,
}

impl Statements {
    pub(super) fn new(names: &TableNames) -> Statements {
        let fill = |text| Statement::new(names, text);
        Statements {
            acquire: fill(include_str!("acquire.sql")),
            guard: fill(include_str!("guard.sql")),
            guard_limits: fill(include_str!("guard_limits.sql")),
            read: fill(include_str!("read.sql")),
            release: fill(include_str!("release.sql")),
            renew: fill(include_str!("renew.sql")),
        }
    }
}
