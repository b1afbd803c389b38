//! Where a command means: `fib`, `fib.c:12`, `12`, `+3`, `*0x1a3`.

use std::collections::BTreeSet;
use std::sync::Arc;

use wdb_vm::address::{FuncIndex, ModuleOffset};

use crate::error::Error;
use crate::program::Program;

/// A place in the program as a person writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// A line of the current file.
    Line(u32),
    /// So many lines after (or before) the current one.
    Offset(i64),
    /// A line of a file.
    FileLine(String, u32),
    /// A function of a file.
    FileFunction(String, String),
    /// A function by name.
    Function(String),
    /// An address of code; the text is an expression.
    Address(String),
}

/// Where in the source a location without a file counts from.
#[derive(Debug, Clone)]
pub(crate) struct CurrentLine {
    pub(crate) file: Arc<str>,
    pub(crate) line: u32,
}

impl Location {
    /// Understands a location; it takes the whole text.
    pub(crate) fn parse(text: &str) -> Result<Location, Error> {
        let text = text.trim();
        if let Some(address) = text.strip_prefix('*') {
            return Ok(Location::Address(address.trim().to_owned()));
        }
        if text.starts_with(['+', '-'])
            && let Ok(offset) = text.parse::<i64>()
        {
            return Ok(Location::Offset(offset));
        }
        if let Ok(line) = text.parse::<u32>() {
            return Ok(Location::Line(line));
        }
        if let Some((file, rest)) = split_file(text) {
            return Ok(match rest.parse::<u32>() {
                Ok(line) => Location::FileLine(file.to_owned(), line),
                Err(_) => Location::FileFunction(file.to_owned(), rest.to_owned()),
            });
        }
        if text.is_empty() {
            return Err(Error::other(
                "A location is expected: a function, FILE:LINE, LINE or *OFFSET.",
            ));
        }
        let name = text.trim_matches('\'');
        Ok(Location::Function(name.to_owned()))
    }
}

/// Splits `FILE:REST` at the last colon that is not part of `::`.
fn split_file(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let is_single = |position: &usize| {
        bytes[*position] == b':'
            && bytes.get(position + 1) != Some(&b':')
            && (*position == 0 || bytes[position - 1] != b':')
    };
    let position = (0..bytes.len()).rev().find(is_single)?;
    let (file, rest) = (text[..position].trim(), text[position + 1..].trim());
    (!file.is_empty() && !rest.is_empty()).then_some((file, rest))
}

/// Looks for the code of locations.
pub(crate) struct Resolver<'a> {
    pub(crate) program: &'a Program,
    pub(crate) current: Option<CurrentLine>,
    /// The value of an address expression.
    pub(crate) address: &'a dyn Fn(&str) -> Result<u64, Error>,
}

