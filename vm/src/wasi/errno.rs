//! The error numbers of preview 1 and what becomes which.

use std::io;

use rustix::io::Errno as HostErrno;

use crate::host::OutOfBounds;

/// Turns `Acces = 2 "EACCES"` into a variant with its number and name.
macro_rules! errno {
    ($($variant:ident = $number:literal $name:literal,)*) => {
        /// An error number of preview 1 (`errno` in its specification), named as POSIX names it.
        #[allow(missing_docs, reason = "POSIX says what each one means")]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u16)]
        pub enum Errno {
            $($variant = $number,)*
        }

        impl Errno {
            /// The error with a number, as a function of WASI returns it; `None` of 0, which is success, and of unknown numbers.
            #[must_use]
            pub fn from_number(number: u16) -> Option<Errno> {
                match number {
                    $($number => Some(Errno::$variant),)*
                    _ => None,
                }
            }

            /// The name C programs know it by.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Errno::$variant => $name,)*
                }
            }
        }
    };
}

errno! {
    TooBig = 1 "E2BIG",
    Acces = 2 "EACCES",
    AddrInUse = 3 "EADDRINUSE",
    AddrNotAvail = 4 "EADDRNOTAVAIL",
    AfNoSupport = 5 "EAFNOSUPPORT",
    Again = 6 "EAGAIN",
    Already = 7 "EALREADY",
    Badf = 8 "EBADF",
    BadMsg = 9 "EBADMSG",
    Busy = 10 "EBUSY",
    Canceled = 11 "ECANCELED",
    Child = 12 "ECHILD",
    ConnAborted = 13 "ECONNABORTED",
    ConnRefused = 14 "ECONNREFUSED",
    ConnReset = 15 "ECONNRESET",
    Deadlk = 16 "EDEADLK",
    DestAddrReq = 17 "EDESTADDRREQ",
    Dom = 18 "EDOM",
    Dquot = 19 "EDQUOT",
    Exist = 20 "EEXIST",
    Fault = 21 "EFAULT",
    Fbig = 22 "EFBIG",
    HostUnreach = 23 "EHOSTUNREACH",
    Idrm = 24 "EIDRM",
    Ilseq = 25 "EILSEQ",
    InProgress = 26 "EINPROGRESS",
    Intr = 27 "EINTR",
    Inval = 28 "EINVAL",
    Io = 29 "EIO",
    IsConn = 30 "EISCONN",
    IsDir = 31 "EISDIR",
    Loop = 32 "ELOOP",
    Mfile = 33 "EMFILE",
    Mlink = 34 "EMLINK",
    MsgSize = 35 "EMSGSIZE",
    Multihop = 36 "EMULTIHOP",
    NameTooLong = 37 "ENAMETOOLONG",
    NetDown = 38 "ENETDOWN",
    NetReset = 39 "ENETRESET",
    NetUnreach = 40 "ENETUNREACH",
    Nfile = 41 "ENFILE",
    NoBufs = 42 "ENOBUFS",
    NoDev = 43 "ENODEV",
    NoEnt = 44 "ENOENT",
    NoExec = 45 "ENOEXEC",
    NoLck = 46 "ENOLCK",
    NoLink = 47 "ENOLINK",
    NoMem = 48 "ENOMEM",
    NoMsg = 49 "ENOMSG",
    NoProtoOpt = 50 "ENOPROTOOPT",
    NoSpc = 51 "ENOSPC",
    NoSys = 52 "ENOSYS",
    NotConn = 53 "ENOTCONN",
    NotDir = 54 "ENOTDIR",
    NotEmpty = 55 "ENOTEMPTY",
    NotRecoverable = 56 "ENOTRECOVERABLE",
    NotSock = 57 "ENOTSOCK",
    NotSup = 58 "ENOTSUP",
    NoTty = 59 "ENOTTY",
    Nxio = 60 "ENXIO",
    Overflow = 61 "EOVERFLOW",
    OwnerDead = 62 "EOWNERDEAD",
    Perm = 63 "EPERM",
    Pipe = 64 "EPIPE",
    Proto = 65 "EPROTO",
    ProtoNoSupport = 66 "EPROTONOSUPPORT",
    Prototype = 67 "EPROTOTYPE",
    Range = 68 "ERANGE",
    Rofs = 69 "EROFS",
    Spipe = 70 "ESPIPE",
    Srch = 71 "ESRCH",
    Stale = 72 "ESTALE",
    TimedOut = 73 "ETIMEDOUT",
    Txtbsy = 74 "ETXTBSY",
    Xdev = 75 "EXDEV",
    NotCapable = 76 "ENOTCAPABLE",
}

