//! Framing: `$body#checksum`, acknowledgements and the interrupt byte between packets ("Overview" and "Packet Acknowledgment"
//! of the remote protocol's description in gdb's manual).

use crate::hex;

/// The longest body that a client may send; what the stub says in `PacketSize`. Longer ones are skipped, not kept.
pub(crate) const BODY_BYTES_MAX: usize = 0x2_0000;

const ESCAPE: u8 = b'}';

/// What a client sends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A body, unescaped.
    Packet(Vec<u8>),
    /// A packet whose checksum is wrong.
    Corrupt,
    /// A packet that is too long.
    Overlong,
    /// The last packet did not reach the client whole.
    Nack,
    /// The user wants the program to stop.
    Interrupt,
}

/// Cuts a stream of bytes into packets. It holds at most one packet.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    state: State,
    body: Vec<u8>,
    sum: u8,
    is_escaped: bool,
    is_overlong: bool,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    Between,
    Body,
    FirstDigit,
    SecondDigit(u8),
}

impl Decoder {
    /// Takes the next byte of the stream; answers what it completes.
    pub(crate) fn feed(&mut self, byte: u8) -> Option<Item> {
        match self.state {
            State::Between => match byte {
                b'$' => {
                    self.begin();
                    None
                }
                0x03 => Some(Item::Interrupt),
                b'-' => Some(Item::Nack),
                // An acknowledgement says nothing new, and anything else is noise.
                _ => None,
            },
            State::Body => {
                self.feed_body(byte);
                None
            }
            State::FirstDigit => {
                self.state = State::SecondDigit(byte);
                None
            }
            State::SecondDigit(first) => {
                self.state = State::Between;
                Some(self.finish(first, byte))
            }
        }
    }

    fn begin(&mut self) {
        *self = Decoder {
            state: State::Body,
            ..Decoder::default()
        };
    }

    fn feed_body(&mut self, byte: u8) {
        match byte {
            b'#' => {
                self.state = State::FirstDigit;
                return;
            }
            // It begins a packet wherever it stands: the one before was not finished.
            b'$' => {
                self.begin();
                return;
            }
            _ => self.sum = self.sum.wrapping_add(byte),
        }
        if byte == ESCAPE && !self.is_escaped {
            self.is_escaped = true;
            return;
        }
        let plain = if std::mem::take(&mut self.is_escaped) {
            byte ^ 0x20
        } else {
            byte
        };
        if self.body.len() < BODY_BYTES_MAX {
            self.body.push(plain);
        } else {
            self.is_overlong = true;
        }
    }

    fn finish(&mut self, first: u8, second: u8) -> Item {
        let body = std::mem::take(&mut self.body);
        if self.is_overlong {
            return Item::Overlong;
        }
        match hex::decode(&[first, second]) {
            Some(told) if told[0] == self.sum => Item::Packet(body),
            _ => Item::Corrupt,
        }
    }
}

/// A packet with a body, escaped where it must be.
pub(crate) fn encode(body: &[u8]) -> Vec<u8> {
    let mut packet = Vec::with_capacity(body.len() + 4);
    packet.push(b'$');
    escape(body, &mut packet);
    let sum = packet[1..]
        .iter()
        .fold(0_u8, |sum, it| sum.wrapping_add(*it));
    packet.push(b'#');
    packet.extend(hex::encode(&[sum]).into_bytes());
    packet
}

/// `#`, `$`, `}` and, in replies, `*` mean something else unless they are escaped.
fn escape(bytes: &[u8], escaped: &mut Vec<u8>) {
    for &byte in bytes {
        if matches!(byte, b'#' | b'$' | b'*' | ESCAPE) {
            escaped.extend([ESCAPE, byte ^ 0x20]);
        } else {
            escaped.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BODY_BYTES_MAX, Decoder, Item, encode};

    fn items(bytes: &[u8]) -> Vec<Item> {
        let mut decoder = Decoder::default();
        bytes.iter().filter_map(|it| decoder.feed(*it)).collect()
    }

    #[test]
    fn packets_go_there_and_back() {
        let body: Vec<u8> = (0..=255).collect();
        assert_eq!(items(&encode(&body)), [Item::Packet(body)]);
        assert_eq!(encode(b"OK"), b"$OK#9a");
    }

    #[test]
    fn noise_between_packets_is_passed_over() {
        let found = items(b"+\xff+$?#3f++\x03-$?#3e$?$?#3f");
        let packet = || Item::Packet(b"?".to_vec());
        let expected = [
            packet(),
            Item::Interrupt,
            Item::Nack,
            Item::Corrupt,
            packet(),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_packet_too_long_is_skipped_and_not_kept() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.feed(b'$'), None);
        for _ in 0..10 * BODY_BYTES_MAX {
            assert_eq!(decoder.feed(b'x'), None);
        }
        assert!(decoder.body.capacity() <= 2 * BODY_BYTES_MAX);
        let rest: Vec<_> = b"#00$?#3f"
            .iter()
            .filter_map(|it| decoder.feed(*it))
            .collect();
        assert_eq!(rest, [Item::Overlong, Item::Packet(b"?".to_vec())]);
    }
}