impl Resolver<'_> {
    /// The code that a location stands for, ascending; never empty.
    pub(crate) fn resolve(&self, location: &Location) -> Result<Vec<ModuleOffset>, Error> {
        let mut pcs = match location {
            Location::Line(line) => {
                let current = self.current()?;
                self.line(&current.file, *line)?
            }
            Location::Offset(offset) => {
                let current = self.current()?;
                let line = i64::from(current.line) + offset;
                let line = u32::try_from(line.max(1)).unwrap_or(u32::MAX);
                self.line(&current.file, line)?
            }
            Location::FileLine(file, line) => self.line(file, *line)?,
            Location::FileFunction(file, function) => self.function_of_file(file, function)?,
            Location::Function(name) => self.function(name)?,
            Location::Address(text) => vec![self.code_address((self.address)(text)?)?],
        };
        pcs.sort_unstable();
        pcs.dedup();
        Ok(pcs)
    }

    fn current(&self) -> Result<&CurrentLine, Error> {
        self.current.as_ref().ok_or_else(|| {
            Error::other("There is no current source file; name one as in FILE:LINE.")
        })
    }

    fn line(&self, file: &str, line: u32) -> Result<Vec<ModuleOffset>, Error> {
        let info = self.program.info();
        if !self.program.has_debug_info() {
            return Err(no_debug_info());
        }
        let found = info.breakpoints_for_line(file, line);
        if found.is_empty() {
            return Err(match info.files_matching(file).first() {
                Some(path) => Error::NoLine {
                    file: self.program.display_path(path).to_owned(),
                    line,
                    last: info.lines_with_code(path).last().copied(),
                },
                None => self.no_file(file),
            });
        }
        let addresses = found.into_iter().flat_map(|place| place.addresses);
        let pcs: Vec<ModuleOffset> = addresses
            .filter_map(|at| self.program.instruction_at(at))
            .collect();
        if pcs.is_empty() {
            return Err(Error::other(format!(
                "The line table has line {line} of {file}, but not at an instruction of the code."
            )));
        }
        Ok(pcs)
    }

    fn function(&self, name: &str) -> Result<Vec<ModuleOffset>, Error> {
        let pcs = function_places(self.program, name);
        if !pcs.is_empty() {
            return Ok(pcs);
        }
        if let Some(import) = import_named(self.program, name) {
            return Err(Error::other(format!(
                "Function \"{name}\" is imported ({import}); it has no code here to stop in."
            )));
        }
        Err(Error::NoFunction {
            name: name.to_owned(),
            near: nearest(
                name,
                function_names(self.program).iter().map(|name| &**name),
            ),
        })
    }

    fn function_of_file(&self, file: &str, name: &str) -> Result<Vec<ModuleOffset>, Error> {
        let files = self.program.info().files_matching(file);
        if files.is_empty() {
            return Err(self.no_file(file));
        }
        let mut pcs = self.function(name)?;
        pcs.retain(|pc| {
            let places = self.program.places_at(*pc);
            let location = places.first().and_then(|place| place.location.as_ref());
            location.is_some_and(|location| files.contains(&location.file))
        });
        if pcs.is_empty() {
            return Err(Error::other(format!(
                "Function \"{name}\" not defined in \"{file}\"."
            )));
        }
        Ok(pcs)
    }

    /// An address of code, checked to be one.
    fn code_address(&self, address: u64) -> Result<ModuleOffset, Error> {
        let module = self.program.module();
        let pc = u32::try_from(address).map(ModuleOffset);
        let found = pc.ok().and_then(|pc| Some((pc, module.func_at(pc)?)));
        let Some((pc, func)) = found else {
            let code = module.code_section();
            return Err(Error::other(format!(
                "0x{address:x} is not in a function's code; code lies from 0x{:x} to 0x{:x}.",
                code.start, code.end
            )));
        };
        let (before, after) = neighbours(self.program, func, pc);
        match (before, after) {
            (_, Some(after)) if after == pc => Ok(pc),
            (before, after) => {
                let nearest: Vec<String> = before
                    .iter()
                    .chain(&after)
                    .map(ToString::to_string)
                    .collect();
                Err(Error::other(format!(
                    "{pc} is not the start of an instruction; the nearest are {}.",
                    nearest.join(" and ")
                )))
            }
        }
    }

    fn no_file(&self, name: &str) -> Error {
        if !self.program.has_debug_info() {
            return no_debug_info();
        }
        let files = self.program.info().files();
        let last = |path: &str| path.rsplit(['/', '\\']).next().unwrap_or("").to_owned();
        let names: Vec<String> = files.iter().map(|path| last(path)).collect();
        Error::NoFile {
            name: name.to_owned(),
            near: nearest(&last(name), names.iter().map(String::as_str)),
        }
    }
}

fn no_debug_info() -> Error {
    Error::other(
        "The program has no debug info about source lines; compile it with -g, or use *OFFSET.",
    )
}

/// The last instruction before an offset, and the first at or after it.
fn neighbours(
    program: &Program,
    func: FuncIndex,
    pc: ModuleOffset,
) -> (Option<ModuleOffset>, Option<ModuleOffset>) {
    let mut before = None;
    for instruction in program.module().instructions(func) {
        if instruction.pc >= pc {
            return (before, Some(instruction.pc));
        }
        before = Some(instruction.pc);
    }
    (before, None)
}

/// Where breakpoints on the functions of a name go: after the prologue as debug info has it, else at the first
/// instruction of the functions that the name section or an export calls so.
pub(crate) fn function_places(program: &Program, name: &str) -> Vec<ModuleOffset> {
    let found = program.info().breakpoints_for_function(name);
    let places: Vec<ModuleOffset> = found
        .into_iter()
        .filter_map(|place| program.instruction_at(place.address))
        .collect();
    if !places.is_empty() {
        return places;
    }
    funcs_named(program, name)
        .into_iter()
        .filter_map(|func| program.module().func_body(func))
        .map(|body| ModuleOffset(body.code.start))
        .collect()
}

/// Those of a location's places at which an inlined call begins that the location means: its own function or line, and not
/// the code around it.
pub(crate) fn inlined_places(
    program: &Program,
    location: &Location,
    pcs: &[ModuleOffset],
) -> BTreeSet<ModuleOffset> {
    let name = match location {
        Location::Function(name) | Location::FileFunction(_, name) => name,
        _ => return pcs.iter().copied().collect(),
    };
    let found = program.info().breakpoints_for_function(name);
    found
        .into_iter()
        .filter(|place| place.is_inlined)
        .filter_map(|place| program.instruction_at(place.address))
        .collect()
}

