use seaworthy_store::TableNames;
use seaworthy_store::postgres::Statement;

/// The statements with their tables' names filled in.
pub(super) struct Statements {
    pub(super) claim: Statement,
    pub(super) claim_in: Statement,
    pub(super) completion: Statement,
    pub(super) keep_step: Statement,
    pub(super) lookup: Statement,
    pub(super) renew: Statement,
    pub(super) settle: Statement,
    pub(super) settle_in: Statement,
    pub(super) stale: Statement,
    pub(super) step: Statement,
    pub(super) store_in: Statement,
    pub(super) sweep: Statement,
}

impl Statements {
    pub(super) fn new(names: &TableNames) -> Statements {
        let fill = |text| Statement::new(names, text);
        Statements {
            claim: fill(include_str!("claim.sql")),
            claim_in: fill(include_str!("claim_in.sql")),
            completion: fill(include_str!("completion.sql")),
            keep_step: fill(include_str!("keep_step.sql")),
            lookup: fill(include_str!("lookup.sql")),
            renew: fill(include_str!("renew.sql")),
            settle: fill(include_str!("settle.sql")),
            settle_in: fill(include_str!("settle_in.sql")),
            stale: fill(include_str!("stale.sql")),
            step: fill(include_str!("step.sql")),
            store_in: fill(include_str!("store_in.sql")),
            sweep: fill(include_str!("sweep.sql")),
        }
    }
}
