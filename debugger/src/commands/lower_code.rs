//! Code that tiers make, beside the wasm instructions that it comes from.

use std::collections::BTreeMap;

use wdb_vm::address::FuncIndex;
use wdb_vm::machine_code::CodeForm;
use wdb_vm::tier::Tier;

use crate::debugger::Debugger;
use crate::error::Error;
use crate::process::PROGRAM_INSTANCE;
use crate::report::CodeRow;

/// Instructions, and code that stands for them.
type Piece<T> = (Vec<T>, Vec<CodeRow>);

/// Code in its order, each piece behind the instructions that it stands for. `instructions` are those that are
/// wanted, with their offsets in the module; code of others is left out, and unless all are wanted, code that belongs to none.
pub(super) fn pieces<T: Clone>(
    instructions: Vec<(u32, T)>,
    wants_all: bool,
    code: Vec<CodeRow>,
) -> Vec<Piece<T>> {
    let mut starts: Vec<u32> = code.iter().filter_map(|row| row.pc).collect();
    starts.sort_unstable();
    starts.dedup();
    let Some(&first) = starts.first() else {
        return vec![(instructions.into_iter().map(|(_, it)| it).collect(), code)];
    };
    let mut groups: BTreeMap<u32, Vec<T>> = BTreeMap::new();
    for (pc, instruction) in instructions {
        let after = starts.partition_point(|&start| start <= pc);
        let start = after.checked_sub(1).map_or(first, |index| starts[index]);
        groups.entry(start).or_default().push(instruction);
    }
    let mut pieces: Vec<Piece<T>> = Vec::new();
    let mut pc_before = None;
    for row in code {
        let group = row
            .pc
            .map_or(wants_all.then(Vec::new), |pc| groups.get(&pc).cloned());
        let Some(group) = group else {
            continue;
        };
        let pc = row.pc;
        match pieces.last_mut() {
            Some((_, rows)) if pc_before == Some(pc) => rows.push(row),
            _ => pieces.push((group, vec![row])),
        }
        pc_before = Some(pc);
    }
    pieces
}

impl Debugger {
    /// A function's register code, or why there is none.
    pub(super) fn register_code(&self, func: FuncIndex) -> Result<Vec<CodeRow>, Error> {
        let name = self.program.func_name(func);
        let mut vm = self.vm.borrow_mut();
        let address = vm.func_addr(PROGRAM_INSTANCE, func);
        let code = address.and_then(|address| vm.register_code(address));
        if let Some(code) = code {
            let row = |line: wdb_vm::tier::RegisterLine| CodeRow {
                offset: line.offset,
                pc: Some(line.pc.0),
                text: line.text,
            };
            return Ok(code.into_iter().map(row).collect());
        }
        let stats = vm.tier_stats();
        let mut fallbacks = stats
            .iter()
            .filter(|stats| stats.tier == Tier::Fast)
            .flat_map(|stats| &stats.fallbacks);
        Err(Error::Other(
            match fallbacks.find(|it| Some(it.func) == address) {
                Some(fallback) => format!(
                    "The fast tier cannot run {name}: {}. It runs in classic, whose code `disassemble` shows.",
                    fallback.reason
                ),
                None => format!("There is no register code of {name}."),
            },
        ))
    }

    /// A function's machine code or intermediate code, or why there is none.
    pub(super) fn machine_code(
        &self,
        func: FuncIndex,
        form: CodeForm,
    ) -> Result<Vec<CodeRow>, Error> {
        let name = self.program.func_name(func);
        let vm = self.vm.borrow();
        let Some(address) = vm.func_addr(PROGRAM_INSTANCE, func) else {
            return Err(Error::Other(format!("There is no machine code of {name}.")));
        };
        let lines = vm.machine_code(address, form).map_err(|error| {
            Error::Other(format!("There is no machine code of {name}: {error}."))
        })?;
        let row = |line: wdb_vm::machine_code::CodeLine| CodeRow {
            offset: line.offset,
            pc: line.pc.map(|pc| pc.0),
            text: line.text,
        };
        Ok(lines.into_iter().map(row).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::pieces;
    use crate::report::CodeRow;

    fn line(offset: u32, pc: u32) -> CodeRow {
        CodeRow {
            offset,
            pc: (pc != 0).then_some(pc),
            text: format!("op{offset}"),
        }
    }

    fn listed(instructions: &[u32], code: &[CodeRow]) -> String {
        let wants_all = instructions.len() > 1;
        let instructions = instructions.iter().map(|&pc| (pc, pc)).collect();
        let pieces = pieces(instructions, wants_all, code.to_vec()).into_iter();
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
        // What belongs to no instruction stands for itself, in the whole function only.
        let code = [line(0, 0), line(8, 12), line(16, 0)];
        let found = listed(&[10, 12], &code);
        assert_eq!(found, "[] op0; [10, 12] op8; [] op16");
        assert_eq!(listed(&[12], &code), "[12] op8");
    }
}
