//! WASI preview 1.

/// The state of WASI that belongs to the guest, as plain data.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WasiState {}
