//! Exceptions for people: what is thrown, where it was thrown and what handles it.
//!
//! WebAssembly knows tags and values. Programs in C++ throw all exceptions with one tag and a pointer; the type of what they
//! throw lies in memory before what the pointer leads to (Itanium C++ ABI, "Exception Handling", section 2.2.1, as LLVM's libc++abi
//! lays it out).

use cpp_demangle::Symbol;
use regex_lite::Regex;
use wdb_dwarf::{Place, TypeKind, Value};
use wdb_vm::address::{ModuleOffset, TagAddr};
use wdb_vm::exceptions::{Exception, HandlerPlace, Origin};
use wdb_vm::module::ExportKind;
use wdb_vm::value::{Reference, Value as MachineValue};

use crate::debugger::Debugger;
use crate::error::Error;
use crate::expression::Scope;
use crate::process::PROGRAM_INSTANCE;
use crate::report::{ExceptionReport, HandlerReport, PlaceReport};
use crate::scope::FrameScope;

/// Which exceptions a catchpoint waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExceptionFilter {
    /// All of them.
    All,
    /// Those with one tag, which the user named so.
    Tag(String, TagAddr),
    /// Those whose type in the source matches a regular expression.
    Type(String),
}

impl ExceptionFilter {
    /// As the user wrote it.
    pub(crate) fn text(&self) -> &str {
        match self {
            ExceptionFilter::All => "",
            ExceptionFilter::Tag(text, _) | ExceptionFilter::Type(text) => text,
        }
    }
}

/// What the source language knows of an exception.
#[derive(Debug, Clone)]
pub(crate) struct SourceException {
    /// Its type.
    pub(crate) type_name: String,
    /// What was thrown, where debug info describes the type.
    pub(crate) value: Option<Value>,
    /// Where it lies, and its `std::type_info`.
    object: Option<CppObject>,
}

/// An object of a C++ program.
#[derive(Debug, Clone, Copy)]
struct CppObject {
    address: u64,
    type_info: u64,
    pointer_bytes: usize,
}

/// Where the parts of a C++ exception lie, as distances in bytes from what the thrown pointer leads to.
struct CppLayout {
    pointer_bytes: usize,
    /// The address of the `std::type_info`, before it.
    type_info: u64,
    /// What was thrown, behind it.
    object: u64,
}

/// What `_Unwind_Exception` begins with: the class of exceptions of LLVM's C++ runtime, but for its last byte.
const CPP_CLASS: &[u8; 7] = b"CLNGC++";

/// The longest name of a type that is read.
const NAME_BYTES_MAX: u64 = 4096;

impl Debugger {
    /// An exception as it is told.
    pub(crate) fn exception_report(&self, exception: &Exception) -> ExceptionReport {
        let source = self.source_exception(exception);
        let object = source.as_ref().and_then(|source| source.object);
        let message = object.and_then(|object| self.message(object));
        let vm = self.vm.borrow();
        let values = exception.values.iter();
        let handler_report = |handler: HandlerPlace| {
            let frame = vm.frame(handler.frame)?;
            Some(HandlerReport {
                place: self.place_report(frame.func, handler.pc, handler.pc),
                catches_all: handler.catches_all,
            })
        };
        let thrown = self.origin_report(&exception.origin);
        let here = vm.frame(0).map(|frame| frame.pc.0);
        ExceptionReport {
            tag: vm.tag_name(exception.tag),
            values: values.map(|&value| vm.value_text(value)).collect(),
            type_name: source.as_ref().map(|source| source.type_name.clone()),
            value: source
                .and_then(|source| source.value)
                .map(|value| self.scope().format_briefly(&value)),
            message,
            is_elsewhere: here != Some(thrown.pc),
            thrown,
            handler: exception.handler.and_then(handler_report),
            tag_handler: exception
                .tag_handler
                .filter(|_| exception.handler != exception.tag_handler)
                .and_then(handler_report),
        }
    }

