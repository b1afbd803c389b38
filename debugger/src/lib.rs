//! Sessions, breakpoints, stepping and expressions of wdb.
