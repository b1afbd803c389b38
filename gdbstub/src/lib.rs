//! The remote protocol of gdb and lldb: a server that stock debuggers attach to.
//!
//! Both speak packets (`$body#checksum`) with the same core and different extensions. lldb knows WebAssembly and asks for
//! wasm locals by name; gdb knows no such machine, so it is shown one that it knows. The crate is a front end like
//! any other: it talks to [`Session`](wdb_debugger::session::Session) and refuses to know how programs are run.
//!
//! The protocol has no authentication: whoever connects can read and change the program. Nothing that a client sends ends the
//! session, and what is kept of it is bounded.

#![forbid(unsafe_code)]

mod address;
mod connection;
mod error;
mod gdb;
mod hex;
mod lldb;
mod modules;
mod packet;
mod reply;
mod resume;
mod server;
mod stub;
mod transport;

pub use error::Error;
pub use server::{Lifetime, Server};
