//! gdb's view. gdb knows no WebAssembly, so the program is shown as one of x86-64: an executable with symbols and debug info
//! ([`elf`]), registers, and a stack of records that gdb unwinds by itself ([`layout`]).
//!
//! What an x86-64 has and wasm does not stays what it is: instructions cannot be disassembled by gdb (`monitor disassemble`
//! does it), and functions cannot be called.

pub(crate) mod agent;
mod debug_info;
mod elf;
mod files;
pub(crate) mod layout;
mod registers;
mod returns;
mod rewrite;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wdb_debugger::Program;
use wdb_debugger::remote::{ClientStop, GuestState, ModuleId};

use crate::address::CODE_KIND;
use crate::hex;
use crate::packet::BODY_BYTES_MAX;
use crate::reply::{Answer, Refusal, Reply};
use crate::resume;
use crate::stub::Stub;

use debug_info::DebugInfo;
use layout::{FRAMES, GLOBAL_BYTES, GLOBALS, Layout, RECORDS, Record, record_at};
use returns::{ResultRegisters, SmallStruct};

/// A program as gdb sees it.
#[derive(Debug)]
pub(crate) struct Disguise {
    pub(crate) layout: Layout,
    executable: Vec<u8>,
    text_offset: u64,
    /// Where the present stop's records lie.
    records: Mutex<Option<Arc<[Record]>>>,
    /// What gdb has read of them last, and what lies around it.
    block: Mutex<Option<Block>>,
    /// The calls that were under way when the program went on last.
    calls: Mutex<Vec<Call>>,
}

/// A part of the records.
#[derive(Debug)]
struct Block {
    start: u64,
    bytes: Vec<u8>,
}

/// How long blocks are. gdb walks over the frames one by one, each with a read of 64 bytes; the machine's thread is asked for many
/// at once.
const BLOCK_BYTES: u64 = 1 << 13;

/// A call, as its end is recognised.
#[derive(Debug, Clone, Copy)]
struct Call {
    /// How many frames there are when it has returned, and where the program stands then.
    depth: usize,
    return_pc: u32,
    /// Its first argument.
    first_argument: u64,
    result: Option<SmallStruct>,
}

/// Whether a `qSupported` packet is gdb's. lldb knows none of what relocates instructions.
pub(crate) fn is_gdb(supported: &[u8]) -> bool {
    const ONLY_GDB: &[u8] = b"qRelocInsn+";
    supported.windows(ONLY_GDB.len()).any(|it| it == ONLY_GDB)
}

impl Disguise {
    /// `outermost` is the function that nothing in the program has called.
    pub(crate) fn new(program: &Program, outermost: Option<u32>) -> Disguise {
        let info = DebugInfo::new(program);
        let layout = Layout::new(program, &info);
        Disguise {
            executable: elf::file(program, info, outermost),
            layout,
            text_offset: CODE_KIND + u64::from(program.dwarf_base()),
            records: Mutex::default(),
            block: Mutex::default(),
            calls: Mutex::default(),
        }
    }

    /// Forgets where records lay and what they held, because the program goes on or something in it was changed.
    pub(crate) fn forget_records(&self) {
        *lock(&self.records) = None;
        *lock(&self.block) = None;
    }

    /// Bytes of records that were read before, at most so many.
    pub(crate) fn known(&self, address: u64, length: usize) -> Option<Vec<u8>> {
        let block = lock(&self.block);
        let block = block.as_ref()?;
        let first = usize::try_from(address.checked_sub(block.start)?).ok()?;
        let end = first.checked_add(length)?;
        Some(block.bytes.get(first..end)?.to_vec())
    }

    /// Takes note of the calls that return no value to wasm. In the source language they may return a struct, which lies where
    /// their first argument says; gdb looks for its address in `rax` when a call has ended.
    pub(crate) fn note_calls(&self, state: GuestState<'_>) {
        /// gdb finishes frames that a person has selected.
        const CALLS_MAX: usize = 64;
        let count = state.frame_count();
        let calls = (0..CALLS_MAX).map_while(|number| {
            let frame = state.frame(number)?;
            let caller = state.frame(number + 1)?;
            let result = self.layout.result_in_memory(frame);
            let call = result.zip(state.local(number, 0));
            Some(call.map(|(result, first)| Call {
                depth: count - number - 1,
                return_pc: caller.pc,
                first_argument: first.low_bits(),
                result,
            }))
        });
        *lock(&self.calls) = calls.flatten().collect();
    }

    /// The result of the call that the program has just returned from, if it lies in memory.
    fn returned(&self, state: GuestState<'_>) -> Option<ResultRegisters> {
        let depth = state.frame_count();
        let pc = state.frame(0)?.pc;
        let calls = lock(&self.calls);
        let call = calls
            .iter()
            .find(|it| it.depth == depth && it.return_pc == pc)?;
        let Some(result) = call.result else {
            return Some(ResultRegisters {
                rax: call.first_argument,
                ..ResultRegisters::default()
            });
        };
        let start = usize::try_from(call.first_argument).ok()?;
        let end = start.checked_add(result.size)?;
        Some(result.registers(state.memory(0)?.get(start..end)?))
    }

