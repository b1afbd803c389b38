//! Sessions, breakpoints, stepping and expressions of wdb.
//!
//! [`Session`](session::Session) is all that a front end needs: commands go in, events and immutable views come out.
//! This crate refuses to know terminals and sockets.

#![forbid(unsafe_code)]

mod block;
mod breakpoints;
mod calls;
mod catches;
mod commands;
pub mod compare;
mod complete;
#[cfg(test)]
mod coverage;
mod debugger;
mod error;
pub mod event;
mod exceptions;
mod execution;
mod expression;
mod format_text;
mod frame_reports;
mod frames;
pub mod inspect;
pub mod json;
mod lanes;
mod location;
mod log;
mod machine_rules;
mod printout;
mod process;
mod program;
mod progress;
mod questions;
mod redirection;
mod references;
mod reload;
pub mod remote;
mod render;
mod report;
pub mod run;
mod scope;
pub mod session;
mod settings;
mod shared;
mod skips;
mod source;
mod target;
mod tiers;
pub mod view;
mod view_builder;
mod watchpoints;

pub use complete::Completions;
pub use error::OpenError;
pub use program::{Program, ProgramSource};
pub use settings::Preferences;
pub use source::SourceMissing;
pub use wdb_vm::tier::{Bounds, Compile, Tier};
