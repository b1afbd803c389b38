//! Remote protocol of wdb for lldb and gdb.
#![forbid(unsafe_code)]
