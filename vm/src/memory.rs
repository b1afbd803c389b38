//! Linear memories: reserved address space that is committed as it grows, so that their base never moves.

use std::ptr::NonNull;
use std::sync::Arc;

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags};
use wasmparser::MemoryType;

/// Bytes of a page of the specification, unless a memory has a page size of its own.
pub const PAGE_BYTES: u64 = 65536;

/// Memory is committed in multiples of this, which is one of the operating system's page size.
const COMMIT_BYTES: usize = 65536;

/// Bytes of a page that snapshots share: small enough that one written byte costs little.
const SNAPSHOT_PAGE_BYTES: usize = 4096;

/// Addresses that 32-bit code can form: a 32-bit base, a 32-bit offset and the widest access.
const RESERVED_BYTES: usize = (8 << 30) + (64 << 10);

/// Why a memory did not grow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GrowError {
    /// Its own maximum or the configured limit forbids it; the guest sees −1.
    Limit,
    /// The operating system gave no memory; the machine stops, since another run might be given it.
    Host(String),
}

/// A linear memory.
pub struct Memory {
    base: NonNull<u8>,
    reserved_bytes: usize,
    /// Bytes that can be accessed by this process; what lies beyond the memory's own is zero.
    committed_bytes: usize,
    bytes: usize,
    page_bytes: u64,
    pages_max: u64,
    /// The bits of a cell that an address has.
    address_mask: u64,
    is_shared: bool,
}

// SAFETY: the mapping belongs to this value alone, like the contents of a `Box`.
unsafe impl Send for Memory {}

impl Memory {
    /// A memory of the type's initial size, zeroed. `bytes_limit` bounds its growth beside its own maximum.
    pub fn new(ty: &MemoryType, bytes_limit: u64) -> Result<Memory, GrowError> {
        let page_bytes = 1 << ty.page_size_log2.unwrap_or(PAGE_BYTES.ilog2());
        let pages_limit = bytes_limit / page_bytes;
        let pages_max = ty.maximum.unwrap_or(u64::MAX).min(pages_limit);
        if ty.initial > pages_limit {
            return Err(GrowError::Limit);
        }
        let wanted = usize::try_from(pages_max.saturating_mul(page_bytes))
            .ok()
            .and_then(|bytes| bytes.max(1).checked_next_multiple_of(COMMIT_BYTES))
            .ok_or(GrowError::Limit)?;
        let preferred = wanted.max(RESERVED_BYTES);
        // Where address space itself is limited, only what the memory may grow to is reserved.
        let (base, reserved_bytes) = reserve(preferred)
            .map(|base| (base, preferred))
            .or_else(|_| reserve(wanted).map(|base| (base, wanted)))
            .map_err(|error| {
                GrowError::Host(format!(
                    "cannot reserve address space for a memory: {error}"
                ))
            })?;
        let mut memory = Memory {
            base,
            reserved_bytes,
            committed_bytes: 0,
            bytes: 0,
            page_bytes,
            pages_max,
            address_mask: if ty.memory64 {
                u64::MAX
            } else {
                u64::from(u32::MAX)
            },
            is_shared: ty.shared,
        };
        memory.grow(ty.initial)?;
        Ok(memory)
    }

    /// The address, or the number of bytes or pages, that a cell holds for this memory.
    #[must_use]
    pub fn address(&self, cell: u64) -> u64 {
        cell & self.address_mask
    }

    /// Whether its addresses have 64 bits.
    #[must_use]
    pub fn is_64(&self) -> bool {
        self.address_mask == u64::MAX
    }

