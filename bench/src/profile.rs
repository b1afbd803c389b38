//! What is found out about a program by runs that are not measured.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use wdb_vm::address::{CodeAddress, FuncIndex, ModuleOffset};
use wdb_vm::exit::Exit;
use wdb_vm::tier::Tier;
use wdb_vm::value::Value;
use wdb_vm::vm::{RunLimit, Vm};
use wdb_vm::watch::{Watch, WatchKind, WatchTarget};
use wdb_vm::{Condition, ConditionOp, ValType};

use crate::engines::wdb::{invoke, machine, program_instance};
use crate::programs::Program;
use crate::random::Random;

/// What was found out, each when it is first asked for.
#[derive(Default)]
pub struct Profile {
    unreached: OnceCell<Vec<CodeAddress>>,
    hottest: OnceCell<Hottest>,
    untouched: OnceCell<Range<u64>>,
}

/// The place that is executed most often, and a condition that never holds there.
pub struct Hottest {
    pub place: CodeAddress,
    pub condition: Condition,
    /// The condition as people would write it.
    pub text: String,
    /// How often a run with the default amount of work comes by.
    pub arrivals: u64,
}

/// How many probes a session has elsewhere.
const PROBES_ELSEWHERE: usize = 3;

/// At how many ticks a run is looked at to find the hottest place.
const SAMPLES: u64 = 1_000;

/// How many arrivals are looked at to find a local that changes.
const ARRIVALS_LOOKED_AT: u64 = 1_000;

/// Compared with: numbers that no program here has in its locals, which each run confirms by not stopping.
const NEVER_I32: i32 = 0x5afe_c0de;
const NEVER_I64: i64 = 0x5afe_c0de_5eed_f00d;

/// Where linkers begin with variables, or with the stack if that comes first.
const FIRST_VARIABLE: u64 = 1024;

/// How many places are tried at once for a variable that is not touched.
const VARIABLES: u64 = 64;

/// A program may go on from where its last run left it, and touch something else.
const RUNS_WATCHED: u32 = 4;

/// The size of a variable.
const VARIABLE_BYTES: u64 = 8;

impl Program {
    /// The starts of some functions that runs do not reach; of fewer, or none, where there are not so many.
    pub fn unreached(&self) -> anyhow::Result<&[CodeAddress]> {
        let cell = &self.profile.unreached;
        if cell.get().is_none() {
            _ = cell.set(find_unreached(self)?);
        }
        Ok(cell.get().expect("it was just found"))
    }

    /// The place that is executed most often.
    pub fn hottest(&self) -> anyhow::Result<&Hottest> {
        let cell = &self.profile.hottest;
        if cell.get().is_none() {
            _ = cell.set(find_hottest(self)?);
        }
        Ok(cell.get().expect("it was just found"))
    }

    /// A variable in memory that runs leave alone.
    pub fn untouched(&self) -> anyhow::Result<Range<u64>> {
        let cell = &self.profile.untouched;
        if cell.get().is_none() {
            _ = cell.set(find_untouched(self)?);
        }
        Ok(cell.get().expect("it was just found").clone())
    }
}

/// A machine about to run the program. The fast tier translates functions when they are called, and stops cheaply.
fn begin(program: &Program) -> anyhow::Result<Vm> {
    let mut vm = machine(program, Tier::Fast)?;
    invoke(&mut vm, program.n)?;
    Ok(vm)
}

fn find_unreached(program: &Program) -> anyhow::Result<Vec<CodeAddress>> {
    let mut vm = begin(program)?;
    finish(&mut vm)?;
    let reached: BTreeSet<_> = vm.code_units().iter().map(|unit| unit.func).collect();
    let instance = program_instance(&vm);
    let module = vm.module(instance);
    let funcs = (module.imported_func_count()..module.func_count()).map(FuncIndex);
    let unreached: Vec<CodeAddress> = funcs
        .filter(|&func| {
            vm.func_addr(instance, func)
                .is_some_and(|func| !reached.contains(&func))
        })
        .filter_map(|func| module.func_body(func))
        .map(|body| address(&vm, ModuleOffset(body.code.start)))
        .collect();
    let stride = unreached.len().div_ceil(PROBES_ELSEWHERE).max(1);
    Ok(unreached.into_iter().step_by(stride).collect())
}

fn find_hottest(program: &Program) -> anyhow::Result<Hottest> {
    let mut vm = begin(program)?;
    finish(&mut vm)?;
    let place = address(&vm, sample(program, vm.time().tick)?);
    count_arrivals(program, place)
}

/// Where the run stands most often when the clock ticks: a loop's body or a function's start.
fn sample(program: &Program, ticks: u64) -> anyhow::Result<ModuleOffset> {
    let mut vm = begin(program)?;
    let mut counts: HashMap<ModuleOffset, u32> = HashMap::new();
    let stride = (ticks / SAMPLES).max(1);
    let mut random = Random::default();
    loop {
        // Strides vary, so that they do not fall in with the program's own rhythm.
        let step = stride / 2 + random.below(stride);
        let limit = RunLimit {
            tick: Some(vm.time().tick + step.max(1)),
            ..RunLimit::default()
        };
        match vm.run(limit) {
            Exit::Tick => {
                if let Some(frame) = vm.frame(0)
                    && frame.instance == program_instance(&vm)
                {
                    *counts.entry(frame.pc).or_default() += 1;
                }
            }
            Exit::Finished(_) => break,
            exit => anyhow::bail!("{exit:?}"),
        }
    }
    let hottest = counts.into_iter().max_by_key(|&(pc, count)| (count, pc));
    let (pc, _) = hottest.ok_or_else(|| anyhow::anyhow!("the run is too short to be sampled"))?;
    Ok(pc)
}

