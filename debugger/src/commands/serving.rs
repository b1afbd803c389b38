//! `gdb`: lets remote clients attach to the session that is open here.

use crate::debugger::Debugger;
use crate::error::Error;

/// Where to listen if nothing is said: any port of this machine.
const ANY_PORT: &str = "0";

pub(super) fn gdb(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let Some(serve) = debugger.shared.server() else {
        return Err(Error::other(
            "This front end has no server for gdb and lldb.",
        ));
    };
    let address = if arguments.is_empty() {
        ANY_PORT
    } else {
        arguments
    };
    let told = serve(address).map_err(|error| Error::Other(format!("{error}.")))?;
    debugger.say(told);
    Ok(())
}
