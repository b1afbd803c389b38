//! What only lldb asks for. Its process plug-in for WebAssembly reads wasm locals, globals and the operand stack by number,
//! and takes module offsets for addresses.

use wdb_debugger::remote::{ClientStop, ModuleId, Slot};

use crate::address::{Place, WireAddress};
use crate::hex;
use crate::reply::{Answer, Refusal, Reply};
use crate::resume;
use crate::resume::split;
use crate::stub::Stub;

const TRIPLE: &str = "wasm32-unknown-unknown-wasm";

/// How many frames a stop tells at once, sparing lldb the question.
const THREAD_PCS_MAX: usize = 1;

/// How many frames are told in all. lldb asks for all of them at every stop.
const FRAMES_MAX: usize = 10_000;

/// What is told after a `monitor` command that has let the program go on: the protocol has no way to tell lldb itself, which keeps
/// the frames that it has read.
pub(crate) const MOVED: &str =
    "The program has gone on; lldb shows where it is after its own next step or stop.";

/// A `Q` packet.
pub(crate) fn set(body: &[u8]) -> Reply {
    match body {
        b"QThreadSuffixSupported" | b"QListThreadsInStopReply" => Reply::ok(),
        _ => Reply::unknown(),
    }
}

/// A `q` packet.
pub(crate) fn query(stub: &mut Stub, body: &[u8]) -> Answer {
    if let Some(rest) = body.strip_prefix(b"qWasmCallStack:") {
        hex::number(rest).ok_or(Refusal::Malformed)?;
        let pcs = stub.call_stack(FRAMES_MAX);
        let bytes: Vec<u8> = pcs.into_iter().flat_map(u64::to_le_bytes).collect();
        return Ok(Reply::hex(&bytes));
    }
    if let Some(rest) = body.strip_prefix(b"qWasmLocal:") {
        let (frame, index) = frame_and_index(rest)?;
        return slot(stub, move |state| state.local(frame, index));
    }
    if let Some(rest) = body.strip_prefix(b"qWasmGlobal:") {
        let (frame, index) = frame_and_index(rest)?;
        return slot(stub, move |state| {
            let module = state.frame(frame).map(|frame| frame.module);
            state.global(module.unwrap_or_default(), index)
        });
    }
    if let Some(rest) = body.strip_prefix(b"qWasmStackValue:") {
        let (frame, index) = frame_and_index(rest)?;
        return slot(stub, move |state| state.operand(frame, index));
    }
    if let Some(digits) = body.strip_prefix(b"qMemoryRegionInfo:") {
        let address = hex::number(digits).ok_or(Refusal::Malformed)?;
        return region(stub, WireAddress(address));
    }
    Ok(match body {
        b"qHostInfo" => Reply::text(format!(
            "triple:{};endian:little;ptrsize:4;watchpoint_exceptions_received:after;",
            hex::encode(TRIPLE.as_bytes())
        )),
        b"qProcessInfo" => Reply::text(format!(
            "pid:1;parent-pid:1;triple:{};endian:little;ptrsize:4;",
            hex::encode(TRIPLE.as_bytes())
        )),
        b"qRegisterInfo0" => Reply::text(
            "name:pc;alt-name:pc;bitsize:64;offset:0;encoding:uint;format:hex;\
             set:General Purpose Registers;gcc:16;dwarf:16;generic:pc;",
        ),
        _ if body.starts_with(b"qRegisterInfo") => Reply::refused(Refusal::Nothing),
        // Any number of them: they cost the same.
        b"qWatchpointSupportInfo:" => Reply::text("num:1024;"),
        b"qGDBServerVersion" => {
            Reply::text(concat!("name:wdb;version:", env!("CARGO_PKG_VERSION"), ";"))
        }
        _ => Reply::unknown(),
    })
}

/// `FRAME;INDEX`, in decimal digits.
fn frame_and_index(text: &[u8]) -> Result<(usize, u32), Refusal> {
    let (frame, index) = split(text, b';').ok_or(Refusal::Malformed)?;
    let index = index.split(|it| *it == b';').next().unwrap_or_default();
    let decimal = |digits: &[u8]| {
        let digits = std::str::from_utf8(digits).ok()?;
        digits.parse::<u32>().ok()
    };
    match (decimal(frame), decimal(index)) {
        (Some(frame), Some(index)) => Ok((frame as usize, index)),
        _ => Err(Refusal::Malformed),
    }
}

