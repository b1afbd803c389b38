//! The program that is debugged: its module, its debug info, its sources.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use wdb_dwarf::{CodeOffset, DebugInfo, Function, Sections, SourceLocation, TypeRef, Variable};
use wdb_vm::address::{FuncIndex, ModuleOffset};
use wdb_vm::disassemble::func_type_text;
use wdb_vm::module::{FEATURES, Module, ModuleError, Validation};
use wdb_vm::tier::Compile;

use crate::error::{Error, OpenError};
use crate::source::{Found, SourceFinder, SourceMissing, SourcePath, strip_directory};
use crate::view::{Disassembly, InstructionView, SourceSpot, SourceText};

/// What to debug.
#[derive(Debug, Clone)]
pub enum ProgramSource {
    /// A file in the binary or the text format.
    File(PathBuf),
    /// A program that is part of wdb.
    Embedded {
        /// Its name, for people.
        name: String,
        /// The module.
        bytes: Vec<u8>,
    },
}

/// Everything about the program that does not change while it runs. It answers on any thread, and keeps what it has
/// found out.
#[derive(Debug)]
pub struct Program {
    name: String,
    path: Option<PathBuf>,
    /// When the file was written, and its size.
    stamp: Option<(SystemTime, u64)>,
    module: Arc<Module>,
    info: DebugInfo,
    sources: SourceFinder,
    unit_directories: OnceLock<Vec<String>>,
    /// What the validation in the background found wrong.
    invalid: Mutex<Option<ModuleError>>,
    texts: Mutex<HashMap<Arc<str>, TextResult>>,
    disassemblies: Mutex<HashMap<u32, Arc<Disassembly>>>,
    places: Mutex<HashMap<CodeOffset, Arc<[CodePlace]>>>,
    variables: Mutex<HashMap<Inlining, Arc<[Variable]>>>,
}

/// An instruction, and how many of the inlined calls around it are left out.
type Inlining = (CodeOffset, usize);

/// A source file's text, or why it cannot be shown.
type TextResult = Result<Arc<SourceText>, SourceMissing>;

/// One of the functions that an instruction belongs to: itself, or one that was inlined there.
#[derive(Debug, Clone)]
pub(crate) struct CodePlace {
    /// The function's name: from debug info, the name section, an export, or `func[12]`.
    pub(crate) function: Arc<str>,
    /// The source position; of a function with calls inlined into it, that of the call.
    pub(crate) location: Option<SourceLocation>,
    /// The code of this inlined copy; empty for the function itself.
    pub(crate) inlined_ranges: Vec<std::ops::Range<CodeOffset>>,
    /// What it returns, if debug info says so.
    pub(crate) return_type: Option<TypeRef>,
}

/// Up to so many bytes of code, a program is validated as a whole in any case: it takes no time that anybody would notice, and
/// what is not valid is refused at once.
const VALIDATED_BYTES_MAX: usize = 1 << 20;

/// The longest disassembly that is kept whole, and how many.
const DISASSEMBLIES_MAX: usize = 64;

/// How many instructions' places are remembered before all are forgotten.
const PLACES_MAX: usize = 1 << 16;

impl Program {
    /// Reads, decodes and validates a program. Debug info is not parsed. With [`Compile::Lazy`], the functions of a program
    /// that has much code are validated when they are used.
    pub(crate) fn open(
        source: ProgramSource,
        compile: Compile,
        source_maps: Vec<(String, String)>,
        embedded_sources: Vec<(String, String)>,
    ) -> Result<Program, OpenError> {
        let (name, path, bytes): (_, _, Arc<[u8]>) = match source {
            ProgramSource::File(path) => {
                let bytes = read_program(&path)?;
                (path.display().to_string(), Some(path), bytes)
            }
            ProgramSource::Embedded { name, bytes } => (name, None, bytes.into()),
        };
        let parsed = Module::parse_with(bytes, path.as_deref(), FEATURES, Validation::OnUse);
        let validated = parsed.and_then(|module| {
            let has_much = module.code_section().len() > VALIDATED_BYTES_MAX;
            if !(has_much && compile == Compile::Lazy) {
                module.validate_all()?;
            }
            Ok(module)
        });
        let module = match validated {
            Ok(module) => module,
            Err(error) => return Err(OpenError::Module { name, error }),
        };
        let mut sections = Sections::new(module.bytes().clone());
        for section in module.custom_sections() {
            let range = section.range.start as usize..section.range.end as usize;
            sections.insert(&section.name, range);
        }
        let stamp = path.as_deref().and_then(stamp);
        Ok(Program {
            stamp,
            sources: SourceFinder::new(source_maps, path.as_deref(), embedded_sources),
            name,
            path,
            module,
            info: DebugInfo::new(sections),
            unit_directories: OnceLock::new(),
            invalid: Mutex::default(),
            texts: Mutex::default(),
            disassemblies: Mutex::default(),
            places: Mutex::default(),
            variables: Mutex::default(),
        })
    }