    /// Where an exception was made: in the innermost frame whose source can be shown, as the runtime libraries of languages throw
    /// in functions of their own.
    pub(crate) fn origin_report(&self, origin: &Origin) -> PlaceReport {
        let frames = origin.frames.iter().enumerate().map(|(number, frame)| {
            let lookup = match number {
                0 => frame.pc,
                _ => ModuleOffset(frame.pc.0.saturating_sub(1)),
            };
            (frame, lookup)
        });
        let has_source = |lookup: ModuleOffset| {
            let places = self.program.places_at(lookup);
            let location = places.first().and_then(|place| place.location.as_ref());
            location.is_some_and(|location| self.program.has_source(&location.file))
        };
        let shown = frames.clone().find(|(_, lookup)| has_source(*lookup));
        match shown.or(frames.clone().next()) {
            Some((frame, lookup)) => self.place_report(frame.func, frame.pc, lookup),
            None => PlaceReport {
                function: "??".to_owned(),
                location: None,
                pc: 0,
            },
        }
    }

    /// A place in the code of a function. `lookup` is what debug info is asked for.
    fn place_report(
        &self,
        func: wdb_vm::address::FuncAddr,
        pc: ModuleOffset,
        lookup: ModuleOffset,
    ) -> PlaceReport {
        let vm = self.vm.borrow();
        let found = vm.func_instance(func);
        let places = self.program.places_at(lookup);
        let place = places
            .first()
            .filter(|_| found.is_some_and(|(instance, _)| instance == PROGRAM_INSTANCE));
        let function = match (place, found) {
            (Some(place), _) => place.function.to_string(),
            (None, Some((instance, index))) => vm.module(instance).func_display_name(index),
            (None, None) => "??".to_owned(),
        };
        let location = place.and_then(|place| place.location.as_ref());
        PlaceReport {
            function,
            location: location
                .filter(|location| location.line > 0)
                .map(|location| {
                    let file = self.program.display_path(&location.file);
                    (file.to_owned(), location.line)
                }),
            pc: pc.0,
        }
    }

    /// What the source language knows of an exception, if it is one of C++.
    pub(crate) fn source_exception(&self, exception: &Exception) -> Option<SourceException> {
        let (address, layout) = match *exception.values {
            [MachineValue::I32(address)] => (
                u64::from(address.cast_unsigned()),
                CppLayout {
                    pointer_bytes: 4,
                    type_info: 48,
                    object: 32,
                },
            ),
            [MachineValue::I64(address)] => (
                address.cast_unsigned(),
                CppLayout {
                    pointer_bytes: 8,
                    type_info: 80,
                    object: 32,
                },
            ),
            _ => return None,
        };
        let class = self.read_bytes(address, 8)?;
        if !class.iter().rev().take(7).eq(CPP_CLASS) {
            return None;
        }
        let width = layout.pointer_bytes;
        let type_info = self.read_pointer(address.checked_sub(layout.type_info)?, width)?;
        // A `std::type_info` is a pointer to its virtual functions and one to the mangled name.
        let name = self.read_pointer(type_info.checked_add(width as u64)?, width)?;
        let type_name = demangled_type(&self.read_text(name)?)?;
        // The last byte says that it is another one's copy (`std::rethrow_exception`), without an object behind it.
        let object = (class[0] == 0).then(|| address.wrapping_add(layout.object));
        let info = self.program.info();
        // Of classes without members' definitions there is nothing to show.
        let type_ref = info.type_named(&type_name, None).filter(|type_ref| {
            let found = info.type_of(info.resolve(*type_ref));
            !matches!(&found.kind, TypeKind::Record(record) if record.is_declaration)
        });
        let value = object.zip(type_ref).map(|(object, type_ref)| {
            let scope = FrameScope::new(self, None);
            scope.inspector().read(type_ref, Place::Memory(object))
        });
        let object = object.map(|address| CppObject {
            address,
            type_info,
            pointer_bytes: width,
        });
        Some(SourceException {
            type_name: without_versions(&type_name),
            value,
            object,
        })
    }

