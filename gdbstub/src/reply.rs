//! Answers to packets.

use crate::hex;

/// What a packet is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// A body, not escaped yet.
    Body(Vec<u8>),
    /// Nothing now; when the program has stopped, say.
    Later,
}

/// Why a packet is refused; the numbers are those of Linux, which is what gdb and lldb expect to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The packet makes no sense.
    Malformed = 0x16,
    /// There is nothing at the address.
    Nothing = 0x0e,
    /// The program runs.
    Busy = 0x10,
    /// The program cannot do that.
    Impossible = 0x5f,
}

impl Reply {
    /// The packet is not known, which is how clients find out what is supported.
    pub(crate) fn unknown() -> Reply {
        Reply::Body(Vec::new())
    }

    pub(crate) fn ok() -> Reply {
        Reply::text("OK")
    }

    pub(crate) fn text(text: impl Into<String>) -> Reply {
        Reply::Body(text.into().into_bytes())
    }

    /// Bytes as digits.
    pub(crate) fn hex(bytes: &[u8]) -> Reply {
        Reply::text(hex::encode(bytes))
    }

    pub(crate) fn refused(refusal: Refusal) -> Reply {
        Reply::text(format!("E{:02x}", refusal as u8))
    }

    /// A part of a longer text (`qXfer`): `m` says that more follows, `l` that this was the last.
    pub(crate) fn part(whole: &[u8], offset: u64, length: u64) -> Reply {
        let start = usize::try_from(offset).map_or(whole.len(), |at| at.min(whole.len()));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let end = start.saturating_add(length).min(whole.len());
        let mark = if end < whole.len() { b'm' } else { b'l' };
        let mut body = vec![mark];
        body.extend_from_slice(&whole[start..end]);
        Reply::Body(body)
    }
}

/// A packet's handler can fail at any point.
pub(crate) type Answer = Result<Reply, Refusal>;

#[cfg(test)]
mod tests {
    use super::Reply;

    #[test]
    fn parts_say_whether_more_follows() {
        assert_eq!(Reply::part(b"abcd", 0, 2), Reply::text("mab"));
        assert_eq!(Reply::part(b"abcd", 2, 2), Reply::text("lcd"));
        assert_eq!(Reply::part(b"abcd", 9, u64::MAX), Reply::text("l"));
    }
}