/// The wasm functions that the name section, an export or `func[N]` call so.
pub(crate) fn funcs_named(program: &Program, name: &str) -> Vec<FuncIndex> {
    let module = program.module();
    let number = name
        .strip_prefix("func[")
        .and_then(|rest| rest.strip_suffix(']')?.parse().ok());
    if let Some(number) = number {
        let exists = number < module.func_count();
        return exists.then_some(FuncIndex(number)).into_iter().collect();
    }
    let name = name.strip_prefix('$').unwrap_or(name);
    let funcs = (module.imported_func_count()..module.func_count()).map(FuncIndex);
    let by_name: Vec<FuncIndex> = funcs
        .filter(|func| {
            module
                .func_name(*func)
                .is_some_and(|found| found == name || without_parameters(found) == name)
        })
        .collect();
    if !by_name.is_empty() {
        return by_name;
    }
    let exports = module.exports().iter();
    exports
        .filter(|export| {
            export.kind == wdb_vm::module::ExportKind::Func
                && export.name == name
                && export.index >= module.imported_func_count()
        })
        .map(|export| FuncIndex(export.index))
        .collect()
}

/// The import that a name stands for, as `module.name`.
fn import_named(program: &Program, name: &str) -> Option<String> {
    let module = program.module();
    let imports = module
        .imports()
        .iter()
        .filter(|import| matches!(import.ty, wdb_vm::module::ImportType::Func(_)));
    imports
        .enumerate()
        .find(|(index, import)| {
            let func = FuncIndex(u32::try_from(*index).unwrap_or(u32::MAX));
            import.name == name || module.func_name(func) == Some(name)
        })
        .map(|(_, import)| format!("{}.{}", import.module, import.name))
}

/// A demangled C++ name without the types of its parameters.
fn without_parameters(name: &str) -> &str {
    name.find('(').map_or(name, |end| &name[..end])
}

/// The names of all functions with code, for completion and suggestions.
pub(crate) fn function_names(program: &Program) -> Vec<Arc<str>> {
    let symbols = program.info().all_functions();
    if !symbols.is_empty() {
        let mut names: Vec<Arc<str>> = symbols.iter().map(|symbol| symbol.name.clone()).collect();
        names.dedup();
        return names;
    }
    let module = program.module();
    let funcs = module.imported_func_count()..module.func_count();
    funcs
        .map(|func| module.func_display_name(FuncIndex(func)).into())
        .collect()
}

/// The candidates that differ least from a name, at most three, and none that has little to do with it.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Vec<String> {
    const COUNT_MAX: usize = 3;
    const LENGTH_MAX: usize = 64;
    if name.is_empty() || name.len() > LENGTH_MAX {
        return Vec::new();
    }
    let allowed = (name.len() / 3).max(1);
    let wanted = name.to_ascii_lowercase();
    let mut found: Vec<(usize, &str)> = candidates
        .filter_map(|candidate| {
            let last = candidate.rsplit("::").next().unwrap_or(candidate);
            let shown = if name.contains("::") { candidate } else { last };
            if shown.len().abs_diff(name.len()) > allowed {
                return None;
            }
            let distance = edit_distance(&wanted, &shown.to_ascii_lowercase());
            (distance <= allowed).then_some((distance, shown))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    let best = found.first().map_or(0, |(distance, _)| *distance);
    found
        .into_iter()
        .take_while(|(distance, _)| *distance == best)
        .take(COUNT_MAX)
        .map(|(_, name)| name.to_owned())
        .collect()
}

/// How many characters must be changed, added or removed to get from one text to the other (Levenshtein).
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let cost = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{Location, nearest};

    #[test]
    fn locations_are_told_apart() {
        let cases = [
            ("12", Location::Line(12)),
            ("+3", Location::Offset(3)),
            ("-3", Location::Offset(-3)),
            ("fib.c:12", Location::FileLine("fib.c".into(), 12)),
            ("C:/x/fib.c:12", Location::FileLine("C:/x/fib.c".into(), 12)),
            (
                "fib.c:ns::fib",
                Location::FileFunction("fib.c".into(), "ns::fib".into()),
            ),
            ("fib", Location::Function("fib".into())),
            (
                "ns::List::push",
                Location::Function("ns::List::push".into()),
            ),
            ("'f(int)'", Location::Function("f(int)".into())),
            ("func[3]", Location::Function("func[3]".into())),
            ("*0x1a3", Location::Address("0x1a3".into())),
            ("* $pc + 2", Location::Address("$pc + 2".into())),
        ];
        for (text, wanted) in cases {
            assert_eq!(Location::parse(text), Ok(wanted), "{text}");
        }
        assert!(Location::parse(" ").is_err());
    }

    #[test]
    fn suggestions_are_near() {
        let names = ["fib", "main", "printf", "ns::push"];
        assert_eq!(nearest("fibb", names.into_iter()), ["fib"]);
        assert_eq!(nearest("psuh", names.into_iter()), Vec::<String>::new());
        assert_eq!(nearest("pushh", names.into_iter()), ["push"]);
        assert_eq!(
            nearest("completely", names.into_iter()),
            Vec::<String>::new()
        );
    }
}
