//! Remote protocol of wdb for lldb and gdb.
