//! The front ends of wdb for a terminal: the full screen and the line mode.
//!
//! Both are clients of [`wdb_debugger::session::Session`]: commands go in as text, events and immutable views come out.
//! This crate knows nothing of WebAssembly or DWARF, and nothing below the session.

#![forbid(unsafe_code)]

mod display_text;
mod error;
mod history;
mod init;
pub mod line;
pub mod screen;
mod script;

pub use error::FrontEndError;
pub use history::history_path;
pub use init::{InitOptions, init_scripts};
pub use script::ScriptItem;
