use std::time::Duration;

use seaworthy_store::postgres::Read;
use seaworthy_store::{StoreError, micros};
use sqlx::Arguments;
use sqlx::postgres::PgArguments;

use crate::postgres::engine::Postgres;
use crate::postgres::read;
use crate::store::{Answers, Renewal, RowTime, Tenure};

pub(super) async fn renew(
    postgres: &Postgres,
    tenures: &[Tenure],
    ttl: Duration,
    begin_by: RowTime,
) -> Result<Answers<Renewal>, StoreError> {
    let bind = |arguments: &mut PgArguments| {
        arguments.add(tenures.iter().map(|tenure| tenure.name.as_str()).collect::<Vec<_>>())?;
        arguments.add(tenures.iter().map(|tenure| tenure.term.to_be_bytes().to_vec()).collect::<Vec<_>>())?;
        // An epoch that does not fit was never given out, and no row has the one below zero.
        let epochs = tenures.iter().map(|tenure| i64::try_from(tenure.epoch).unwrap_or(-1));
        arguments.add(epochs.collect::<Vec<_>>())?;
        arguments.add(micros::of(ttl))?;
        arguments.add(begin_by.0)
    };
    let rows = postgres.store.rows("renew", &postgres.statements.renew, bind).await?;
    read::answers("renew", &rows, tenures.len(), renewal)
}

fn renewal(read: Read<'_>) -> Result<Renewal, StoreError> {
    if read.get("late")? {
        return Ok(Renewal::Late);
    }
    Ok(match (read.get("renewed")?, read.get("locked")?) {
        (true, _) => Renewal::Renewed,
        (false, true) => Renewal::Locked,
        (false, false) => Renewal::Lost,
    })
}
