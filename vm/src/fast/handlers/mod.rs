//! The instructions of register code: what each does, in every form of its operands.

pub(super) mod calls;
pub(super) mod control;
pub(super) mod fused;
pub(super) mod memory;
pub(super) mod moves;
pub(super) mod numeric;