fn slot(
    stub: &Stub,
    read: impl FnOnce(wdb_debugger::remote::GuestState<'_>) -> Option<Slot> + Send + 'static,
) -> Answer {
    let slot = stub.session.guest(move |guest| read(guest.state()));
    let slot = slot.ok_or(Refusal::Busy)?.ok_or(Refusal::Nothing)?;
    Ok(Reply::hex(&slot.bytes()))
}

/// `p NUMBER[;thread:ID;]`: the only register is the pc.
pub(crate) fn register(stub: &mut Stub, request: &[u8]) -> Answer {
    let digits = request.split(|it| *it == b';').next().unwrap_or_default();
    match hex::number(digits) {
        Some(0) => Ok(Reply::hex(&stub.pc_bytes())),
        Some(_) => Err(Refusal::Nothing),
        None => Err(Refusal::Malformed),
    }
}

/// The region of addresses around one. Regions without anything in them are told, too: without them lldb's expressions fail
/// an assertion.
fn region(stub: &Stub, address: WireAddress) -> Answer {
    let (start, size, permissions) = match address.place() {
        Place::Code { .. } | Place::Nowhere => {
            let (start, size, is_module) = stub.modules.region(address);
            (start, size, if is_module { "rx" } else { "" })
        }
        Place::Memory { index, offset } => {
            let sizes = stub.session.guest(move |guest| {
                let state = guest.state();
                let size = |index| state.memory(index).map(|bytes| bytes.len() as u64);
                (size(index), size(index.saturating_add(1)))
            });
            let (this, next) = sizes.ok_or(Refusal::Busy)?;
            let start = u64::from(index) << 32;
            let size = this.unwrap_or(0);
            if u64::from(offset) < size {
                (start, size, "rw")
            } else {
                let end = match next {
                    Some(_) => start + (1 << 32),
                    None => WireAddress::code(ModuleId(0), 0).0,
                };
                (start + size, end - start - size, "")
            }
        }
    };
    let mut text = format!("start:{start:x};size:{size:x};");
    if !permissions.is_empty() {
        text.push_str(&format!("permissions:{permissions};"));
    }
    Ok(Reply::text(text))
}

/// A stop with its reason in lldb's words. Without the keys a breakpoint's stop would not be known as that.
pub(crate) fn stop_reply(stub: &mut Stub) -> Reply {
    let signal = match &stub.last_stop {
        // A fault is no signal to lldb: it shows the description.
        stop if stop.is_fault() => 5,
        stop => resume::signal(stop),
    };
    let pcs = stub.call_stack(THREAD_PCS_MAX);
    let pc = pcs.first().copied().unwrap_or(0);
    let mut text = format!(
        "T{signal:02x}thread:1;threads:1;thread-pcs:{pc:x};00:{};",
        hex::encode(&pc.to_le_bytes())
    );
    match &stub.last_stop {
        ClientStop::Breakpoint => text.push_str("reason:breakpoint;"),
        ClientStop::Stepped => text.push_str("reason:trace;"),
        ClientStop::Interrupted => text.push_str("reason:signal;"),
        ClientStop::Watchpoint { address, access } => {
            let key = resume::watch_key(*access);
            text.push_str(&format!("{key}:{address:x};"));
        }
        ClientStop::Trap(what)
        | ClientStop::Uncaught(what)
        | ClientStop::Other(what)
        | ClientStop::Refused(what) => {
            let description = hex::encode(what.as_bytes());
            text.push_str(&format!("reason:exception;description:{description};"));
        }
        ClientStop::Exited(_) => {}
    }
    Reply::text(text)
}

#[cfg(test)]
mod tests {
    use super::frame_and_index;
    use crate::reply::Refusal;

    #[test]
    fn frames_and_indices_are_decimal() {
        assert_eq!(frame_and_index(b"0;12"), Ok((0, 12)));
        assert_eq!(frame_and_index(b"10;3;instance:0;"), Ok((10, 3)));
        for bad in [&b""[..], b"1", b";", b"1;", b"a;1", b"99999999999;0"] {
            assert_eq!(frame_and_index(bad), Err(Refusal::Malformed));
        }
    }
}
