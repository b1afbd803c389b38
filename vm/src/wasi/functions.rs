//! The table of the functions of preview 1, in the order of its specification.

use wasmparser::ValType::{self, I32, I64};

use super::abi::Answer;
use super::{Wasi, clocks, directories, files, paths, poll, process, transfer};
use crate::host::HostCall;

/// A function that a guest can import.
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) params: &'static [ValType],
    /// Every function but `proc_exit`, which does not return.
    pub(super) returns_errno: bool,
    pub(super) perform: fn(&mut Wasi, &mut HostCall<'_>) -> Answer,
}

const fn function(
    name: &'static str,
    params: &'static [ValType],
    perform: fn(&mut Wasi, &mut HostCall<'_>) -> Answer,
) -> Function {
    Function {
        name,
        params,
        returns_errno: true,
        perform,
    }
}

/// All functions; a function's index here is its [`crate::host::HostFunc`].
pub(super) static FUNCTIONS: [Function; 46] = [
    function("args_get", &[I32, I32], process::args_get),
    function("args_sizes_get", &[I32, I32], process::args_sizes_get),
    function("environ_get", &[I32, I32], process::environ_get),
    function("environ_sizes_get", &[I32, I32], process::environ_sizes_get),
    function("clock_res_get", &[I32, I32], clocks::clock_res_get),
    function("clock_time_get", &[I32, I64, I32], clocks::clock_time_get),
    function("fd_advise", &[I32, I64, I64, I32], files::fd_advise),
    function("fd_allocate", &[I32, I64, I64], files::fd_allocate),
    function("fd_close", &[I32], files::fd_close),
    function("fd_datasync", &[I32], files::fd_datasync),
    function("fd_fdstat_get", &[I32, I32], files::fd_fdstat_get),
    function(
        "fd_fdstat_set_flags",
        &[I32, I32],
        files::fd_fdstat_set_flags,
    ),
    function(
        "fd_fdstat_set_rights",
        &[I32, I64, I64],
        files::fd_fdstat_set_rights,
    ),
    function("fd_filestat_get", &[I32, I32], files::fd_filestat_get),
    function(
        "fd_filestat_set_size",
        &[I32, I64],
        files::fd_filestat_set_size,
    ),
    function(
        "fd_filestat_set_times",
        &[I32, I64, I64, I32],
        files::fd_filestat_set_times,
    ),
    function("fd_pread", &[I32, I32, I32, I64, I32], transfer::fd_pread),
    function("fd_prestat_get", &[I32, I32], directories::fd_prestat_get),
    function(
        "fd_prestat_dir_name",
        &[I32, I32, I32],
        directories::fd_prestat_dir_name,
    ),
    function("fd_pwrite", &[I32, I32, I32, I64, I32], transfer::fd_pwrite),
    function("fd_read", &[I32, I32, I32, I32], transfer::fd_read),
    function(
        "fd_readdir",
        &[I32, I32, I32, I64, I32],
        directories::fd_readdir,
    ),
    function("fd_renumber", &[I32, I32], files::fd_renumber),
    function("fd_seek", &[I32, I64, I32, I32], files::fd_seek),
    function("fd_sync", &[I32], files::fd_sync),
    function("fd_tell", &[I32, I32], files::fd_tell),
    function("fd_write", &[I32, I32, I32, I32], transfer::fd_write),
    function(
        "path_create_directory",
        &[I32, I32, I32],
        paths::path_create_directory,
    ),
    function(
        "path_filestat_get",
        &[I32, I32, I32, I32, I32],
        paths::path_filestat_get,
    ),
    function(
        "path_filestat_set_times",
        &[I32, I32, I32, I32, I64, I64, I32],
        paths::path_filestat_set_times,
    ),
    function(
        "path_link",
        &[I32, I32, I32, I32, I32, I32, I32],
        paths::path_link,
    ),
    function(
        "path_open",
        &[I32, I32, I32, I32, I32, I64, I64, I32, I32],
        paths::path_open,
    ),
    function(
        "path_readlink",
        &[I32, I32, I32, I32, I32, I32],
        paths::path_readlink,
    ),
    function(
        "path_remove_directory",
        &[I32, I32, I32],
        paths::path_remove_directory,
    ),
    function(
        "path_rename",
        &[I32, I32, I32, I32, I32, I32],
        paths::path_rename,
    ),
    function(
        "path_symlink",
        &[I32, I32, I32, I32, I32],
        paths::path_symlink,
    ),
    function(
        "path_unlink_file",
        &[I32, I32, I32],
        paths::path_unlink_file,
    ),
    function("poll_oneoff", &[I32, I32, I32, I32], poll::poll_oneoff),
    Function {
        name: "proc_exit",
        params: &[I32],
        returns_errno: false,
        perform: process::proc_exit,
    },
    function("proc_raise", &[I32], process::proc_raise),
    function("sched_yield", &[], process::sched_yield),
    function("random_get", &[I32, I32], process::random_get),
    function("sock_accept", &[I32, I32, I32], process::not_a_socket),
    function(
        "sock_recv",
        &[I32, I32, I32, I32, I32, I32],
        process::not_a_socket,
    ),
    function(
        "sock_send",
        &[I32, I32, I32, I32, I32],
        process::not_a_socket,
    ),
    function("sock_shutdown", &[I32, I32], process::not_a_socket),
];
