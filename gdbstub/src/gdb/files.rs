//! The files that gdb can read from the stub ("Host I/O Packets" in gdb's manual): one, the executable.

use crate::hex;
use crate::packet::BODY_BYTES_MAX;
use crate::reply::{Answer, Refusal, Reply};

/// The name that gdb asks for; any would do.
pub(super) const NAME: &str = "/wdb/program";

const DESCRIPTOR: u64 = 3;

const ENOENT: u32 = 2;
const EBADF: u32 = 9;
const EROFS: u32 = 30;

/// A `vFile` packet, without that word.
pub(super) fn perform(file: &[u8], request: &[u8]) -> Answer {
    let (operation, arguments) = crate::resume::split(request, b':').ok_or(Refusal::Malformed)?;
    let mut arguments = arguments.split(|it| *it == b',');
    let mut number = || hex::number(arguments.next()?);
    Ok(match operation {
        b"setfs" => result(0),
        b"open" => {
            let name = request.split(|it| matches!(*it, b':' | b',')).nth(1);
            let name = name.and_then(hex::decode).ok_or(Refusal::Malformed)?;
            match name == NAME.as_bytes() {
                true => result(DESCRIPTOR),
                false => failure(ENOENT),
            }
        }
        b"close" | b"fstat" | b"pread" if number() != Some(DESCRIPTOR) => failure(EBADF),
        b"close" => result(0),
        b"fstat" => attachment(&stat(file.len() as u64)),
        b"pread" => {
            let count = number().ok_or(Refusal::Malformed)?;
            let offset = number().ok_or(Refusal::Malformed)?;
            // Escapes can double what is sent.
            let count = count.min(BODY_BYTES_MAX as u64 / 2) as usize;
            let start = usize::try_from(offset).map_or(file.len(), |at| at.min(file.len()));
            let end = start.saturating_add(count).min(file.len());
            attachment(&file[start..end])
        }
        b"pwrite" | b"unlink" => failure(EROFS),
        _ => Reply::unknown(),
    })
}

fn result(number: u64) -> Reply {
    Reply::text(format!("F{number:x}"))
}

fn failure(code: u32) -> Reply {
    Reply::text(format!("F-1,{code:x}"))
}

fn attachment(bytes: &[u8]) -> Reply {
    let mut body = format!("F{:x};", bytes.len()).into_bytes();
    body.extend_from_slice(bytes);
    Reply::Body(body)
}

/// What the protocol takes for a `struct stat`: 64 bytes, big-endian.
fn stat(size: u64) -> [u8; 64] {
    const REGULAR_FILE_READ_ONLY: u32 = 0o100_444;
    let mut stat = [0; 64];
    stat[8..12].copy_from_slice(&REGULAR_FILE_READ_ONLY.to_be_bytes());
    stat[12..16].copy_from_slice(&1_u32.to_be_bytes());
    stat[28..36].copy_from_slice(&size.to_be_bytes());
    stat
}

#[cfg(test)]
mod tests {
    use super::perform;
    use crate::reply::{Refusal, Reply};

    #[test]
    fn the_file_is_read_in_parts() {
        let file = b"0123456789";
        let open = perform(file, b"open:2f7764622f70726f6772616d,0,0");
        assert_eq!(open, Ok(Reply::text("F3")));
        assert_eq!(perform(file, b"open:2f,0,0"), Ok(Reply::text("F-1,2")));
        assert_eq!(perform(file, b"pread:3,4,8"), Ok(Reply::text("F2;89")));
        assert_eq!(perform(file, b"pread:3,4,80"), Ok(Reply::text("F0;")));
        assert_eq!(perform(file, b"pread:4,4,0"), Ok(Reply::text("F-1,9")));
        assert_eq!(perform(file, b"pread:3,4"), Err(Refusal::Malformed));
        assert_eq!(perform(file, b"setfs:0"), Ok(Reply::text("F0")));
        assert_eq!(perform(file, b"close:3"), Ok(Reply::text("F0")));
    }
}
