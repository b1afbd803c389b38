//! WASI preview 1, called as a guest calls it but without a machine.

mod descriptors;
mod directories;
mod files;
mod guest;
mod hostile;
mod process;
#[path = "../support/random.rs"]
mod random;
mod sandbox;
mod waits;
