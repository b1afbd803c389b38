//! Register code beside the wasm instructions that it was translated from.

use std::collections::BTreeMap;

use wdb_vm::address::FuncIndex;
use wdb_vm::tier::{RegisterLine, Tier};

use crate::debugger::Debugger;
use crate::error::Error;
use crate::process::PROGRAM_INSTANCE;
use crate::report::RegisterRow;

/// Register code in its order, each piece behind the instructions that it stands for. `instructions` are those that are
/// wanted, with their offsets in the module; code of others is left out.
pub(super) fn pieces<T: Clone>(
    instructions: Vec<(u32, T)>,
    code: &[RegisterLine],
) -> Vec<(Vec<T>, Vec<RegisterRow>)> {
    let mut starts: Vec<u32> = code.iter().map(|line| line.pc.0).collect();
    starts.sort_unstable();
    starts.dedup();
    let Some(&first) = starts.first() else {
        return vec![(instructions.into_iter().map(|(_, it)| it).collect(), vec![])];
    };
    let mut groups: BTreeMap<u32, Vec<T>> = BTreeMap::new();
    for (pc, instruction) in instructions {
        let after = starts.partition_point(|&start| start <= pc);
        let start = after.checked_sub(1).map_or(first, |index| starts[index]);
        groups.entry(start).or_default().push(instruction);
    }
    let mut pieces: Vec<(Vec<T>, Vec<RegisterRow>)> = Vec::new();
    let mut pc_before = None;
    for line in code {
        let Some(group) = groups.get(&line.pc.0) else {
            continue;
        };
        let row = RegisterRow {
            offset: line.offset,
            pc: line.pc.0,
            text: line.text.clone(),
        };
        match pieces.last_mut() {
            Some((_, rows)) if pc_before == Some(line.pc) => rows.push(row),
            _ => pieces.push((group.clone(), vec![row])),
        }
        pc_before = Some(line.pc);
    }
    pieces
}

impl Debugger {
    /// A function's register code, or why there is none.
    pub(super) fn register_code(&self, func: FuncIndex) -> Result<Vec<RegisterLine>, Error> {
        let name = self.program.func_name(func);
        let mut vm = self.vm.borrow_mut();
        let address = vm.func_addr(PROGRAM_INSTANCE, func);
        let code = address.and_then(|address| vm.register_code(address));
        code.ok_or_else(|| {
            let stats = vm.tier_stats();
            let mut fallbacks = stats
                .iter()
                .filter(|stats| stats.tier == Tier::Fast)
                .flat_map(|stats| &stats.fallbacks);
            Error::Other(match fallbacks.find(|it| Some(it.func) == address) {
                Some(fallback) => format!(
                    "The fast tier cannot run {name}: {}. It runs in classic, whose code `disassemble` shows.",
                    fallback.reason
                ),
                None => format!("There is no register code of {name}."),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use wdb_vm::address::ModuleOffset;
    use wdb_vm::tier::RegisterLine;

    use super::pieces;

    fn line(offset: u32, pc: u32) -> RegisterLine {
        RegisterLine {
            offset,
            pc: ModuleOffset(pc),
            text: format!("op{offset}"),
        }
    }

    fn listed(instructions: &[u32], code: &[RegisterLine]) -> String {
        let instructions = instructions.iter().map(|&pc| (pc, pc)).collect();
        let pieces = pieces(instructions, code).into_iter();
        let texts = pieces.map(|(instructions, rows)| {
            let rows: Vec<String> = rows.into_iter().map(|row| row.text).collect();
            format!("{instructions:?} {}", rows.join(" "))
        });
        texts.collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn code_stands_behind_what_it_stands_for() {
        let code = [line(0, 12), line(8, 12), line(16, 15)];
        let found = listed(&[10, 12, 13, 15, 16], &code);
        assert_eq!(found, "[10, 12, 13] op0 op8; [15, 16] op16");
        // Code that was moved to the end shows its instructions again.
        let code = [line(0, 10), line(8, 12), line(16, 10)];
        let found = listed(&[10, 12], &code);
        assert_eq!(found, "[10] op0; [12] op8; [10] op16");
        // Of a part of the function, its code only.
        assert_eq!(listed(&[13], &code), "[13] op8");
        assert_eq!(listed(&[10, 12], &[]), "[10, 12] ");
    }
}
