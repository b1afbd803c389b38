//! Linear memories: reserved address space that is committed as it grows, so that their base never moves.

use std::ptr::NonNull;
use std::sync::Arc;

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags};
use wasmparser::MemoryType;

/// Bytes of a page of the specification.
pub const PAGE_BYTES: u64 = 65536;

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
    bytes: usize,
    pages_max: u64,
}

// SAFETY: the mapping belongs to this value alone, like the contents of a `Box`.
unsafe impl Send for Memory {}

impl Memory {
    /// A memory of the type's initial size, zeroed. `pages_limit` bounds its growth beside its own maximum.
    pub fn new(ty: &MemoryType, pages_limit: u64) -> Result<Memory, GrowError> {
        let pages_max = ty.maximum.unwrap_or(u64::MAX).min(pages_limit);
        if ty.initial > pages_limit {
            return Err(GrowError::Limit);
        }
        let wanted = usize::try_from(pages_max.saturating_mul(PAGE_BYTES)).unwrap_or(usize::MAX);
        // Where address space itself is limited, only what the memory may grow to is reserved.
        let (base, reserved_bytes) = reserve(RESERVED_BYTES)
            .map(|base| (base, RESERVED_BYTES))
            .or_else(|_| reserve(wanted.max(1)).map(|base| (base, wanted.max(1))))
            .map_err(|error| {
                GrowError::Host(format!(
                    "cannot reserve address space for a memory: {error}"
                ))
            })?;
        let mut memory = Memory {
            base,
            reserved_bytes,
            bytes: 0,
            pages_max,
        };
        memory.grow(ty.initial)?;
        Ok(memory)
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

    /// The size in pages of 64 KiB.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.bytes as u64 / PAGE_BYTES
    }

    /// Grows by `delta` pages; answers the old size in pages.
    pub fn grow(&mut self, delta: u64) -> Result<u64, GrowError> {
        let old = self.pages();
        let new = old
            .checked_add(delta)
            .filter(|&pages| pages <= self.pages_max)
            .ok_or(GrowError::Limit)?;
        let new_bytes =
            usize::try_from(new.saturating_mul(PAGE_BYTES)).map_err(|_| GrowError::Limit)?;
        if new_bytes > self.reserved_bytes {
            return Err(GrowError::Host(format!(
                "no address space for {new_bytes} bytes of memory"
            )));
        }
        self.protect(
            self.bytes..new_bytes,
            MprotectFlags::READ | MprotectFlags::WRITE,
        )
        .map_err(|error| {
            GrowError::Host(format!(
                "cannot grow the memory to {new_bytes} bytes: {error}"
            ))
        })?;
        self.bytes = new_bytes;
        Ok(old)
    }

    /// An immutable copy that shares every page that equals `previous`'s.
    #[must_use]
    pub fn snapshot(&self, previous: Option<&MemorySnapshot>) -> MemorySnapshot {
        let old_pages = previous.map_or(&[][..], |snapshot| &snapshot.pages);
        let pages =
            self.bytes().chunks(SNAPSHOT_PAGE_BYTES).enumerate().map(
                |(index, page)| match old_pages.get(index) {
                    Some(Some(old)) if old[..] == *page => Some(Arc::clone(old)),
                    _ if page.iter().all(|&byte| byte == 0) => None,
                    _ => Some(Arc::from(page)),
                },
            );
        MemorySnapshot {
            pages: pages.collect(),
        }
    }

    /// Becomes what it was when the snapshot was taken.
    ///
    /// # Panics
    /// When the snapshot is of another memory: one that could never have had this size.
    pub fn restore(&mut self, snapshot: &MemorySnapshot) {
        let bytes = snapshot.pages.len() * SNAPSHOT_PAGE_BYTES;
        if bytes < self.bytes {
            let released = bytes..self.bytes;
            self.bytes_mut()[released.clone()].fill(0);
            self.protect(released, MprotectFlags::empty())
                .expect("pages of an own mapping can be protected");
            self.bytes = bytes;
        } else if bytes > self.bytes {
            let delta = (bytes - self.bytes) as u64 / PAGE_BYTES;
            self.grow(delta).expect("the memory had this size before");
        }
        for (page, saved) in self
            .bytes_mut()
            .chunks_mut(SNAPSHOT_PAGE_BYTES)
            .zip(&snapshot.pages)
        {
            match saved {
                Some(saved) if page != &saved[..] => page.copy_from_slice(saved),
                None if page.iter().any(|&byte| byte != 0) => page.fill(0),
                _ => {}
            }
        }
    }

    fn protect(
        &self,
        range: std::ops::Range<usize>,
        flags: MprotectFlags,
    ) -> rustix::io::Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        assert!(range.end <= self.reserved_bytes, "beyond the reservation");
        // SAFETY: the range lies in this value's own mapping, and no slice of it is borrowed beyond what stays accessible.
        unsafe {
            rustix::mm::mprotect(
                self.base.as_ptr().add(range.start).cast(),
                range.len(),
                flags,
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
}

impl MemorySnapshot {
    /// The size of the memory in bytes.
    #[must_use]
    pub fn bytes_count(&self) -> usize {
        self.pages.len() * SNAPSHOT_PAGE_BYTES
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