    /// Whether several agents may use it.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// The address of byte 0; it stays as long as the memory lives.
    #[must_use]
    pub fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// The contents.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the first `bytes` bytes are committed for reading and writing, and borrowed as `self` is.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr(), self.bytes) }
    }

    /// The contents, to be changed.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and `self` is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr(), self.bytes) }
    }

    /// The size in the memory's pages.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.bytes as u64 / self.page_bytes
    }

    /// Grows by `delta` pages; answers the old size in pages.
    pub fn grow(&mut self, delta: u64) -> Result<u64, GrowError> {
        let old = self.pages();
        let new = old
            .checked_add(delta)
            .filter(|&pages| pages <= self.pages_max)
            .ok_or(GrowError::Limit)?;
        let new_bytes =
            usize::try_from(new.saturating_mul(self.page_bytes)).map_err(|_| GrowError::Limit)?;
        self.resize(new_bytes)?;
        Ok(old)
    }

    /// Makes the memory larger, by zeros.
    fn resize(&mut self, bytes: usize) -> Result<(), GrowError> {
        let committed_bytes = bytes
            .checked_next_multiple_of(COMMIT_BYTES)
            .filter(|&bytes| bytes <= self.reserved_bytes)
            .ok_or_else(|| {
                GrowError::Host(format!("no address space for {bytes} bytes of memory"))
            })?;
        if committed_bytes > self.committed_bytes {
            self.commit(self.committed_bytes..committed_bytes)
                .map_err(|error| {
                    GrowError::Host(format!("cannot grow the memory to {bytes} bytes: {error}"))
                })?;
            self.committed_bytes = committed_bytes;
        }
        self.bytes = bytes;
        Ok(())
    }

    /// An immutable copy that shares every page that equals `previous`'s.
    #[must_use]
    pub fn snapshot(&self, previous: Option<&MemorySnapshot>) -> MemorySnapshot {
        let old_pages = previous.map_or(&[][..], |snapshot| &snapshot.pages);
        let pages =
            self.bytes().chunks(SNAPSHOT_PAGE_BYTES).enumerate().map(
                |(index, page)| match old_pages.get(index) {
                    Some(Some(old)) if old[..] == *page => Some(Arc::clone(old)),
                    _ if is_zero(page) => None,
                    _ => Some(Arc::from(page)),
                },
            );
        MemorySnapshot {
            pages: pages.collect(),
            bytes: self.bytes,
        }
    }

    /// Becomes what it was when the snapshot was taken.
    ///
    /// # Panics
    /// When the snapshot is of another memory: one that could never have had this size.
    pub fn restore(&mut self, snapshot: &MemorySnapshot) {
        let bytes = snapshot.bytes;
        if bytes < self.bytes {
            // Beyond the memory there are zeros, which it finds when it grows again.
            self.bytes_mut()[bytes..].fill(0);
            self.bytes = bytes;
            self.withdraw();
        } else if bytes > self.bytes {
            self.resize(bytes).expect("the memory had this size before");
        }
        for (page, saved) in self
            .bytes_mut()
            .chunks_mut(SNAPSHOT_PAGE_BYTES)
            .zip(&snapshot.pages)
        {
            match saved {
                Some(saved) if page != &saved[..] => page.copy_from_slice(saved),
                None if !is_zero(page) => page.fill(0),
                _ => {}
            }
        }
    }

    /// Makes what lies beyond the memory inaccessible again.
    fn withdraw(&mut self) {
        let needed = self.bytes.next_multiple_of(COMMIT_BYTES);
        let range = needed..self.committed_bytes;
        if range.is_empty() {
            return;
        }
        // SAFETY: the range lies in this value's own mapping beyond what it lends.
        let result = unsafe {
            rustix::mm::mprotect(
                self.base.as_ptr().add(range.start).cast(),
                range.len(),
                MprotectFlags::empty(),
            )
        };
        if result.is_ok() {
            self.committed_bytes = needed;
        }
    }

    /// Whether every address that 32-bit code can form lies within the memory or cannot be accessed.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        !self.is_64()
            && self.reserved_bytes >= RESERVED_BYTES
            && self.bytes == self.committed_bytes
            && self.page_bytes.is_multiple_of(COMMIT_BYTES as u64)
    }

    fn commit(&self, range: std::ops::Range<usize>) -> rustix::io::Result<()> {
        assert!(range.end <= self.reserved_bytes, "beyond the reservation");
        // SAFETY: the range lies in this value's own mapping, and nothing that is borrowed becomes inaccessible.
        unsafe {
            rustix::mm::mprotect(
                self.base.as_ptr().add(range.start).cast(),
                range.len(),
                MprotectFlags::READ | MprotectFlags::WRITE,
            )
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `reserve` with this length, and nothing borrows it any more.
        let result = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), self.reserved_bytes) };
        debug_assert!(result.is_ok(), "a mapping of its own can be unmapped");
    }
}

/// Whether a page of a snapshot holds nothing but zeros.
fn is_zero(page: &[u8]) -> bool {
    /// Comparing with it takes a fraction of the time that looking at each byte takes.
    static ZEROS: [u8; SNAPSHOT_PAGE_BYTES] = [0; SNAPSHOT_PAGE_BYTES];
    *page == ZEROS[..page.len()]
}

fn reserve(bytes: usize) -> rustix::io::Result<NonNull<u8>> {
    // SAFETY: a new mapping at an address of the kernel's choice touches no memory in use.
    let base = unsafe {
        rustix::mm::mmap_anonymous(
            std::ptr::null_mut(),
            bytes,
            ProtFlags::empty(),
            MapFlags::PRIVATE | MapFlags::NORESERVE,
        )?
    };
    Ok(NonNull::new(base.cast()).expect("mmap never answers null"))
}

/// The contents of a memory at one moment. Pages are shared between snapshots; a page of zeros is not kept at all.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct MemorySnapshot {
    pages: Vec<Option<Arc<[u8]>>>,
    bytes: usize,
}

impl MemorySnapshot {
    /// The size of the memory in bytes.
    #[must_use]
    pub fn bytes_count(&self) -> usize {
        self.bytes
    }

    /// How many bytes of pages this snapshot keeps that `previous` does not.
    #[must_use]
    pub fn bytes_beyond(&self, previous: &MemorySnapshot) -> usize {
        let shared = |index: usize, page: &Arc<[u8]>| matches!(previous.pages.get(index), Some(Some(old)) if Arc::ptr_eq(old, page));
        let own = self.pages.iter().enumerate();
        own.filter(|(index, page)| page.as_ref().is_some_and(|page| !shared(*index, page)))
            .count()
            * SNAPSHOT_PAGE_BYTES
    }
}

impl std::fmt::Debug for MemorySnapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kept = self.pages.iter().flatten().count();
        write!(
            f,
            "MemorySnapshot({} pages, {kept} not zero)",
            self.pages.len()
        )
    }
}