    /// The program's name: its path as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that the program was read from.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The program's file, if it is another one now than the one that was read.
    pub(crate) fn changed_file(&self) -> Option<&Path> {
        let path = self.path.as_deref()?;
        let now = stamp(path)?;
        (Some(now) != self.stamp).then_some(path)
    }

    /// Whether there is DWARF.
    #[must_use]
    pub fn has_debug_info(&self) -> bool {
        !self.info.is_empty()
    }

    /// The function whose body holds a module offset.
    #[must_use]
    pub fn func_at(&self, pc: u32) -> Option<u32> {
        self.module.func_at(ModuleOffset(pc)).map(|func| func.0)
    }

    /// The source position of an instruction.
    #[must_use]
    pub fn spot_at(&self, pc: u32) -> Option<SourceSpot> {
        let at = self.code_offset(ModuleOffset(pc))?;
        let location = self.info.location(at)?;
        (location.line > 0).then(|| self.spot(&location))
    }

    /// Where a line of a file begins: in each function and each inlined copy. Empty for a line without code.
    #[must_use]
    pub fn pcs_for_line(&self, recorded: &str, line: u32) -> Vec<u32> {
        let found = self.info.breakpoints_for_line(recorded, line);
        let exact = found.into_iter().filter(|place| place.line == line);
        exact
            .flat_map(|place| place.addresses)
            .filter_map(|at| self.instruction_at(at))
            .map(|pc| pc.0)
            .collect()
    }

    /// The text of a source file.
    ///
    /// # Errors
    /// The file is not there or cannot be read; the error says what to do.
    pub fn source_text(&self, spot: &SourceSpot) -> Result<Arc<SourceText>, SourceMissing> {
        self.text_of(&spot.recorded)
    }

    /// The instructions of a function; `None` for one without code, or none that is valid.
    #[must_use]
    pub fn disassembly(&self, func_index: u32) -> Option<Arc<Disassembly>> {
        let mut known = lock(&self.disassemblies);
        if let Some(disassembly) = known.get(&func_index) {
            return Some(disassembly.clone());
        }
        let disassembly = Arc::new(self.disassemble(FuncIndex(func_index))?);
        if known.len() >= DISASSEMBLIES_MAX {
            known.clear();
        }
        known.insert(func_index, disassembly.clone());
        Some(disassembly)
    }

    pub(crate) fn module(&self) -> &Arc<Module> {
        &self.module
    }

    pub(crate) fn info(&self) -> &DebugInfo {
        &self.info
    }

    /// The text of the source file that the debug info records under a path.
    pub(crate) fn text_of(&self, recorded: &Arc<str>) -> Result<Arc<SourceText>, SourceMissing> {
        if let Some(text) = lock(&self.texts).get(recorded) {
            return text.clone();
        }
        let text = self.sources.read(recorded).map(|(path, text)| {
            Arc::new(SourceText {
                path,
                lines: text.lines().map(str::to_owned).collect(),
                code_lines: self.info.lines_with_code(recorded).to_vec(),
            })
        });
        lock(&self.texts).insert(recorded.clone(), text.clone());
        text
    }

    /// An error that says what is wrong with a function that is not valid.
    pub(crate) fn expect_valid(&self, func: FuncIndex) -> Result<(), Error> {
        self.module.validate_func(func).map_err(|error| {
            let name = self.func_name(func);
            Error::Other(match error {
                ModuleError::Invalid { offset, message } => format!(
                    "{name} (func {}) is not valid: {message} at offset 0x{offset:x}.",
                    func.0
                ),
                error => format!("{name} (func {}): {error}.", func.0),
            })
        })
    }

    /// Validates what was not yet, on a thread of its own beside the program. What is wrong is told once, by
    /// [`Program::take_invalid`].
    pub(crate) fn validate_in_background(self: &Arc<Program>) {
        let program = Arc::clone(self);
        // Without a thread, functions are still validated when they are used.
        let _ = std::thread::Builder::new()
            .name("wdb-validation".to_owned())
            .spawn(move || {
                if let Err(error) = program.module.validate_in_order() {
                    *lock(&program.invalid) = Some(error);
                }
            });
    }