    /// What `what()` of an exception says whose class descends from `std::exception` alone. It is called in a copy.
    fn message(&self, object: CppObject) -> Option<String> {
        /// The place of `what` among the virtual functions, after two destructors.
        const WHAT: u64 = 2;
        /// How many classes may stand above each other.
        const BASES_MAX: usize = 32;
        let width = object.pointer_bytes;
        let step = width as u64;
        let mut class = object.type_info;
        let descends = (0..BASES_MAX).find_map(|_| {
            let name = self.read_pointer(class.checked_add(step)?, width)?;
            if self.read_text(name)? == "St9exception" {
                return Some(true);
            }
            // The descriptor of a class with one base has a pointer to that one's (Itanium C++ ABI, section 2.9.5).
            class = self.read_pointer(class.checked_add(2 * step)?, width)?;
            (class == 0).then_some(false)
        });
        if descends != Some(true) {
            return None;
        }
        let functions = self.read_pointer(object.address, width)?;
        let index = self.read_pointer(functions.checked_add(WHAT * step)?, width)?;
        let table = self.vm.borrow().table(PROGRAM_INSTANCE, 0)?;
        let Some(MachineValue::Ref(Reference::Func(func))) =
            table.get(usize::try_from(index).ok()?)
        else {
            return None;
        };
        let this = match width {
            4 => MachineValue::I32(object.address as i32),
            _ => MachineValue::I64(object.address as i64),
        };
        match *self.call_in_passing(*func, &[this])? {
            [MachineValue::I32(text)] => self.read_text(u64::from(text.cast_unsigned())),
            [MachineValue::I64(text)] => self.read_text(text.cast_unsigned()),
            _ => None,
        }
    }

    fn read_bytes(&self, address: u64, count: usize) -> Option<Vec<u8>> {
        let start = usize::try_from(address).ok()?;
        let vm = self.vm.borrow();
        let memory = vm.memory(PROGRAM_INSTANCE, 0)?;
        Some(memory.get(start..start.checked_add(count)?)?.to_vec())
    }

    fn read_pointer(&self, address: u64, bytes: usize) -> Option<u64> {
        let mut pointer = [0; 8];
        pointer[..bytes].copy_from_slice(&self.read_bytes(address, bytes)?);
        Some(u64::from_le_bytes(pointer))
    }

    fn read_text(&self, address: u64) -> Option<String> {
        let start = usize::try_from(address).ok()?;
        let vm = self.vm.borrow();
        let memory = vm.memory(PROGRAM_INSTANCE, 0)?.get(start..)?;
        let end = memory
            .iter()
            .take(NAME_BYTES_MAX as usize)
            .position(|byte| *byte == 0)?;
        String::from_utf8(memory[..end].to_vec()).ok()
    }

    /// Which exceptions a text names: a tag by its name, its export's name or its index, or types of the source.
    pub(crate) fn exception_filter(&self, text: &str) -> Result<ExceptionFilter, Error> {
        if text.is_empty() {
            return Ok(ExceptionFilter::All);
        }
        let module = self.program.module();
        let quoted = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'));
        let text = quoted.unwrap_or(text);
        let plain = text.strip_prefix('$').unwrap_or(text);
        let named = (0..module.tag_count()).find(|tag| module.names().tag(*tag) == Some(plain));
        let index = named
            .or_else(|| module.export(ExportKind::Tag, text))
            .or_else(|| text.parse().ok());
        let tag = index.and_then(|index| self.vm.borrow().tag_addr(PROGRAM_INSTANCE, index));
        if let Some(tag) = tag {
            return Ok(ExceptionFilter::Tag(text.to_owned(), tag));
        }
        let tags = (0..module.tag_count()).map(|index| self.tag_text(index));
        let tags: Vec<String> = tags.collect();
        if !self.may_throw_cpp() {
            return Err(Error::Other(match &*tags {
                [] => "The program has no exception tags.".to_owned(),
                tags => format!(
                    "There is no exception tag {text}; there are {}.",
                    tags.join(", ")
                ),
            }));
        }
        match Regex::new(text) {
            Ok(_) => Ok(ExceptionFilter::Type(text.to_owned())),
            Err(error) => Err(Error::Other(format!(
                "\"{text}\" is no regular expression for the names of types: {error}."
            ))),
        }
    }

