//! Sessions, breakpoints, stepping and expressions of wdb.
//!
//! [`Session`](session::Session) is all that a front end needs: commands go in, events and immutable views come out.
//! This crate refuses to know terminals and sockets.

#![forbid(unsafe_code)]

pub mod event;
pub mod view;