    /// What the validation in the background found wrong since the last time.
    pub(crate) fn take_invalid(&self) -> Option<ModuleError> {
        lock(&self.invalid).take()
    }

    /// Where DWARF counts an instruction; `None` before the code section.
    pub(crate) fn code_offset(&self, pc: ModuleOffset) -> Option<CodeOffset> {
        let offset = pc.0.checked_sub(self.module.dwarf_base().0)?;
        Some(CodeOffset(offset))
    }

    /// Where in the module an address of DWARF lies.
    pub(crate) fn module_offset(&self, at: CodeOffset) -> Option<ModuleOffset> {
        let offset = at.0.checked_add(self.module.dwarf_base().0)?;
        Some(ModuleOffset(offset))
    }

    /// The instruction for an address of DWARF. A function's first address is where its locals are declared, which no
    /// program ever stands at: it counts as the first instruction.
    pub(crate) fn instruction_at(&self, at: CodeOffset) -> Option<ModuleOffset> {
        let pc = self.module_offset(at)?;
        let func = self.module.func_at(pc)?;
        let code = self.module.func_body(func)?.code.clone();
        if pc.0 <= code.start {
            return Some(ModuleOffset(code.start));
        }
        self.is_instruction(func, pc).then_some(pc)
    }

    /// Whether an instruction of the function begins at an offset.
    pub(crate) fn is_instruction(&self, func: FuncIndex, pc: ModuleOffset) -> bool {
        let mut instructions = self.module.instructions(func);
        instructions
            .find(|instruction| instruction.pc >= pc)
            .is_some_and(|instruction| instruction.pc == pc)
    }

    /// The functions that an instruction belongs to, the innermost inlined one first, the wasm function last.
    pub(crate) fn places_at(&self, pc: ModuleOffset) -> Arc<[CodePlace]> {
        let Some(at) = self.code_offset(pc) else {
            return Arc::new([]);
        };
        if let Some(places) = lock(&self.places).get(&at) {
            return places.clone();
        }
        let places: Arc<[CodePlace]> = self.find_places(pc, at).into();
        let mut known = lock(&self.places);
        if known.len() >= PLACES_MAX {
            known.clear();
        }
        known.insert(at, places.clone());
        places
    }

    /// The variables of the function, or of the inlined call, at an address.
    pub(crate) fn variables_at(&self, at: CodeOffset, inline: usize) -> Arc<[Variable]> {
        if let Some(variables) = lock(&self.variables).get(&(at, inline)) {
            return variables.clone();
        }
        let variables: Arc<[Variable]> = self.info.variables(at, inline).into();
        let mut known = lock(&self.variables);
        if known.len() >= PLACES_MAX {
            known.clear();
        }
        known.insert((at, inline), variables.clone());
        variables
    }

    /// How many inlined calls begin exactly at an instruction. Who arrives there from the code around them stands before the
    /// calls, and not yet in them.
    pub(crate) fn inlined_starts(&self, pc: ModuleOffset) -> usize {
        let Some(at) = self.code_offset(pc) else {
            return 0;
        };
        let places = self.places_at(pc);
        let starts = |place: &&CodePlace| place.inlined_ranges.iter().any(|it| it.start == at);
        places.iter().take_while(starts).count()
    }

    /// The source line of an address; of one that belongs to no line, that of the code before it in the same function.
    fn line_at_or_before(&self, at: CodeOffset) -> Option<SourceLocation> {
        /// Code without a line is short: a compiler's joint between two statements.
        const ROWS_MAX: usize = 8;
        let function = self.info.function_at(at)?;
        let mut at = at;
        for _ in 0..ROWS_MAX {
            let row = self.info.line_row(at)?;
            if row.location.line > 0 {
                return Some(row.location);
            }
            at = CodeOffset(row.range.start.0.checked_sub(1)?);
            if !function.contains(at) {
                return None;
            }
        }
        None
    }

    fn find_places(&self, pc: ModuleOffset, at: CodeOffset) -> Vec<CodePlace> {
        let mut location = self.line_at_or_before(at);
        let mut places = Vec::new();
        for inlined in self.info.inlined_frames(at) {
            places.push(CodePlace {
                function: inlined.function,
                location: std::mem::replace(&mut location, inlined.call_site),
                inlined_ranges: inlined.ranges,
                return_type: Some(inlined.return_type),
            });
        }
        let function = self.info.function_at(at);
        places.push(CodePlace {
            function: self.function_name(function.as_ref(), pc),
            location,
            inlined_ranges: Vec::new(),
            return_type: function.map(|function| function.return_type),
        });
        places
    }

