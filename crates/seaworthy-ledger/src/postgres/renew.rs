use std::time::Duration;

use seaworthy_store::StoreError;
use seaworthy_store::micros;
use seaworthy_store::postgres::{Read, corrupt};
use sqlx::Arguments;
use sqlx::postgres::PgArguments;

use crate::postgres::engine::Postgres;
use crate::store::{Holder, Renewal};

/// In one statement.
const MOST: usize = 500;

pub(super) async fn renew(postgres: &Postgres, leases: &[(Holder, Duration)]) -> Result<Vec<Renewal>, StoreError> {
    let mut renewals = Vec::with_capacity(leases.len());
    for leases in leases.chunks(MOST) {
        let bind = |arguments: &mut PgArguments| {
            let of = |part: fn(&Holder) -> &str| leases.iter().map(|(holder, _)| part(holder)).collect::<Vec<_>>();
            arguments.add(of(|holder| holder.key.scope()))?;
            arguments.add(of(|holder| holder.key.value()))?;
            // A fence that does not fit was never given out, and no row has the one below zero.
            let fences = leases.iter().map(|(holder, _)| i64::try_from(holder.fence).unwrap_or(-1));
            arguments.add(fences.collect::<Vec<_>>())?;
            let owners = leases.iter().map(|(holder, _)| holder.owner.to_be_bytes().to_vec());
            arguments.add(owners.collect::<Vec<_>>())?;
            arguments.add(leases.iter().map(|(_, lease)| micros::of(*lease)).collect::<Vec<_>>())
        };
        let rows = postgres.store.rows("renew", &postgres.statements.renew, bind).await?;
        if rows.len() != leases.len() {
            return Err(corrupt("renew", "the statement gave another number of rows than it was asked"));
        }
        for row in &rows {
            renewals.push(renewal(Read::of("renew", row))?);
        }
    }
    Ok(renewals)
}

fn renewal(read: Read<'_>) -> Result<Renewal, StoreError> {
    Ok(match (read.get("renewed")?, read.get("locked")?) {
        (true, _) => Renewal::Renewed,
        (false, true) => Renewal::Locked,
        (false, false) => Renewal::Lost,
    })
}
