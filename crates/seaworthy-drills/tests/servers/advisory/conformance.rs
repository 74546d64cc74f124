use std::time::Duration;

use seaworthy_leader::conformance::{self, ElectorSubject};
use seaworthy_leader::postgres::PgAdvisory;

use super::support::Place;

#[derive(Clone)]
struct InPostgres;

impl ElectorSubject for InPostgres {
    type Elector = PgAdvisory;

    async fn candidates(&self, number: usize) -> Vec<PgAdvisory> {
        let place = Place::new().await;
        (0..number).map(|_| place.elector()).collect()
    }

    async fn pass(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}

/// LE-01: electors by advisory locks pass the suite that all are held to.
#[tokio::test(flavor = "multi_thread")]
async fn advisory_conforms() {
    conformance::run_elector(&InPostgres).await;
}
