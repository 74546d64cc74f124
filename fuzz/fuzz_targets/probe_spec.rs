//! Any description of a probe gives a spec that works, or an error, in TOML and in JSON: `fuzz/run 60 probe_spec`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seaworthy::prober::{ExecProbe, GrpcProbe, HttpProbe, ProbeKind, ProbeSpec, Prober, Scheme, TcpProbe};

fuzz_target!(|text: &str| {
    match toml::from_str::<ProbeSpec>(text) {
        Ok(spec) => use_it(spec),
        Err(error) => assert!(!error.message().is_empty()),
    }
    match serde_json::from_str::<ProbeSpec>(text) {
        Ok(spec) => use_it(spec),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

/// A spec is accepted by the probe it is for, except `https`, which needs a custom client.
fn use_it(spec: ProbeSpec) {
    let ProbeSpec { kind, policy } = spec;
    let prober = Prober::builder().build().expect("a prober");
    match kind {
        ProbeKind::Http(get) => match HttpProbe::new(get.clone()) {
            Ok(probe) => drop(prober.add("a", policy, probe).expect("a target")),
            Err(error) => assert!(format!("{get:?}").contains(&format!("{:?}", Scheme::Https)), "{get:?}: {error}"),
        },
        ProbeKind::Tcp(connect) => drop(prober.add("a", policy, TcpProbe::new(connect).expect("a probe"))),
        ProbeKind::Exec(exec) => drop(prober.add("a", policy, ExecProbe::new(exec).expect("a probe"))),
        ProbeKind::Grpc(health) => {
            drop(prober.add("a", policy, GrpcProbe::new(health).expect("a probe")).expect("a target"))
        }
        _ => {}
    }
}