impl Errno {
    /// The number the guest gets.
    #[must_use]
    pub fn number(self) -> u16 {
        self as u16
    }
}

impl From<OutOfBounds> for Errno {
    fn from(_: OutOfBounds) -> Errno {
        Errno::Fault
    }
}

impl From<HostErrno> for Errno {
    /// Only what calls on files, directories, clocks and polls can answer has a row; the rest is an input/output error.
    fn from(errno: HostErrno) -> Errno {
        // On some systems this equals EAGAIN, so it cannot be a row of the match.
        if errno == HostErrno::WOULDBLOCK {
            return Errno::Again;
        }
        match errno {
            HostErrno::ACCESS => Errno::Acces,
            HostErrno::AGAIN => Errno::Again,
            HostErrno::BADF => Errno::Badf,
            HostErrno::BUSY => Errno::Busy,
            HostErrno::DQUOT => Errno::Dquot,
            HostErrno::EXIST => Errno::Exist,
            HostErrno::FAULT => Errno::Fault,
            HostErrno::FBIG => Errno::Fbig,
            HostErrno::ILSEQ => Errno::Ilseq,
            HostErrno::INTR => Errno::Intr,
            HostErrno::INVAL => Errno::Inval,
            HostErrno::ISDIR => Errno::IsDir,
            HostErrno::LOOP => Errno::Loop,
            HostErrno::MFILE => Errno::Mfile,
            HostErrno::MLINK => Errno::Mlink,
            HostErrno::NAMETOOLONG => Errno::NameTooLong,
            HostErrno::NFILE => Errno::Nfile,
            HostErrno::NODEV => Errno::NoDev,
            HostErrno::NOENT => Errno::NoEnt,
            HostErrno::NOMEM => Errno::NoMem,
            HostErrno::NOSPC => Errno::NoSpc,
            HostErrno::NOSYS => Errno::NoSys,
            HostErrno::NOTDIR => Errno::NotDir,
            HostErrno::NOTEMPTY => Errno::NotEmpty,
            HostErrno::NOTSUP => Errno::NotSup,
            HostErrno::NOTTY => Errno::NoTty,
            HostErrno::NXIO => Errno::Nxio,
            HostErrno::OVERFLOW => Errno::Overflow,
            HostErrno::PERM => Errno::Perm,
            HostErrno::PIPE => Errno::Pipe,
            HostErrno::RANGE => Errno::Range,
            HostErrno::ROFS => Errno::Rofs,
            HostErrno::SPIPE => Errno::Spipe,
            HostErrno::STALE => Errno::Stale,
            HostErrno::TIMEDOUT => Errno::TimedOut,
            HostErrno::TXTBSY => Errno::Txtbsy,
            HostErrno::XDEV => Errno::Xdev,
            _ => Errno::Io,
        }
    }
}

impl From<io::Error> for Errno {
    fn from(error: io::Error) -> Errno {
        if let Some(errno) = HostErrno::from_io_error(&error) {
            return errno.into();
        }
        match error.kind() {
            // The sandbox has no number of the operating system for a path that leads out of it.
            io::ErrorKind::PermissionDenied => Errno::NotCapable,
            io::ErrorKind::InvalidInput => Errno::Inval,
            io::ErrorKind::NotFound => Errno::NoEnt,
            io::ErrorKind::WouldBlock => Errno::Again,
            io::ErrorKind::BrokenPipe => Errno::Pipe,
            io::ErrorKind::StorageFull => Errno::NoSpc,
            _ => Errno::Io,
        }
    }
}
