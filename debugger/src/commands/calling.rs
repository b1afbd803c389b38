//! Commands that change what the program does: calls, jumps, forced returns.

use wdb_dwarf::{TypeKind, TypeRef};
use wdb_vm::value::Value as MachineValue;

use crate::calls::machine_value;
use crate::commands::format::FormatSpec;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::expression::Scope;
use crate::location::Location;
use crate::report::Report;
use crate::view::ProgramState;

/// `call EXPRESSION`: like `print`, but what the functions do is kept, and nothing is printed for `void`.
pub(super) fn call(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let (format, expression) = FormatSpec::split(arguments)?;
    debugger.keeps_calls.set(true);
    let value = debugger.evaluate(expression);
    debugger.keeps_calls.set(false);
    let value = value?;
    debugger.is_view_stale = true;
    let info = debugger.program.info();
    if matches!(
        info.type_of(info.resolve(value.type_ref)).kind,
        TypeKind::Void
    ) {
        return Ok(());
    }
    debugger.tell_value(value, format, false)
}

/// `jump LOCATION`: goes on at another place of the function.
pub(super) fn jump(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    debugger.expect_alive()?;
    if arguments.is_empty() {
        return Err(Error::other(
            "jump needs a location, as in `jump 12` or `jump *0x1a3`.",
        ));
    }
    let pcs = debugger.resolve(&Location::parse(arguments)?)?;
    let module = debugger.program.module().clone();
    let here = debugger.vm.get_mut().frame(0).map(|frame| frame.index);
    let inside: Vec<_> = pcs
        .iter()
        .filter(|pc| module.func_at(**pc) == here)
        .collect();
    let [pc] = &*inside else {
        return Err(Error::Other(match inside.len() {
            0 => format!("{arguments} is not in the current function; a jump cannot leave it."),
            count => format!(
                "{arguments} stands for {count} places of the current function; name one as *OFFSET."
            ),
        }));
    };
    let pc = **pc;
    let jumped = debugger.vm.get_mut().jump(pc);
    jumped.map_err(|error| Error::Other(format!("Cannot jump to {pc}: {error}.")))?;
    if debugger.state == ProgramState::Trapped {
        debugger.state = ProgramState::Stopped;
    }
    debugger.selected = 0;
    debugger.say(format!("Continuing at {pc}."));
    debugger.resume()
}

/// `return [EXPRESSION]`: ends the selected frame as if it had returned.
pub(super) fn return_(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let frame = debugger.expect_frame()?;
    if frame.is_inlined() {
        return Err(Error::other(
            "Can not force return from an inlined function; select the frame that it is inlined into.",
        ));
    }
    let results = debugger
        .program
        .module()
        .func_type(frame.func_index())
        .results()
        .to_vec();
    let values = match (arguments, &*results) {
        (_, []) => Vec::new(),
        ("", results) => results.iter().map(|ty| MachineValue::zero(*ty)).collect(),
        (text, [ty]) => {
            let value = debugger.evaluate(text)?;
            let scope = debugger.scope();
            let value = match frame.place().return_type {
                Some(type_ref) if type_ref != TypeRef::VOID => {
                    scope.inspector().cast(&value, type_ref)?
                }
                _ => value,
            };
            let vm = debugger.vm.borrow();
            vec![machine_value(&scope.inspector(), &vm, *ty, &value)?]
        }
        _ => {
            return Err(Error::other(
                "The function returns several values; `return` without a value makes them all zero.",
            ));
        }
    };
    let forced = debugger.vm.get_mut().force_return(frame.machine, &values);
    forced.map_err(|error| Error::Other(format!("Cannot return: {error}.")))?;
    debugger.selected = 0;
    debugger.hidden_inlines = 0;
    debugger.list.forget();
    debugger.is_view_stale = true;
    debugger.state = ProgramState::Stopped;
    match debugger.frames().next() {
        Some(frame) => {
            let report = debugger.frame_report(&frame, Some(0), true);
            debugger.answer(Report::Frame(report));
        }
        None => debugger.say("The outermost function has returned; `continue` ends the program."),
    }
    Ok(())
}
