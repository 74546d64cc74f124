mod postgres {
    use seaworthy_drills::jobs::InPostgres;
    use seaworthy_faults::postgres::Schema;
    use seaworthy_faults::worker::Journals;

    use crate::crowd::Crowd;
    use crate::scenarios::tests_of_jobs;

    fn crowd(args: &[&str]) -> Crowd<InPostgres> {
        let schema = Schema::new();
        Crowd::new(Journals::new(), schema.url(), args, schema)
    }

    tests_of_jobs!(InPostgres, crowd);
}

mod redis {
    use seaworthy_drills::jobs::InRedis;
    use seaworthy_faults::redis::{Persistence, Redis};
    use seaworthy_faults::worker::Journals;

    use crate::crowd::Crowd;
    use crate::scenarios::tests_of_jobs;

    fn crowd(args: &[&str]) -> Crowd<InRedis> {
        let server = Redis::start(Persistence::Always);
        Crowd::new(Journals::new(), server.url(), args, server)
    }

    tests_of_jobs!(InRedis, crowd);
}
