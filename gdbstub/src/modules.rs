//! The modules of a session as clients see them: each at an address of its own, under a name of its own.
//!
//! A session has one today, the program. What is here does not rely upon that.

use std::sync::Arc;

use wdb_debugger::Program;
use wdb_debugger::remote::ModuleId;
use wdb_debugger::session::Session;

use crate::address::WireAddress;

/// The modules by their numbers.
pub(crate) struct Modules(Vec<Arc<Program>>);

impl Modules {
    pub(crate) fn of(session: &Session) -> Modules {
        Modules(session.modules())
    }

    pub(crate) fn get(&self, module: ModuleId) -> Option<&Arc<Program>> {
        self.0.get(module.0 as usize)
    }

    /// A module's bytes; none of one that there is not.
    pub(crate) fn bytes(&self, module: ModuleId) -> &[u8] {
        self.get(module).map_or(&[], |program| program.bytes())
    }

    fn numbered(&self) -> impl Iterator<Item = (ModuleId, &Arc<Program>)> {
        (0..).map(ModuleId).zip(&self.0)
    }

    /// lldb's list of libraries, each at the address of its first byte. Given a path, lldb loads the file if it has it, which
    /// spares it reading the module packet by packet.
    pub(crate) fn libraries(&self) -> String {
        let mut names: Vec<String> = Vec::new();
        let mut list = String::from("<library-list>");
        for (module, program) in self.numbered() {
            let mut name = library_name(program);
            // lldb takes modules of one name for one module.
            if names.contains(&name) {
                name = format!("{name}#{}", module.0);
            }
            list.push_str(&format!(
                "<library name=\"{}\"><section address=\"{:#x}\"/></library>",
                escape_xml(&name),
                WireAddress::code(module, 0).0
            ));
            names.push(name);
        }
        list.push_str("</library-list>");
        list
    }

    /// The addresses around one of code, of a module or between two: where they begin, how many there are, and whether it is a module's.
    pub(crate) fn region(&self, address: WireAddress) -> (u64, u64, bool) {
        // Behind the last module there is nothing, up to the end of the address space.
        let mut hole = (WireAddress::code(ModuleId(0), 0).0, 0);
        for (module, program) in self.numbered() {
            let start = WireAddress::code(module, 0).0;
            let end = start + program.bytes().len() as u64;
            if (start..end).contains(&address.0) {
                return (start, end - start, true);
            }
            if address.0 < start {
                hole.1 = start;
                break;
            }
            hole.0 = end;
        }
        (hole.0, hole.1.wrapping_sub(hole.0), false)
    }
}

fn library_name(program: &Program) -> String {
    let path = program.path().filter(|path| {
        // A text module is no file that lldb can read.
        path.extension().is_none_or(|extension| extension != "wat")
    });
    let absolute = path.and_then(|path| path.canonicalize().ok());
    absolute.map_or_else(
        || program.name().to_owned(),
        |path| path.display().to_string(),
    )
}

/// A text as an attribute's value.
fn escape_xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // No XML document can hold them, escaped or not.
            character if character.is_control() => escaped.push('?'),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use wdb_debugger::ProgramSource;
    use wdb_debugger::remote::ModuleId;
    use wdb_debugger::session::{Session, SessionOptions};

    use super::{Modules, escape_xml};
    use crate::address::WireAddress;

    #[test]
    fn names_are_escaped_for_xml() {
        assert_eq!(escape_xml("a<b&\"c\">\n"), "a&lt;b&amp;&quot;c&quot;&gt;?");
    }

    /// `fib`, `traps`, and `fib` again.
    fn three() -> Modules {
        let programs = ["fib/fib.wasm", "traps/traps.wasm", "fib/fib.wasm"].map(|name| {
            let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples");
            let options = SessionOptions {
                invoke: name
                    .contains("traps")
                    .then(|| ("unreachable".to_owned(), Vec::new())),
                ..SessionOptions::default()
            };
            let source = ProgramSource::File(samples.join(name));
            let session = Session::open(source, options).expect("samples are programs");
            session.program()
        });
        Modules(programs.to_vec())
    }

    #[test]
    fn each_module_has_a_name_and_an_address_of_its_own() {
        let modules = three();
        let list = modules.libraries();
        let libraries: Vec<&str> = list.split("<library ").skip(1).collect();
        assert_eq!(libraries.len(), 3);
        let ends = [
            "fib/fib.wasm\"><section address=\"0x4000000000000000\"",
            "traps/traps.wasm\"><section address=\"0x4000000100000000\"",
            "fib/fib.wasm#2\"><section address=\"0x4000000200000000\"",
        ];
        for (library, end) in libraries.iter().zip(ends) {
            assert!(library.contains(end), "{library}");
        }
        let second = modules.get(ModuleId(1)).expect("there are three");
        assert_eq!(modules.bytes(ModuleId(1)), &**second.bytes());
        assert!(modules.bytes(ModuleId(3)).is_empty());
        assert!(Arc::ptr_eq(second, &modules.0[1]));
    }

    #[test]
    fn regions_cover_all_addresses_of_code() {
        let modules = three();
        let length = |module| modules.bytes(ModuleId(module)).len() as u64;
        let mut next = WireAddress::code(ModuleId(0), 0).0;
        let mut of_modules = Vec::new();
        loop {
            let (start, size, is_module) = modules.region(WireAddress(next));
            assert_eq!(start, next);
            assert_eq!(modules.region(WireAddress(start + size / 2)).0, start);
            if is_module {
                of_modules.push((start, size));
            }
            next = start.wrapping_add(size);
            if next == 0 {
                break;
            }
        }
        assert_eq!(
            of_modules,
            [
                (0x4000_0000_0000_0000, length(0)),
                (0x4000_0001_0000_0000, length(1)),
                (0x4000_0002_0000_0000, length(2)),
            ]
        );
    }
}