    fn records(&self, state: GuestState<'_>) -> Arc<[Record]> {
        let mut records = lock(&self.records);
        let find = || self.layout.records(state).into();
        records.get_or_insert_with(find).clone()
    }

    /// Bytes that are not the program's own: records of frames, and globals. `None` for any other address.
    pub(crate) fn read(
        &self,
        state: GuestState<'_>,
        address: u64,
        length: usize,
    ) -> Option<Vec<u8>> {
        let region = match address {
            _ if FRAMES.contains(&address) => FRAMES,
            _ if GLOBALS.contains(&address) => GLOBALS,
            _ => return None,
        };
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        let end = address.saturating_add(length).min(region.end);
        let (first, bytes) = if region == GLOBALS {
            let first = address & !7;
            let words = (first..end).step_by(8);
            let bytes = words.flat_map(|at| global_word(state, at).to_le_bytes());
            (first, bytes.collect())
        } else {
            let first = address - address % BLOCK_BYTES;
            let end = end.next_multiple_of(BLOCK_BYTES).min(region.end);
            let records = self.records(state);
            (first, self.layout.bytes(state, &records, first..end))
        };
        let skipped = (address - first) as usize;
        let asked = bytes[skipped..skipped + (end - address) as usize].to_vec();
        if region == FRAMES {
            *lock(&self.block) = Some(Block {
                start: first,
                bytes,
            });
        }
        Some(asked)
    }

    /// The local whose place an address is: frame, index, and the offset in its bytes.
    pub(crate) fn local_at(
        &self,
        state: GuestState<'_>,
        address: u64,
    ) -> Option<(usize, u32, usize)> {
        let records = self.records(state);
        let record = record_at(&records, address)?;
        let (index, at) = layout::local_at(address - record.start)?;
        Some((record.number, index, at))
    }
}

/// What is kept is whole after every change, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Eight bytes at an address of globals that is a multiple of eight; zero where nothing is.
fn global_word(state: GuestState<'_>, address: u64) -> u64 {
    let offset = address - GLOBALS.start;
    let index = u32::try_from(offset / GLOBAL_BYTES).unwrap_or(u32::MAX);
    let slot = state
        .global(ModuleId::PROGRAM, index)
        .filter(|_| offset.is_multiple_of(GLOBAL_BYTES));
    slot.map_or(0, |slot| slot.low_bits())
}

/// What a condition sees: the innermost frame.
struct ConditionTarget<'a> {
    disguise: &'a Disguise,
    state: GuestState<'a>,
    record: Record,
}

impl agent::Target for ConditionTarget<'_> {
    fn register(&self, number: u16) -> Option<u64> {
        registers::pointer(number, self.record.start)
    }

    fn memory(&self, address: u64, count: usize) -> Option<u64> {
        let mut word = [0; 8];
        if RECORDS.contains(&address) {
            let offset = address.checked_sub(self.record.start)?;
            let first = offset & !7;
            let start = (offset - first) as usize;
            let both = [first, first + 8].map(|at| {
                // To look for an operand that is not asked for would cost more than all the rest.
                let is_asked = at < offset + count as u64;
                let is_inside = at < self.record.end - self.record.start;
                let word = (is_asked && is_inside)
                    .then(|| self.disguise.layout.word(self.state, &self.record, at));
                word.unwrap_or(0).to_le_bytes()
            });
            word[..count].copy_from_slice(both.as_flattened().get(start..start + count)?);
        } else if GLOBALS.contains(&address) {
            let bytes = self.disguise.read(self.state, address, count)?;
            word[..count].copy_from_slice(bytes.get(..count)?);
        } else {
            let start = usize::try_from(address).ok()?;
            let memory = self.state.memory(0)?;
            word[..count].copy_from_slice(memory.get(start..start.checked_add(count)?)?);
        }
        Some(u64::from_le_bytes(word))
    }
}

/// Whether one of a breakpoint's conditions holds where the program stands. One that cannot be evaluated does: gdb evaluates
/// it again, and tells its user.
pub(crate) fn holds(disguise: &Disguise, conditions: &[Arc<[u8]>], state: GuestState<'_>) -> bool {
    let Some(record) = disguise.layout.innermost_record(state) else {
        return true;
    };
    let target = ConditionTarget {
        disguise,
        state,
        record,
    };
    conditions
        .iter()
        .any(|code| agent::evaluate(code, &target).is_none_or(|value| value != 0))
}

