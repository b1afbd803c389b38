//! What probes have written down, until somebody takes it.

use wdb_codegen::CAPTURED_HEAD_WORDS;

/// What a probe wrote down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CaptureRecord<'a> {
    /// The number by which whoever set the probe knows it.
    pub tag: u32,
    /// The machine's clock when it was arrived at.
    pub tick: u64,
    /// The values: integers, and the bits of floats of 64 bits.
    pub values: &'a [u64],
}

/// Takes what probes write down, in the order in which they do: before the program calls the host, at every stop, and now and then
/// in a long run.
pub trait CaptureSink: Send {
    /// Takes a record.
    fn take(&mut self, record: CaptureRecord<'_>);
}

/// Words that are kept until they are taken: 64 KiB of them.
const WORDS_MAX: usize = 1 << 13;

/// Records that nobody has taken yet.
#[derive(Default)]
pub(crate) struct Captured {
    /// Records one behind the other, and room for more. Empty before the first one.
    words: Vec<u64>,
    /// How many words the records take.
    used: usize,
    sink: Option<Box<dyn CaptureSink>>,
    /// Whether records are dropped.
    is_muted: bool,
}

impl Captured {
    pub(crate) fn set_sink(&mut self, sink: Option<Box<dyn CaptureSink>>) {
        self.hand_over();
        self.sink = sink;
    }

    /// Has records dropped from now on, or not; answers whether they were.
    pub(crate) fn mute(&mut self, is_muted: bool) -> bool {
        self.hand_over();
        std::mem::replace(&mut self.is_muted, is_muted)
    }

    /// Where the next record goes, and where there is no more room.
    pub(crate) fn room(&mut self) -> (*mut u64, *mut u64) {
        let end = self.words.len();
        let start = self.words.as_mut_ptr();
        (start.wrapping_add(self.used), start.wrapping_add(end))
    }

    /// Takes note of records that were written into the room up to an address.
    pub(crate) fn note_written(&mut self, next: *mut u64) {
        self.used = (next.addr() - self.words.as_ptr().addr()) / size_of::<u64>();
        debug_assert!(self.used <= self.words.len(), "records end in the room");
    }

    pub(crate) fn push(&mut self, record: CaptureRecord<'_>) {
        self.words.resize(WORDS_MAX, 0);
        let CaptureRecord { tag, tick, values } = record;
        if self.used + CAPTURED_HEAD_WORDS + values.len() > WORDS_MAX {
            self.hand_over();
        }
        let head = [u64::from(tag) | (values.len() as u64) << 32, tick];
        for &word in head.iter().chain(values) {
            self.words[self.used] = word;
            self.used += 1;
        }
    }

    /// Gives all records to the sink.
    pub(crate) fn hand_over(&mut self) {
        let mut rest = &self.words[..std::mem::take(&mut self.used)];
        while let [head, tick, behind @ ..] = rest {
            let (values, next) = behind.split_at((head >> 32) as usize);
            rest = next;
            let record = CaptureRecord {
                tag: *head as u32,
                tick: *tick,
                values,
            };
            if let Some(sink) = &mut self.sink
                && !self.is_muted
            {
                sink.take(record);
            }
        }
    }
}