    /// The name of one of the program's tags.
    pub(crate) fn tag_text(&self, index: u32) -> String {
        let vm = self.vm.borrow();
        let tag = vm.tag_addr(PROGRAM_INSTANCE, index);
        tag.map_or_else(|| index.to_string(), |tag| vm.tag_name(tag))
    }

    /// Whether the program has the runtime library that throws C++'s exceptions, or their tag.
    fn may_throw_cpp(&self) -> bool {
        let names = self.program.module().names();
        let module = self.program.module();
        (0..module.tag_count()).any(|tag| names.tag(tag) == Some("__cpp_exception"))
            || (0..module.func_count()).any(|func| names.func(func) == Some("__cxa_throw"))
    }

    /// Whether a catchpoint waits for an exception.
    pub(crate) fn is_wanted(&self, filter: &ExceptionFilter, exception: &Exception) -> bool {
        match filter {
            ExceptionFilter::All => true,
            ExceptionFilter::Tag(_, tag) => *tag == exception.tag,
            ExceptionFilter::Type(text) => {
                let source = self.source_exception(exception);
                let name = source.map(|source| source.type_name);
                let regex = Regex::new(text).ok();
                name.zip(regex)
                    .is_some_and(|(name, regex)| regex.is_match(&name))
            }
        }
    }
}

/// The name of a type as the source writes it, from the name in its `std::type_info`.
fn demangled_type(mangled: &str) -> Option<String> {
    // A star says that the name is unique only within its file.
    let mangled = mangled.strip_prefix('*').unwrap_or(mangled);
    let symbol = Symbol::new(format!("_ZTS{mangled}")).ok()?;
    let text = symbol.demangle().ok()?;
    let name = text.strip_prefix("typeinfo name for ")?;
    Some(name.to_owned())
}

/// The name without the namespaces that tell versions of the standard library apart (`std::__2`), as the source has it.
fn without_versions(name: &str) -> String {
    /// What `std::string` is an alias of.
    const STRING: &str = "std::basic_string<char, std::char_traits<char>, std::allocator<char> >";
    let mut parts = name.split("std::__");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_version = part
            .split_once("::")
            .filter(|(version, _)| version.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        match is_version {
            Some((_, rest)) => text = text + "std::" + rest,
            None => text = text + "std::__" + part,
        }
    }
    text.replace(STRING, "std::string")
}

#[cfg(test)]
mod tests {
    use super::{demangled_type, without_versions};

    #[test]
    fn types_have_their_names_of_the_source() {
        let name = |mangled| demangled_type(mangled).expect("a name");
        assert_eq!(name("St13runtime_error"), "std::runtime_error");
        assert_eq!(name("i"), "int");
        assert_eq!(name("PKc"), "char const*");
        assert_eq!(name("N4fuel10tank_emptyE"), "fuel::tank_empty");
        assert_eq!(name("*Z4mainE5local"), "main::local");
        let string = "NSt3__212basic_stringIcNS_11char_traitsIcEENS_9allocatorIcEEEE";
        assert_eq!(without_versions(&name(string)), "std::string");
        assert_eq!(without_versions("std::__throw(int)"), "std::__throw(int)");
        assert_eq!(demangled_type(""), None);
        assert_eq!(demangled_type("\u{1}"), None);
    }
}
