use std::time::Duration;

use seaworthy_store::postgres::{Read, corrupt};
use seaworthy_store::{StoreError, micros};
use sqlx::Arguments;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgRow};

use crate::postgres::engine::Postgres;
use crate::postgres::rows::plain;
use crate::store::{Held, Holder, Settlement};

/// An acknowledgement: the delivery, and for how many microseconds its id is remembered.
pub(super) type Ack = (Holder, Option<i64>);

pub(super) async fn extend(
    postgres: &Postgres,
    holders: &[Holder],
    visibility: Duration,
) -> Result<Vec<Held>, StoreError> {
    let bind = |arguments: &mut PgArguments| {
        add_all(arguments, postgres, holders.iter())?;
        arguments.add(micros::of(visibility))
    };
    let rows = postgres.store.rows("extend", &postgres.statements.extend, bind).await?;
    held("extend", &rows, holders.len())
}

/// All in one statement, and each only if it is its holder's.
async fn ack(postgres: &Postgres, acks: Vec<Ack>) -> Result<Vec<Held>, StoreError> {
    let bind = |arguments: &mut PgArguments| {
        add_all(arguments, postgres, acks.iter().map(|(holder, _)| holder))?;
        arguments.add(acks.iter().map(|(_, remember)| *remember).collect::<Vec<_>>())
    };
    let rows = postgres.store.rows("settle", &postgres.statements.settle_ack, bind).await?;
    held("settle", &rows, acks.len())
}

/// The deliveries, column by column.
fn add_all<'h>(
    arguments: &mut PgArguments,
    postgres: &Postgres,
    holders: impl Iterator<Item = &'h Holder> + Clone,
) -> Result<(), BoxDynError> {
    arguments.add(postgres.name())?;
    arguments.add(holders.clone().map(|holder| holder.id.as_str()).collect::<Vec<_>>())?;
    arguments.add(holders.clone().map(|holder| holder.owner.to_be_bytes().to_vec()).collect::<Vec<_>>())?;
    arguments.add(holders.map(fence).collect::<Vec<_>>())
}

fn held(asked: &'static str, rows: &[PgRow], count: usize) -> Result<Vec<Held>, StoreError> {
    if rows.len() != count {
        return Err(corrupt(asked, "the statement gave another number of rows than it was asked"));
    }
    let held = |row| Ok(if Read::of(asked, row).get("held")? { Held::Yes } else { Held::Lost });
    rows.iter().map(held).collect()
}

pub(super) async fn settle(postgres: &Postgres, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
    let statements = &postgres.statements;
    let (statement, columns) = match settlement {
        Settlement::Ack { remember } => {
            let one = (holder.clone(), remember.map(micros::of));
            return postgres.acks.ask("settle", one, |all| ack(postgres, all)).await;
        }
        Settlement::Retry { after, reason } => {
            (&statements.settle_wait, Columns::Wait(*after, Some(plain(reason)), false))
        }
        Settlement::Defer { after } => (&statements.settle_wait, Columns::Wait(*after, None, true)),
        Settlement::Release => (&statements.settle_wait, Columns::Wait(Duration::ZERO, None, false)),
        Settlement::Dead { reason } => (&statements.settle_dead, Columns::Dead(plain(reason))),
    };
    let bind = |arguments: &mut PgArguments| {
        arguments.add(postgres.name())?;
        arguments.add(holder.id.as_str())?;
        arguments.add(holder.owner.to_be_bytes())?;
        arguments.add(fence(holder))?;
        columns.add_to(arguments)
    };
    let rows = postgres.store.rows("settle", statement, bind).await?;
    if rows.is_empty() {
        return Ok(Held::Lost);
    }
    if matches!(columns, Columns::Wait(..)) {
        postgres.changed();
    }
    Ok(Held::Yes)
}

/// No row has the one below zero.
fn fence(holder: &Holder) -> i64 {
    i64::try_from(holder.fence).unwrap_or(-1)
}

/// What the statements have beside the delivery.
enum Columns {
    Wait(Duration, Option<String>, bool),
    Dead(String),
}

impl Columns {
    fn add_to(&self, arguments: &mut PgArguments) -> Result<(), BoxDynError> {
        match self {
            Columns::Wait(after, reason, is_deferral) => {
                arguments.add(micros::of(*after))?;
                arguments.add(reason)?;
                arguments.add(is_deferral)
            }
            Columns::Dead(reason) => arguments.add(reason),
        }
    }
}
