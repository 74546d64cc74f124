use seaworthy_drills::postgres::PostgresSchema;
use seaworthy_faults::postgres::Schema;
use seaworthy_faults::worker::Journals;

use crate::processes::{Place, tests_of_processes};

/// A schema in a Postgres.
struct InSchema {
    schema: Schema,
    journals: Journals,
}

impl Place for InSchema {
    type Database = PostgresSchema;

    fn new() -> InSchema {
        InSchema { schema: Schema::new(), journals: Journals::new() }
    }

    fn journals(&self) -> &Journals {
        &self.journals
    }

    fn url(&self) -> String {
        self.schema.url()
    }
}

tests_of_processes!(InSchema);
