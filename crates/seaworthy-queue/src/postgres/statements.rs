use seaworthy_store::TableNames;
use seaworthy_store::postgres::Statement;

/// The statements with their tables' names filled in.
pub(super) struct Statements {
    pub(super) cancel: Statement,
    pub(super) dead_discard: Statement,
    pub(super) dead_get: Statement,
    pub(super) dead_list: Statement,
    pub(super) dead_redrive: Statement,
    pub(super) dead_sweep: Statement,
    pub(super) depth: Statement,
    pub(super) enqueue: Statement,
    pub(super) extend: Statement,
    pub(super) settle_ack: Statement,
    pub(super) settle_dead: Statement,
    pub(super) settle_wait: Statement,
    pub(super) take: Statement,
}

impl Statements {
    pub(super) fn new(names: &TableNames) -> Statements {
        let fill = |text| Statement::new(names, text);
        Statements {
            cancel: fill(include_str!("cancel.sql")),
            dead_discard: fill(include_str!("dead_discard.sql")),
            dead_get: fill(include_str!("dead_get.sql")),
            dead_list: fill(include_str!("dead_list.sql")),
            dead_redrive: fill(include_str!("dead_redrive.sql")),
            dead_sweep: fill(include_str!("dead_sweep.sql")),
            depth: fill(include_str!("depth.sql")),
            enqueue: fill(include_str!("enqueue.sql")),
            extend: fill(include_str!("extend.sql")),
            settle_ack: fill(include_str!("settle_ack.sql")),
            settle_dead: fill(include_str!("settle_dead.sql")),
            settle_wait: fill(include_str!("settle_wait.sql")),
            take: fill(include_str!("take.sql")),
        }
    }
}
