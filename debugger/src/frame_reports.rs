//! Frames as reports.

use wdb_dwarf::{Value, VariableKind};

use crate::debugger::Debugger;
use crate::frames::Frame;
use crate::report::{CodeReport, FrameReport};
use crate::scope::FrameScope;

impl Debugger {
    /// A frame as it is told: with its arguments, and with the code that it stands at if that is wanted.
    pub(crate) fn frame_report(
        &self,
        frame: &Frame,
        number: Option<usize>,
        has_code: bool,
    ) -> FrameReport {
        let scope = self.scope_of(frame.clone());
        let location = frame.location();
        FrameReport {
            number,
            pc: frame.pc().0,
            is_within_line: self.settings.print_address && self.is_within_line(frame),
            function: frame.function().to_string(),
            arguments: self.argument_texts(&scope),
            location: location.map(|location| {
                let file = self.program.display_path(&location.file);
                (file.to_owned(), location.line)
            }),
            code: if has_code {
                self.code_report(frame)
            } else {
                CodeReport::None
            },
            is_brief: false,
        }
    }

    /// The arguments as they stand in the line of a frame, where values of many parts would hide everything else.
    fn argument_texts(&self, scope: &FrameScope<'_>) -> Vec<(String, String)> {
        const CHARS_MAX: usize = 60;
        let is_short = |text: &str| text.chars().count() <= CHARS_MAX;
        let texts = self.argument_lines(scope);
        let brief = texts.into_iter().map(|(name, text)| {
            // Texts in braces and brackets are those of values with parts; a string is shown whole.
            let has_parts = text.ends_with(['}', ']', ')']);
            if has_parts && !is_short(&text) {
                (name, "...".to_owned())
            } else {
                (name, text)
            }
        });
        brief.collect()
    }

    /// Names and values of a frame's arguments, on one line each.
    pub(crate) fn argument_lines(&self, scope: &FrameScope<'_>) -> Vec<(String, String)> {
        let format = |value: &Value| scope.format_on_a_line(value);
        texts_of(scope, VariableKind::Argument, &format)
    }

    /// Names and values of the variables of a scope, as `print` shows them.
    pub(crate) fn variable_texts(
        &self,
        scope: &FrameScope<'_>,
        kind: VariableKind,
    ) -> Vec<(String, String)> {
        texts_of(scope, kind, &|value| scope.format(value))
    }

    /// Whether the frame does not stand where a source line begins, so that its pc says more than its line.
    fn is_within_line(&self, frame: &Frame) -> bool {
        // A frame into which others are inlined stands at the call, whose code they are.
        if frame.inline > 0 {
            return false;
        }
        if frame.machine > 0 {
            return true;
        }
        let at = frame.code_offset(&self.program);
        let row = at.and_then(|at| Some((at, self.program.info().line_row(at)?)));
        row.is_some_and(|(at, row)| {
            // A row may begin with the declaration of the function's locals.
            let start = self.program.instruction_at(row.range.start);
            row.range.start != at && start != Some(frame.pc())
        })
    }

    fn code_report(&self, frame: &Frame) -> CodeReport {
        let Some(location) = frame.location() else {
            return CodeReport::Instruction(self.instruction_text(frame));
        };
        let line = location.line;
        match self.program.text_of(&location.file) {
            Ok(text) => match text.lines.get(line as usize - 1) {
                Some(text) => CodeReport::Source {
                    line,
                    column: self.settings.steps_by_column.then_some(location.column),
                    text: text.clone(),
                },
                None => CodeReport::Missing {
                    line,
                    why: format!(
                        "{}, which has only {} lines: is it another version of the file?",
                        text.path.display(),
                        text.lines.len()
                    ),
                },
            },
            Err(missing) => {
                // What to do about it is said once for each file.
                let is_news = self.missing_told.borrow_mut().insert(location.file.clone());
                let why = if is_news {
                    missing.to_string()
                } else {
                    self.program.display_path(&location.file).to_owned()
                };
                CodeReport::Missing { line, why }
            }
        }
    }

    fn instruction_text(&self, frame: &Frame) -> String {
        let module = self.program.module();
        let func = frame.func_index();
        let mut instructions = module.instructions(func);
        let instruction = instructions.find(|instruction| instruction.pc == frame.pc());
        instruction.map_or_else(String::new, |it| module.instruction_text(func, &it))
    }
}

fn texts_of(
    scope: &FrameScope<'_>,
    kind: VariableKind,
    format: &dyn Fn(&Value) -> String,
) -> Vec<(String, String)> {
    let variables = scope.variables().iter();
    variables
        .filter(|variable| variable.kind == kind)
        .map(|variable| {
            let value = scope.value_of(variable);
            (variable.name.to_string(), format(&value))
        })
        .collect()
}