    fn function_name(&self, function: Option<&Function>, pc: ModuleOffset) -> Arc<str> {
        match (function, self.module.func_at(pc)) {
            (Some(function), _) => function.name.clone(),
            (None, Some(func)) => self.module.func_display_name(func).into(),
            (None, None) => "??".into(),
        }
    }

    /// The name of a wasm function: from debug info, the name section, an import, an export, or `func[12]`.
    pub(crate) fn func_name(&self, func: FuncIndex) -> Arc<str> {
        match self.module.func_body(func) {
            Some(body) => {
                let pc = ModuleOffset(body.code.start);
                let places = self.places_at(pc);
                let place = places.last();
                place.map_or_else(|| "??".into(), |place| place.function.clone())
            }
            None => self.module.func_display_name(func).into(),
        }
    }

    /// Looks for sources elsewhere from now on.
    pub(crate) fn set_source_path(&self, path: SourcePath) {
        self.sources.set_path(path);
        lock(&self.texts).clear();
    }

    /// Whether a source file can be shown.
    pub(crate) fn has_source(&self, recorded: &Arc<str>) -> bool {
        self.sources.find(recorded).is_some()
    }

    /// A position with the file on this machine.
    pub(crate) fn spot(&self, location: &SourceLocation) -> SourceSpot {
        let resolved = match self.sources.find(&location.file) {
            Some(Found::File(path)) => Some(path),
            Some(Found::Embedded(_)) | None => None,
        };
        SourceSpot {
            recorded: location.file.clone(),
            resolved,
            line: location.line,
            column: location.column,
        }
    }

    /// The path to show for a file: as it was given to the compiler, if that can be told.
    pub(crate) fn display_path<'a>(&self, recorded: &'a str) -> &'a str {
        let directories = self.unit_directories.get_or_init(|| {
            let units = self.info.summary().units;
            let mut directories: Vec<String> =
                units.into_iter().map(|unit| unit.directory).collect();
            directories.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
            directories.dedup();
            directories.retain(|directory| directory.len() > 1);
            directories
        });
        let stripped = directories
            .iter()
            .find_map(|directory| strip_directory(recorded, directory));
        stripped.filter(|rest| !rest.is_empty()).unwrap_or(recorded)
    }

    fn disassemble(&self, func: FuncIndex) -> Option<Disassembly> {
        self.module.func_body(func)?;
        self.module.validate_func(func).ok()?;
        let mut lines = Vec::new();
        // The line of the current row of the line table, and where the row ends.
        let mut row: (Option<(Arc<str>, u32)>, CodeOffset) = (None, CodeOffset(0));
        for line in self.module.disassemble(func) {
            let at = self.code_offset(line.instruction.pc)?;
            if at >= row.1 {
                row = match self.info.line_row(at) {
                    Some(found) => {
                        let has_line = found.location.line > 0;
                        let source = has_line.then_some((found.location.file, found.location.line));
                        (source, found.range.end.max(CodeOffset(at.0 + 1)))
                    }
                    None => (None, CodeOffset(at.0 + 1)),
                };
            }
            let info = line.instruction.info();
            lines.push(InstructionView {
                pc: line.instruction.pc.0,
                nesting: line.nesting,
                text: line.text,
                explanation: info.explanation,
                effect: info.effect,
                source: row.0.clone(),
            });
        }
        Some(Disassembly {
            func_index: func.0,
            function: self.func_name(func).to_string(),
            signature: func_type_text(self.module.func_type(func)),
            lines,
        })
    }
}

/// When a file was written, and its size.
fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = path.metadata().ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// Reads a file into memory that can be shared as it is: a large program is never there twice.
fn read_program(path: &Path) -> Result<Arc<[u8]>, OpenError> {
    if path.is_dir() {
        return Err(OpenError::Directory(path.to_owned()));
    }
    let read = || {
        let mut file = File::open(path)?;
        let size = usize::try_from(file.metadata()?.len()).unwrap_or(0);
        let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, size).collect();
        let room = Arc::get_mut(&mut bytes).expect("nobody else has it yet");
        file.read_exact(room)?;
        // What has no size, such as a pipe, or grew meanwhile.
        let mut rest = Vec::new();
        file.read_to_end(&mut rest)?;
        if !rest.is_empty() {
            bytes = [&bytes, &*rest].concat().into();
        }
        Ok(bytes)
    };
    read().map_err(|error| OpenError::Read {
        path: path.to_owned(),
        error,
    })
}

/// A poisoned cache is as good as any: every entry is complete.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
