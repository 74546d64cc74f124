//! Random choices.

use std::time::Duration;

use seaworthy_faults::seed::Seed;

/// FK-09: one seed and purpose is one row of choices; another seed, or another purpose, is another.
#[test]
fn a_seed_decides_every_choice() {
    let choices = |seed: u64, purpose: &str| {
        let mut rng = Seed::new(seed).rng(purpose);
        let mut order: Vec<u32> = (0..20).collect();
        rng.shuffle(&mut order);
        let time = rng.duration(Duration::from_millis(5)..Duration::from_secs(1));
        (rng.next_u64(), rng.below(1_000_000), *rng.pick(&order), time, order)
    };
    assert_eq!(choices(42, "kills"), choices(42, "kills"));
    assert_ne!(choices(42, "kills"), choices(43, "kills"));
    assert_ne!(choices(42, "kills"), choices(42, "delays"));
    // The same on every machine and in every version: a seed in an old log still means something.
    assert_eq!(Seed::new(42).rng("kills").below(1_000_000), FIRST_OF_42);
}

const FIRST_OF_42: u64 = 689_780;

/// FK-09: choices are as even as chance has it, and stay within their bounds.
#[test]
fn choices_are_even_and_within_bounds() {
    let mut rng = Seed::new(7).rng("dice");
    let mut seen = [0_u32; 6];
    for _ in 0..60_000 {
        seen[usize::try_from(rng.below(6)).expect("it is small")] += 1;
    }
    assert!(seen.iter().all(|times| (9_500..10_500).contains(times)), "{seen:?}");
    assert!((0..1_000).all(|_| rng.below(1) == 0));
    assert!((0..1_000).all(|_| rng.one_in(1)));
    let heads = (0..10_000).filter(|_| rng.one_in(2)).count();
    assert!((4_700..5_300).contains(&heads), "{heads}");

    let range = Duration::from_millis(1)..Duration::from_millis(2);
    assert!((0..1_000).all(|_| range.contains(&rng.duration(range.clone()))));
    assert!(std::panic::catch_unwind(|| Seed::new(1).rng("a").below(0)).is_err());
    assert!(std::panic::catch_unwind(|| Seed::new(1).rng("a").duration(Duration::ZERO..Duration::ZERO)).is_err());

    let mut order: Vec<u32> = (0..100).collect();
    rng.shuffle(&mut order);
    assert_ne!(order, (0..100).collect::<Vec<_>>());
    order.sort_unstable();
    assert_eq!(order, (0..100).collect::<Vec<_>>());
}

/// FK-09: the seed is printed; given again it repeats the run, and without it each run is another.
#[test]
#[cfg(unix)]
fn a_printed_seed_repeats_the_run() {
    use std::collections::BTreeSet;
    use std::process::Command;

    let run = |variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fault-worker"));
        command.arg("draw").env_remove("SEAWORTHY_SEED").env_remove("SEAWORTHY_DRILL_SECONDS");
        let output = command.envs(variables.iter().copied()).output().expect("it runs");
        (output.status.success(), String::from_utf8(output.stdout).expect("it is text"))
    };
    let mut seeds = BTreeSet::new();
    for _ in 0..5 {
        let (_, first) = run(&[]);
        assert!(first.ends_with(" for 10s\n"), "{first}");
        let seed = first.lines().next().and_then(|line| line.rsplit_once("SEAWORTHY_SEED=")).expect("it is printed").1;
        assert_eq!(run(&[("SEAWORTHY_SEED", seed)]), (true, first.clone()));
        seeds.insert(seed.to_owned());
    }
    assert!(seeds.len() >= 3, "{seeds:?}");
    assert!(run(&[("SEAWORTHY_DRILL_SECONDS", "300")]).1.ends_with(" for 300s\n"));
    assert!(!run(&[("SEAWORTHY_SEED", "forty-two")]).0);
}
