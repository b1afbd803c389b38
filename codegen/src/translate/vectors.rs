//! Instructions on vectors.

use wasmparser::Operator;

use super::Translator;
use crate::compiler::Error;

impl Translator<'_, '_> {
    /// Translates an instruction on vectors; answers whether it was one.
    pub(super) fn vector(&mut self, _operator: &Operator<'_>) -> Result<bool, Error> {
        Ok(false)
    }
}
