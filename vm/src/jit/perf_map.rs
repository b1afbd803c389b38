//! The names of machine code, for profilers of the system.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use super::Jit;
use super::code::Unit;
use super::listing::code_unit;
use crate::address::FuncAddr;

/// What gives the functions of the store their names.
pub(crate) type NameOf = Box<dyn Fn(FuncAddr) -> String + Send>;

/// A file as `perf` and others look for it: for each piece of code a line with its address, its size and its name.
pub(super) struct PerfMap {
    file: File,
    name_of: NameOf,
}

impl PerfMap {
    /// Adds a piece of code.
    pub(super) fn note(&mut self, unit: &Unit) {
        let unit = code_unit(unit);
        let mut name = format!("{} [{}]", (self.name_of)(unit.func), unit.tier.name());
        if let Some(pc) = unit.resumes_at {
            name.push_str(&format!(" from {pc}"));
        }
        // A line is a piece, whatever the guest calls its functions.
        let name = name.replace(char::is_control, " ");
        // A full disk is no reason to stop the program.
        let _ = writeln!(self.file, "{:x} {:x} {name}", unit.address, unit.bytes);
    }
}

impl Jit {
    /// Writes the names of all code from now on to a file, and of what there is already.
    pub(crate) fn write_perf_map(&mut self, name_of: NameOf) -> io::Result<PathBuf> {
        // Where profilers look, whatever the directory for temporary files is.
        let path = PathBuf::from(format!("/tmp/perf-{}.map", std::process::id()));
        let file = File::create(&path)?;
        let mut map = PerfMap { file, name_of };
        self.units.iter().flatten().for_each(|unit| map.note(unit));
        self.perf_map = Some(map);
        Ok(path)
    }
}
