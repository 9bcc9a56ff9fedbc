//! The memory that hashes are made in.
//!
//! Argon2 jumps about in 19 MiB; in pages of 4 KiB, each jump has the processor look for its page. In huge pages of 2 MiB a hash took
//! 3 % less time on a quiet machine, and 9 % less on a busy one. The kernel gives them to who asks, where it is set to: all else of the program stays in small ones,
//! of which an idle one holds less.

use allocator_api2::vec::Vec;
use argon2::Block;
use hugealloc::HugeAlloc;

/// The memory of one thread.
pub(super) struct Memory(Vec<Block, HugeAlloc>);

impl Default for Memory {
    fn default() -> Self {
        Self(Vec::new_in(HugeAlloc))
    }
}

impl Memory {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// At least `count` blocks. It grows to the largest hash seen and stays, until its thread has long been idle.
    pub(super) fn blocks(&mut self, count: usize) -> &mut [Block] {
        if self.0.len() < count {
            // What there was is no longer needed, and need not be copied.
            *self = Self::default();
            self.0.resize(count, Block::new());
        }
        &mut self.0[..count]
    }
}

/// Takes back the program's allocator's refusal of huge pages for the whole process, where the kernel gives them to nobody
/// who hasn't asked. Where it gives them to everybody they stay refused: what they gain here is less than what they hold
/// elsewhere.
pub(super) fn allow_huge_pages() {
    #[cfg(target_os = "linux")]
    {
        const MODE: &str = "/sys/kernel/mm/transparent_hugepage/enabled";
        let for_those_who_ask = std::fs::read_to_string(MODE).is_ok_and(|mode| mode.contains("[madvise]"));
        if for_those_who_ask && let Err(error) = rustix::thread::disable_transparent_huge_pages(false) {
            tracing::debug!(%error, "hashes do without huge pages");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_to_the_largest_hash_and_stays() {
        let mut memory = Memory::default();
        assert!(memory.is_empty());
        assert_eq!(memory.blocks(64).len(), 64);
        assert_eq!(memory.blocks(19_456).len(), 19_456);
        assert_eq!(memory.blocks(64).len(), 64);
        assert_eq!(memory.0.len(), 19_456);
    }
}