/// The conditions at the end of a `Z0` packet: `;X LENGTH,BYTES`, several times.
pub(crate) fn conditions(request: &[u8]) -> Result<Vec<Arc<[u8]>>, Refusal> {
    /// gdb sends as many as breakpoints are at a place.
    const CONDITIONS_MAX: usize = 64;
    let mut conditions = Vec::new();
    let mut rest = request;
    while let Some(at) = rest.iter().position(|it| *it == b'X') {
        let (length, after) = resume::split(&rest[at + 1..], b',').ok_or(Refusal::Malformed)?;
        let length = hex::number(length).ok_or(Refusal::Malformed)?;
        let digits = usize::try_from(length)
            .ok()
            .and_then(|it| it.checked_mul(2));
        let digits = digits.filter(|digits| *digits <= after.len());
        let digits = digits.ok_or(Refusal::Malformed)?;
        let code = hex::decode(&after[..digits]).ok_or(Refusal::Malformed)?;
        conditions.push(code.into());
        if conditions.len() > CONDITIONS_MAX {
            return Err(Refusal::Malformed);
        }
        rest = &after[digits..];
    }
    Ok(conditions)
}

/// What is told after a `monitor` command that has let the program go on: the protocol has no way to tell gdb itself, which keeps
/// the registers and frames that it has read.
pub(crate) const MOVED: &str = "The program has gone on; `maintenance flush dcache` and `maintenance flush register-cache` make gdb look where it is now.";

/// What the stub can do, as gdb wants to hear it.
pub(crate) fn supported() -> Reply {
    Reply::text(format!(
        "PacketSize={BODY_BYTES_MAX:x};QStartNoAckMode+;vContSupported+;swbreak+;hwbreak+;\
         ConditionalBreakpoints+;qXfer:features:read+;qXfer:exec-file:read+"
    ))
}

/// A `q` packet that only gdb sends.
pub(crate) fn query(disguise: &Disguise, body: &[u8]) -> Answer {
    Ok(match body {
        b"qOffsets" => Reply::text(format!("Text={:x};Data=0;Bss=0", disguise.text_offset)),
        _ => Reply::unknown(),
    })
}

/// An object that `qXfer` reads.
pub(crate) fn object(name: &[u8]) -> Option<String> {
    match name {
        b"features" => Some(registers::description()),
        b"exec-file" => Some(files::NAME.to_owned()),
        _ => None,
    }
}

/// A `vFile` packet, without that word.
pub(crate) fn file(disguise: &Disguise, request: &[u8]) -> Answer {
    files::perform(&disguise.executable, request)
}

/// All registers.
pub(crate) fn registers(stub: &Stub, disguise: &Arc<Disguise>) -> Answer {
    let disguise = disguise.clone();
    let bytes = stub.session.guest(move |guest| {
        let state = guest.state();
        registers::all(&disguise, state)
    });
    Ok(Reply::hex(&bytes.ok_or(Refusal::Busy)?))
}

/// A stop, with the registers that gdb needs at once.
pub(crate) fn stop_reply(stub: &Stub, disguise: &Arc<Disguise>) -> Reply {
    let seen = disguise.clone();
    let pointers = stub.session.guest(move |guest| {
        let state = guest.state();
        (state.frame(0), registers::pointers(&seen, state))
    });
    let (frame, pointers) = pointers.unwrap_or_default();
    let signal = resume::signal(&stub.last_stop);
    let mut text = format!(
        "T{signal:02x}{:x}:{};{:x}:{};{:x}:{};",
        registers::RIP,
        hex::encode(&pointers.rip.to_le_bytes()),
        registers::RSP,
        hex::encode(&pointers.rsp.to_le_bytes()),
        registers::RBP,
        hex::encode(&pointers.rbp.to_le_bytes())
    );
    match &stub.last_stop {
        ClientStop::Watchpoint { address, access } => {
            text.push_str(&format!("{}:{address:x};", resume::watch_key(*access)));
        }
        // Of another front end's breakpoint gdb knows nothing, and would take it for one that it has just removed.
        ClientStop::Breakpoint if frame.is_some_and(|frame| stub.has_breakpoint_at(frame)) => {
            text.push_str("swbreak:;");
        }
        _ => {}
    }
    text.push_str("thread:1;");
    Reply::text(text)
}

#[cfg(test)]
mod tests {
    use super::{conditions, is_gdb};
    use crate::reply::Refusal;

    #[test]
    fn conditions_are_read_one_after_the_other() {
        let found = conditions(b"0,40,1;X2,2201X1,27;cmds:0").unwrap();
        let found: Vec<&[u8]> = found.iter().map(|code| &**code).collect();
        assert_eq!(found, [&[0x22, 1][..], &[0x27]]);
        assert_eq!(conditions(b"0,40,1"), Ok(Vec::new()));
        assert_eq!(conditions(b";X9,22"), Err(Refusal::Malformed));
        assert_eq!(
            conditions(b";Xffffffffffffffff,22"),
            Err(Refusal::Malformed)
        );
    }

    #[test]
    fn clients_are_told_apart() {
        assert!(is_gdb(
            b"qSupported:multiprocess+;swbreak+;hwbreak+;qRelocInsn+;xmlRegisters=i386"
        ));
        assert!(!is_gdb(
            b"qSupported:xmlRegisters=i386,arm,mips,arc;multiprocess+;fork-events+"
        ));
    }
}
