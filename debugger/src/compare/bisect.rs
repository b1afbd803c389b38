//! Finding where two runs part.

use wdb_vm::exit::Exit;
use wdb_vm::vm::{RunLimit, Vm};

/// Runs a machine up to a tick or its end.
type RunTo<'a> = Box<dyn FnMut(&mut Vm, u64) -> Exit + 'a>;

/// A machine at its beginning, and what runs it up to a tick.
pub(super) struct Side<'a> {
    pub(super) vm: Vm,
    pub(super) run: RunTo<'a>,
}

/// Where two runs part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parting {
    /// The last tick at whose beginning both are in the same state.
    pub(super) agreed: u64,
    /// What differs at the next.
    pub(super) what: String,
}

/// Runs a machine up to a tick or its end.
pub(super) fn run_to(vm: &mut Vm, tick: u64) -> Exit {
    loop {
        let limit = RunLimit {
            tick: Some(tick),
            ..RunLimit::default()
        };
        match vm.run(limit) {
            Exit::Stepped | Exit::Probe => {}
            exit => return exit,
        }
    }
}

/// The first tick at which two machines differ that are the same now, by halving: they run from the last state in which they were
/// known to be the same. `end`: a tick that neither gets beyond. Nothing if they do not differ.
pub(super) fn parting(a: &mut Side<'_>, b: &mut Side<'_>, end: u64) -> Option<Parting> {
    let mut agreed = a.vm.time().tick;
    let mut kept = (a.vm.checkpoint(None), b.vm.checkpoint(None));
    let mut differing = end.saturating_add(1);
    let mut what = differing_at(a, b, differing)?;
    while differing - agreed > 1 {
        let middle = agreed + (differing - agreed) / 2;
        a.vm.restore(&kept.0);
        b.vm.restore(&kept.1);
        match differing_at(a, b, middle) {
            Some(difference) => {
                differing = middle;
                what = difference;
            }
            None => {
                agreed = middle;
                kept = (
                    a.vm.checkpoint(Some(&kept.0)),
                    b.vm.checkpoint(Some(&kept.1)),
                );
                a.vm.forget_before(&kept.0);
                b.vm.forget_before(&kept.1);
            }
        }
    }
    a.vm.restore(&kept.0);
    b.vm.restore(&kept.1);
    Some(Parting { agreed, what })
}

/// What differs when both have run up to a tick.
fn differing_at(a: &mut Side<'_>, b: &mut Side<'_>, tick: u64) -> Option<String> {
    let exit_a = (a.run)(&mut a.vm, tick);
    let exit_b = (b.run)(&mut b.vm, tick);
    differing(&a.vm, &exit_a, &b.vm, &exit_b)
}

/// What differs in two machines that have stopped.
pub(super) fn differing(a: &Vm, exit_a: &Exit, b: &Vm, exit_b: &Exit) -> Option<String> {
    let (text_a, text_b) = (exit_text(a, exit_a), exit_text(b, exit_b));
    if text_a != text_b {
        return Some(format!("the one is {text_a}, the other {text_b}"));
    }
    a.difference(b).map(|difference| difference.to_string())
}

/// How a run stands or ended, in words that follow "is".
pub(super) fn exit_text(vm: &Vm, exit: &Exit) -> String {
    match exit {
        Exit::Finished(values) => {
            let texts = values.iter().map(|&value| vm.value_text(value));
            let texts: Vec<String> = texts.collect();
            match &*texts {
                [] => "finished".to_owned(),
                texts => format!("finished with {}", texts.join(", ")),
            }
        }
        Exit::ProcExit(status) => format!("exited with status {status}"),
        Exit::Trap(trap) => format!("stopped by a trap: {trap}"),
        Exit::Uncaught(_) => "stopped by an uncaught exception".to_owned(),
        Exit::HostResource(what) => format!("out of a resource: {what}"),
        Exit::Deadlock(what) => format!("in a deadlock: {what}"),
        Exit::Interrupted => "interrupted".to_owned(),
        Exit::Stepped
        | Exit::Probe
        | Exit::Tick
        | Exit::Watch(_)
        | Exit::HostCall(_)
        | Exit::Throw(_)
        | Exit::Landed(_) => "still running".to_owned(),
    }
}
