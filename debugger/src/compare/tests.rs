use std::path::Path;

use wdb_vm::address::InstanceAddr;
use wdb_vm::exit::Exit;
use wdb_vm::tier::Tier;
use wdb_vm::value::Value;
use wdb_vm::vm::Vm;

use super::bisect::{Side, parting, run_to};
use super::{Comparing, Comparison, KeptOutput, Script, compare};
use crate::program::{Program, ProgramSource};
use crate::report::ComparisonReport;
use crate::session::{SessionOptions, StdinChoice};

fn sample(name: &str) -> ProgramSource {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let root = root.expect("the crate lies in the workspace");
    ProgramSource::File(root.join("samples").join(name))
}

fn options(args: &[&str]) -> SessionOptions {
    SessionOptions {
        args: args.iter().map(|&arg| arg.to_owned()).collect(),
        stdin: StdinChoice::Empty,
        ..SessionOptions::default()
    }
}

#[test]
fn tiers_agree_on_samples() {
    for (name, args) in [
        ("fib/fib.wasm", &["12"][..]),
        ("sort/sort.wasm", &[]),
        ("depot/depot.wasm", &[]),
        ("waves/waves.wasm", &[]),
        ("inventory/inventory.wasm", &[]),
    ] {
        let mut looks = 0;
        let comparison = compare(sample(name), options(args), &[], &mut |_| looks += 1);
        let comparison = comparison.expect("the sample opens");
        let text = comparison.text();
        assert!(comparison.agrees(), "{name}: {text}");
        assert!(text.contains("All tiers agree"), "{name}: {text}");
        assert!(looks >= comparison.report.tiers.len());
        let first = &comparison.report.tiers[0];
        assert!(first.ticks > 0, "{name}: {text}");
        for row in &comparison.report.tiers {
            assert_eq!(
                (row.ticks, &row.ended),
                (first.ticks, &first.ended),
                "{name}"
            );
            assert_eq!(row.memory_hash, first.memory_hash, "{name}");
        }
        assert!(comparison.json().contains("\"type\":\"comparison\""));
    }
}

#[test]
fn what_a_program_writes_is_kept_once() {
    let tiers = [Tier::Fast, Tier::Classic];
    let comparison = compare(sample("fib/fib.wasm"), options(&["3"]), &tiers, &mut |_| {});
    let comparison = comparison.expect("the sample opens");
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let lost = comparison.output().write(&mut stdout, &mut stderr);
    assert_eq!(lost.expect("memory takes it"), 0);
    let text = String::from_utf8(stdout).expect("text");
    assert_eq!(text.matches("fib(3) = 2").count(), 1, "{text}");
}

/// A comparison whose first tier has run.
fn recorded(name: &str, args: &[&str]) -> (Comparing, u64) {
    let options = options(args);
    let program = Program::open(sample(name), options.compile, Vec::new(), Vec::new());
    let comparing = Comparing {
        program: program.expect("the sample opens").into(),
        options,
        script: Script::default(),
        comparison: Comparison {
            report: ComparisonReport::default(),
            output: KeptOutput::default(),
        },
    };
    let (mut vm, _) = comparing.machine(Tier::Fast, true).expect("it begins");
    let exit = run_to(&mut vm, u64::MAX);
    assert!(!matches!(exit, Exit::Tick), "{exit:?}");
    (comparing, vm.time().tick)
}

fn side<'a>(
    comparing: &Comparing,
    tier: Tier,
    run: impl FnMut(&mut Vm, u64) -> Exit + 'a,
) -> Side<'a> {
    let (vm, _) = comparing.machine(tier, false).expect("it begins");
    Side {
        vm,
        run: Box::new(run),
    }
}

#[test]
fn the_tick_of_a_fault_is_found() {
    let (comparing, end) = recorded("fib/fib.wasm", &["12"]);
    for wrong_at in [2, 3, 100, end / 2, end - 1, end] {
        let mut a = side(&comparing, Tier::Classic, run_to);
        // A tier that changes what lies below the program's data at this tick, and runs on.
        let mut b = side(&comparing, Tier::Fast, |vm: &mut Vm, tick| {
            if vm.time().tick < wrong_at {
                let exit = run_to(vm, tick.min(wrong_at));
                if !matches!(exit, Exit::Tick) || tick < wrong_at {
                    return exit;
                }
                assert!(vm.write_memory(InstanceAddr(0), 0, 16, &[0xaa]));
            }
            run_to(vm, tick)
        });
        let found = parting(&mut a, &mut b, end).expect("they differ");
        assert_eq!(found.agreed + 1, wrong_at, "{found:?}");
        assert_eq!(found.what, "memory 0 holds 0x00 and 0xaa at 0x10");
    }
}

#[test]
fn machines_that_do_the_same_do_not_part() {
    let (comparing, end) = recorded("fib/fib.wasm", &["12"]);
    let mut a = side(&comparing, Tier::Classic, run_to);
    let mut b = side(&comparing, Tier::Classic, run_to);
    assert_eq!(parting(&mut a, &mut b, end), None);
    // The stack pointer is another one from a tick on.
    let mut a = side(&comparing, Tier::Classic, run_to);
    let mut b = side(&comparing, Tier::Fast, |vm: &mut Vm, tick| {
        if vm.time().tick < 40 {
            let exit = run_to(vm, tick.min(40));
            if tick < 40 {
                return exit;
            }
            let address = vm.global_addr(InstanceAddr(0), 0).expect("a global");
            assert!(vm.set_global(address, Value::I32(65_000)));
        }
        run_to(vm, tick)
    });
    let found = parting(&mut a, &mut b, end).expect("they differ");
    assert_eq!(found.agreed + 1, 40, "{found:?}");
    assert!(found.what.starts_with("cell 0 of the globals"), "{found:?}");
}
