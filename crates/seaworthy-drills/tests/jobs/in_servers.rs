mod postgres {
    use seaworthy_drills::jobs::store::InPostgres;

    use crate::short::tests_of_jobs;

    tests_of_jobs!(InPostgres);

    #[test]
    fn terminated() {
        short::terminated();
    }
}

mod redis {
    use seaworthy_drills::jobs::store::InRedis;

    use crate::short::tests_of_jobs;

    tests_of_jobs!(InRedis);

    #[test]
    fn without_persistence() {
        short::without_persistence();
    }
}