/// Counts how often a run comes by a place, and compares the integer local with the most values there.
fn count_arrivals(program: &Program, place: CodeAddress) -> anyhow::Result<Hottest> {
    let mut vm = begin(program)?;
    let module = vm.module(place.instance);
    let func = module.func_at(place.pc);
    let func = func.ok_or_else(|| anyhow::anyhow!("no function has code there"))?;
    let types = module.local_types(func);
    let mut values: Vec<BTreeSet<i64>> = vec![BTreeSet::new(); types.len()];
    vm.set_probe(place);
    let mut arrivals = 0;
    let mut limit = RunLimit {
        probe_at_start: true,
        ..RunLimit::default()
    };
    loop {
        match vm.run(limit) {
            Exit::Probe => arrivals += 1,
            Exit::Finished(_) => break,
            exit => anyhow::bail!("{exit:?}"),
        }
        limit.probe_at_start = false;
        if arrivals > ARRIVALS_LOOKED_AT {
            continue;
        }
        for (index, values) in (0..).zip(&mut values) {
            match vm.local(0, index) {
                Some(Value::I32(value)) => drop(values.insert(value.into())),
                Some(Value::I64(value)) => drop(values.insert(value)),
                _ => {}
            }
        }
    }
    let locals = (0..types.len()).rev();
    // Of several the first.
    let most = locals.max_by_key(|&local| values[local].len());
    let local = most.filter(|&local| !values[local].is_empty());
    let local = local
        .ok_or_else(|| anyhow::anyhow!("the hottest function has no local that is an integer"))?;
    let cell = Condition::Local(local as u32);
    let (value, never) = if types[local] == ValType::I32 {
        let value = Condition::Extend {
            value: Box::new(cell),
            bits: 32,
            is_signed: true,
        };
        (value, NEVER_I32.into())
    } else {
        (cell, NEVER_I64)
    };
    let constant = Condition::Constant(never);
    Ok(Hottest {
        place,
        condition: Condition::Binary(ConditionOp::Eq, Box::new(value), Box::new(constant)),
        text: format!("$local{local} == {never:#x}"),
        arrivals,
    })
}

fn find_untouched(program: &Program) -> anyhow::Result<Range<u64>> {
    let vm = machine(program, Tier::Fast)?;
    let instance = program_instance(&vm);
    // What linkers number first is the stack's pointer, and the first variables lie where the stack ends.
    let stack_pointer = vm.global_addr(instance, 0).and_then(|it| vm.global(it));
    let first = match stack_pointer {
        Some((_, Value::I32(address))) => u64::from(address.cast_unsigned()),
        _ => FIRST_VARIABLE,
    };
    let end = vm
        .memory(instance, 0)
        .map_or(0, |memory| memory.len() as u64);
    // A large array can be all that there is at first: the places that are tried lie ever further apart.
    let bytes = VARIABLES * VARIABLE_BYTES;
    let distances = std::iter::successors(Some(0), |distance| Some(2 * distance + bytes));
    let places = distances.map(|distance| first + distance);
    let mut places: Vec<u64> = places.take_while(|place| place + bytes <= end).collect();
    // Where there are no variables, there is the far end of the stack.
    places.push(FIRST_VARIABLE);
    for place in places {
        if let Some(variable) = untouched_from(program, place)? {
            return Ok(variable);
        }
    }
    anyhow::bail!("the program touches all variables");
}

/// The first of some variables from an address on that the program does not touch.
fn untouched_from(program: &Program, first: u64) -> anyhow::Result<Option<Range<u64>>> {
    let variable = |number: u32| {
        let start = first + u64::from(number) * VARIABLE_BYTES;
        start..start + VARIABLE_BYTES
    };
    let watches = |vm: &Vm, candidates: &[u32]| {
        let watch = |&id: &u32| watch(vm, id, variable(id), WatchKind::Access);
        candidates.iter().map(watch).collect()
    };
    let mut candidates: Vec<u32> = (0..VARIABLES as u32).collect();
    let mut runs_left = RUNS_WATCHED - 1;
    let mut vm = begin(program)?;
    vm.set_watches(watches(&vm, &candidates));
    loop {
        match vm.run(RunLimit::default()) {
            Exit::Watch(hits) => {
                candidates.retain(|id| hits.iter().all(|hit| hit.id != *id));
                if candidates.is_empty() {
                    return Ok(None);
                }
                vm.set_watches(watches(&vm, &candidates));
            }
            Exit::Finished(_) if runs_left > 0 => {
                runs_left -= 1;
                invoke(&mut vm, program.n)?;
            }
            Exit::Finished(_) => return Ok(candidates.first().map(|&id| variable(id))),
            exit => anyhow::bail!("{exit:?}"),
        }
    }
}

/// A watch of bytes of the program's memory 0.
pub fn watch(vm: &Vm, id: u32, range: Range<u64>, kind: WatchKind) -> Watch {
    Watch {
        id,
        target: WatchTarget::Memory {
            instance: program_instance(vm),
            memory: 0,
            range,
        },
        kind,
        scope: None,
    }
}

fn address(vm: &Vm, pc: ModuleOffset) -> CodeAddress {
    CodeAddress {
        instance: program_instance(vm),
        pc,
    }
}

fn finish(vm: &mut Vm) -> anyhow::Result<()> {
    match vm.run(RunLimit::default()) {
        Exit::Finished(_) => Ok(()),
        exit => anyhow::bail!("{exit:?}"),
    }
}
