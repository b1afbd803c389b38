//! How clients let the program go on, and how its stops are told them.

use wdb_debugger::remote::{ClientStop, ModuleId, Movement, WatchAccess};

use crate::address::{Place, WireAddress};
use crate::hex;
use crate::reply::Refusal;

/// The movement that a `vCont` packet asks for: its first action, as there is one thread.
pub(crate) fn vcont(actions: &[u8]) -> Result<Movement, Refusal> {
    let first = actions.split(|it| *it == b';').find(|it| !it.is_empty());
    let first = first.ok_or(Refusal::Malformed)?;
    let action = first.split(|it| *it == b':').next().unwrap_or_default();
    match action {
        [b'c' | b'C', ..] => Ok(Movement::Continue),
        [b's' | b'S', ..] => Ok(Movement::Step),
        [b'r', range @ ..] => {
            let (start, end) = split(range, b',').ok_or(Refusal::Malformed)?;
            match (code_offset(start), code_offset(end)) {
                (Some((module, start)), Some((same, end))) if module == same => {
                    let range = start..end;
                    Ok(Movement::StepOut { module, range })
                }
                _ => Err(Refusal::Malformed),
            }
        }
        _ => Err(Refusal::Malformed),
    }
}

fn code_offset(digits: &[u8]) -> Option<(ModuleId, u32)> {
    match WireAddress(hex::number(digits)?).place() {
        Place::Code { module, pc } => Some((module, pc)),
        _ => None,
    }
}

/// The parts before and after the first separator.
pub(crate) fn split(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|it| *it == separator)?;
    Some((&text[..at], &text[at + 1..]))
}

/// The signal (in gdb's numbers) that stands for a stop, since natively such things arrive as signals.
pub(crate) fn signal(stop: &ClientStop) -> u8 {
    const SIGINT: u8 = 2;
    const SIGILL: u8 = 4;
    const SIGTRAP: u8 = 5;
    const SIGABRT: u8 = 6;
    const SIGFPE: u8 = 8;
    const SIGSEGV: u8 = 11;
    match stop {
        ClientStop::Interrupted => SIGINT,
        ClientStop::Uncaught(_) => SIGABRT,
        ClientStop::Trap(text) => {
            let has = |word: &str| text.contains(word);
            if has("memory") || has("stack") {
                SIGSEGV
            } else if has("divide") || has("overflow") || has("invalid conversion") {
                SIGFPE
            } else {
                SIGILL
            }
        }
        _ => SIGTRAP,
    }
}

/// The key under which both clients look for a watchpoint's address in a stop.
pub(crate) fn watch_key(access: WatchAccess) -> &'static str {
    match access {
        WatchAccess::Write => "watch",
        WatchAccess::Read => "rwatch",
        WatchAccess::Any => "awatch",
    }
}

#[cfg(test)]
mod tests {
    use wdb_debugger::remote::{ModuleId, Movement};

    use super::vcont;
    use crate::reply::Refusal;

    #[test]
    fn the_first_action_counts() {
        assert_eq!(vcont(b";c"), Ok(Movement::Continue));
        assert_eq!(vcont(b";s:1;c"), Ok(Movement::Step));
        assert_eq!(vcont(b";C05:1"), Ok(Movement::Continue));
        let (module, range) = (ModuleId(2), 0x10..0x20);
        let stepped = Movement::StepOut { module, range };
        assert_eq!(
            vcont(b";r4000000200000010,4000000200000020:1;c"),
            Ok(stepped)
        );
        let across = b";r4000000000000010,4000000100000020";
        for bad in [
            &b""[..],
            b";",
            b";x",
            b";r10,20",
            b";r4000000000000010",
            across,
        ] {
            assert_eq!(vcont(bad), Err(Refusal::Malformed));
        }
    }
}
