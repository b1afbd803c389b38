//! The language that a script was written for.

use std::str::FromStr;

use wasmparser::{
    BinaryReaderError, BlockType, FrameKind, FuncToValidate, FuncValidator,
    FuncValidatorAllocations, FunctionBody, Operator, Parser, ValType, ValidPayload, Validator,
    ValidatorResources, WasmModuleResources,
};
use wdb_vm::WasmFeatures;
use wdb_vm::module::FEATURES;

/// What modules may use, and rules that were given up later: scripts assert that what was added later is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Language {
    /// The features.
    pub features: WasmFeatures,
    /// Whether the labels of a `br_table` must have the same types. Since there is subtyping, each must fit what is on the
    /// stack, which in unreachable code is not the same.
    pub has_uniform_br_tables: bool,
}

impl Language {
    /// The language with these features and today's rules.
    #[must_use]
    pub const fn of(features: WasmFeatures) -> Language {
        Language {
            features,
            has_uniform_br_tables: false,
        }
    }

    /// Why a valid module is not of this language.
    pub(crate) fn refuse(&self, module: &[u8]) -> Option<String> {
        if !self.has_uniform_br_tables {
            return None;
        }
        match self.is_uniform(module) {
            Ok(true) => None,
            Ok(false) => Some("type mismatch: the labels of a br_table differ".to_owned()),
            Err(error) => Some(error.to_string()),
        }
    }

    fn is_uniform(&self, module: &[u8]) -> Result<bool, BinaryReaderError> {
        let mut validator = Validator::new_with_features(self.features);
        let mut allocations = FuncValidatorAllocations::default();
        for payload in Parser::new(0).parse_all(module) {
            let ValidPayload::Func(func, body) = validator.payload(&payload?)? else {
                continue;
            };
            let is_uniform;
            (is_uniform, allocations) = is_uniform_body(func, &body, allocations)?;
            if !is_uniform {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// A word that names no features.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there are no features named {name:?}; there are all, wasm1, wasm2, wasm3, {}", known_names().join(", "))]
pub struct UnknownFeature {
    name: String,
}

impl FromStr for Language {
    type Err = UnknownFeature;

    /// Reads words between commas, of which each changes what the ones before it say: `all`, `wasm1`, `wasm2` and `wasm3` stand
    /// for all that wdb or a version of the specification knows, another is a feature to add, and one after a `-` to leave out.
    fn from_str(text: &str) -> Result<Language, UnknownFeature> {
        let mut features = FEATURES;
        for word in text.split(',').map(str::trim) {
            match word {
                "all" => features = FEATURES,
                "wasm1" => features = WasmFeatures::WASM1,
                "wasm2" => features = WasmFeatures::WASM2,
                "wasm3" => features = WasmFeatures::WASM3,
                word => match word.strip_prefix('-') {
                    Some(name) => features.remove(named(name)?),
                    None => features.insert(named(word)?),
                },
            }
        }
        Ok(Language::of(features))
    }
}

/// The feature that has a name in lower case, with hyphens.
fn named(name: &str) -> Result<WasmFeatures, UnknownFeature> {
    let found = FEATURES
        .iter_names()
        .find(|(known, _)| lower(known) == name);
    found
        .map(|(_, feature)| feature)
        .ok_or_else(|| UnknownFeature {
            name: name.to_owned(),
        })
}

fn known_names() -> Vec<String> {
    FEATURES.iter_names().map(|(name, _)| lower(name)).collect()
}

fn lower(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}

fn is_uniform_body(
    func: FuncToValidate<ValidatorResources>,
    body: &FunctionBody<'_>,
    allocations: FuncValidatorAllocations,
) -> Result<(bool, FuncValidatorAllocations), BinaryReaderError> {
    let mut validator = func.into_validator(allocations);
    validator.read_locals(&mut body.get_binary_reader())?;
    let mut operators = body.get_operators_reader()?;
    let mut is_uniform = true;
    while !operators.eof() {
        let (operator, offset) = operators.read_with_offset()?;
        if let Operator::BrTable { targets } = &operator {
            let types = label_types(&validator, targets.default());
            for target in targets.targets() {
                is_uniform &= label_types(&validator, target?) == types;
            }
        }
        validator.op(offset, &operator)?;
    }
    Ok((is_uniform, validator.into_allocations()))
}

/// The types of what a branch to a label takes along; `None` when there is no such label.
fn label_types(validator: &FuncValidator<ValidatorResources>, depth: u32) -> Option<Vec<ValType>> {
    let frame = validator.get_control_frame(depth as usize)?;
    let is_loop = frame.kind == FrameKind::Loop;
    match frame.block_type {
        BlockType::Empty => Some(Vec::new()),
        BlockType::Type(_) if is_loop => Some(Vec::new()),
        BlockType::Type(ty) => Some(vec![ty]),
        BlockType::FuncType(index) => {
            let ty = validator.resources().sub_type_at(index)?.unwrap_func();
            let types = if is_loop { ty.params() } else { ty.results() };
            Some(types.to_vec())
        }
    }
}

#[cfg(test)]
mod tests {
    use wdb_vm::WasmFeatures;
    use wdb_vm::module::FEATURES;

    use super::Language;

    #[test]
    fn languages_are_read_from_left_to_right() {
        let features = |text: &str| text.parse::<Language>().map(|language| language.features);
        assert_eq!(features("all"), Ok(FEATURES));
        assert_eq!(features("wasm2"), Ok(WasmFeatures::WASM2));
        let wanted = WasmFeatures::WASM3.difference(WasmFeatures::MULTI_MEMORY);
        assert_eq!(features("wasm3, -multi-memory"), Ok(wanted));
        let wanted = WasmFeatures::WASM1.union(WasmFeatures::THREADS);
        assert_eq!(features("wasm1,threads"), Ok(wanted));
        let error = features("wasm4").expect_err("no such features").to_string();
        assert!(
            error.contains("\"wasm4\"") && error.contains("wide-arithmetic"),
            "{error}"
        );
    }
}
