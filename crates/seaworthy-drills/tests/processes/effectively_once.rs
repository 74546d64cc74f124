//! The side effect and its record in one transaction.

use std::collections::BTreeSet;
use std::time::Duration;

use seaworthy_drills::database::Database;
use seaworthy_faults::seed::Seed;

use crate::processes::{LIMIT, Place, notes};

const KILLS: usize = 20;
const KEYS: usize = 400;

/// Each of these keys, and no other, has had its side effect once.
async fn assert_once_each(space: &impl Place, keys: usize) {
    let database = space.database().await;
    let mut connection = database.connect().await;
    let effects = database.effects(&mut connection).await;
    let repeated: Vec<_> = effects.iter().filter(|(_, times)| *times != 1).collect();
    assert!(repeated.is_empty(), "not once: {repeated:?}");
    let found: BTreeSet<String> = effects.into_iter().map(|(key, _)| key).collect();
    assert_eq!(found, (0..keys).map(|key| key.to_string()).collect::<BTreeSet<_>>());
}

/// LG-34: a worker dies at each named point around the claim, the side effect in the same file, the completion and the
/// commit; whoever comes after it finds what it left, and the side effect has happened exactly once for the key.
pub(crate) async fn at_each_named_point<P: Place>() {
    for point in ["before-claim", "after-claim", "after-begin", "after-effect", "after-complete", "after-commit"] {
        let space = P::new();
        let journal = tokio::task::block_in_place(|| {
            let die_at = format!("--die-at={point}");
            space.worker("first", "work", &["--keys=1", "--in-transaction", &die_at]).wait_aborted(LIMIT);
            space.finish(&["--keys=1", "--in-transaction"]);
            space.journals().read()
        });
        let grants = notes(&journal, "first", "claimed").len() + notes(&journal, "finisher", "claimed").len();
        let expected = if matches!(point, "before-claim" | "after-commit") { 1 } else { 2 };
        println!("{point}: {grants} grants");
        assert_eq!(grants, expected, "{point}");
        assert_once_each(&space, 1).await;
    }
}

/// LG-34: workers are killed at 20 random instants, each while it works on many keys; when all work is done the side
/// effect has happened exactly once for each key.
pub(crate) async fn at_random_instants<P: Place>() {
    let space = P::new();
    let seed = Seed::from_env();
    let args: [&str; 2] = [&format!("--keys={KEYS}"), "--in-transaction"];
    let journal = tokio::task::block_in_place(|| {
        let mut instants = seed.rng("instants");
        for kill in 0..KILLS {
            let name = format!("victim-{kill}");
            let victim = space.worker(&name, "work", &args);
            space.journals().wait_for(LIMIT, |line| line.worker == name && line.entry.is_note("ready"));
            std::thread::sleep(instants.duration(Duration::ZERO..Duration::from_millis(40)));
            victim.kill9();
        }
        space.finish(&args);
        space.journals().read()
    });
    let (mut settled, mut died_in_it) = (0, 0);
    for kill in 0..KILLS {
        let name = format!("victim-{kill}");
        let (claims, ends) = (notes(&journal, &name, "claimed").len(), notes(&journal, &name, "settled").len());
        settled += ends;
        died_in_it += claims - ends;
    }
    println!("{KILLS} killed: {settled} keys settled before, {died_in_it} of them killed with a claim in hand");
    assert!(died_in_it > 0, "none was killed in the middle of anything");
    assert_once_each(&space, KEYS).await;
}
