//! Tests of seaworthy's companions against real servers, which are started for them: `cargo test -p seaworthy-drills
//! --features servers`. There is nothing in this package but its tests.
