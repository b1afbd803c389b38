//! Sockets: TCP or, on Unix, a path.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::net::{UnixListener, UnixStream};
#[cfg(unix)]
use std::path::PathBuf;
use std::time::Duration;

use crate::error::Error;

/// Where clients connect.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener, SocketFile),
}

/// The file of a Unix socket, which goes away with the server.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct SocketFile(PathBuf);

#[cfg(unix)]
impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody may have removed it before.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Listener {
    /// Listens on `HOST:PORT`, on `PORT` or `:PORT` of the loopback interface, or on `unix:PATH`. Port 0 is any that is free.
    pub(crate) fn bind(address: &str) -> Result<Listener, Error> {
        let refused = |error| Error::Listen {
            address: address.to_owned(),
            error,
        };
        if let Some(path) = address.strip_prefix("unix:") {
            return bind_path(path, address);
        }
        let (host, port) = address.rsplit_once(':').unwrap_or(("", address));
        let invalid = |_| Error::Address(address.to_owned());
        let port: u16 = port.parse().map_err(invalid)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let listener = match host {
            // gdbserver listens to the whole world here, which nobody should do without having said so.
            "" => TcpListener::bind((Ipv4Addr::LOCALHOST, port)),
            host => (host, port)
                .to_socket_addrs()
                .and_then(|found| TcpListener::bind(&*found.collect::<Vec<_>>())),
        };
        Ok(Listener::Tcp(listener.map_err(refused)?))
    }

    /// Where clients connect, with the port that was chosen.
    pub(crate) fn address(&self) -> String {
        match self {
            Listener::Tcp(listener) => listener
                .local_addr()
                .map_or_else(|_| "an unknown address".to_owned(), |it| it.to_string()),
            #[cfg(unix)]
            Listener::Unix(_, SocketFile(path)) => format!("unix:{}", path.display()),
        }
    }

    /// Whether other machines can connect.
    pub(crate) fn is_public(&self) -> bool {
        match self {
            Listener::Tcp(listener) => listener
                .local_addr()
                .is_ok_and(|address| !address.ip().is_loopback()),
            #[cfg(unix)]
            Listener::Unix(..) => false,
        }
    }

    pub(crate) fn accept(&self) -> io::Result<Stream> {
        match self {
            Listener::Tcp(listener) => {
                let (stream, _) = listener.accept()?;
                // Packets are small and each waits for its answer: to hold one back costs 40 ms.
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
            #[cfg(unix)]
            Listener::Unix(listener, _) => Ok(Stream::Unix(listener.accept()?.0)),
        }
    }
}

#[cfg(unix)]
fn bind_path(path: &str, address: &str) -> Result<Listener, Error> {
    let listener = UnixListener::bind(path).map_err(|error| Error::Listen {
        address: address.to_owned(),
        error,
    })?;
    Ok(Listener::Unix(listener, SocketFile(PathBuf::from(path))))
}

#[cfg(not(unix))]
fn bind_path(_path: &str, address: &str) -> Result<Listener, Error> {
    Err(Error::Listen {
        address: address.to_owned(),
        error: io::ErrorKind::Unsupported.into(),
    })
}

/// A connection with a client.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Stream {
    pub(crate) fn try_clone(&self) -> io::Result<Stream> {
        match self {
            Stream::Tcp(stream) => Ok(Stream::Tcp(stream.try_clone()?)),
            #[cfg(unix)]
            Stream::Unix(stream) => Ok(Stream::Unix(stream.try_clone()?)),
        }
    }

    /// How long a write waits for a client that does not read.
    pub(crate) fn set_write_timeout(&self, wait: Duration) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.set_write_timeout(Some(wait)),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.set_write_timeout(Some(wait)),
        }
    }

    /// Ends the connection in both directions, also for whoever waits in [`Read::read`] of a clone.
    pub(crate) fn close(&self) {
        // A client that has left has closed it already.
        let _ = match self {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Both),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buffer),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(bytes),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Listener;
    use crate::error::Error;

    #[test]
    fn a_port_alone_means_the_loopback_interface() {
        for text in ["0", ":0", "127.0.0.1:0"] {
            let listener = Listener::bind(text).unwrap();
            assert!(listener.address().starts_with("127.0.0.1:"), "{text}");
            assert!(!listener.is_public());
        }
        assert!(Listener::bind("0.0.0.0:0").unwrap().is_public());
        for text in ["", "x", "host:", "127.0.0.1:70000"] {
            assert!(
                matches!(Listener::bind(text), Err(Error::Address(_))),
                "{text}"
            );
        }
    }
}
