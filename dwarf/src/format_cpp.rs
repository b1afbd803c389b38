//! Values of C++'s standard library, as gdb's printers write them.

use crate::cpp_values::CppShape;
use crate::format::{Formatter, List};
use crate::value::Availability;

impl Formatter<'_, '_> {
    /// Writes a string, vector, optional value or smart pointer.
    pub(crate) fn cpp_value(&mut self, shape: &CppShape, depth: usize) {
        match shape {
            CppShape::Text(elements) => self.text_at(elements),
            CppShape::Sequence(elements) => {
                self.text += &format!("std::vector of length {}", elements.count);
                if elements.count == 0 {
                    return;
                }
                self.text += " = ";
                let inspector = self.inspector;
                self.sequence(elements.count, ('{', '}'), depth, |index| {
                    let element = inspector.sequence_element(elements, index);
                    // A vector of garbage claims any length: stop at what cannot be read.
                    (index == 0 || element.availability == Availability::Available)
                        .then_some(element)
                });
            }
            CppShape::Optional(None) => self.text += "std::optional [no contained value]",
            CppShape::Optional(Some(content)) => {
                self.text += "std::optional = ";
                let mut list = List::new(self, '{', '}', depth);
                list.entry("[contained value] = ", content);
                list.end();
            }
            CppShape::Pointer(pointer) => {
                let mut list = List::new(self, '{', '}', depth);
                list.entry("get() = ", pointer);
                list.end();
            }
        }
    }
}
