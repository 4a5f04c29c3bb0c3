//! Bounds of one client.

/// Bounds of one client; all of them hold over all uploads, and may be changed at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Uploads that work at once: 1 to [`PARALLEL_MAX`](Limits::PARALLEL_MAX).
    pub parallel_uploads: u32,
    /// Parts that are sent at once: 1 to [`PARALLEL_MAX`](Limits::PARALLEL_MAX).
    pub parallel_parts: u32,
    /// Body bytes a second; 0: no limit.
    pub rate_bytes_per_s: u64,
    /// What connections and reads may take; 0: no limit of its own. Fewer parts go at once where it does not reach for all: each place takes
    /// [`PLACE_BYTES`](Limits::PLACE_BYTES), one is always left.
    pub memory_bytes: u64,
    /// Sources that are open at once; 0: as many as uploads work.
    pub open_sources: u32,
}

impl Limits {
    /// Uploads, and parts, at once: whatever a host asks for.
    pub const PARALLEL_MAX: u32 = 64;
    /// What a place for a part takes at most: three kept connections with 80 KiB of buffers each, and the answer to one control request.
    pub const PLACE_BYTES: u64 = 512 << 10;

    /// Within what can be.
    pub(crate) fn clamped(self) -> Limits {
        Limits {
            parallel_uploads: self.parallel_uploads.clamp(1, Limits::PARALLEL_MAX),
            parallel_parts: self.parallel_parts.min(self.fitting()).clamp(1, Limits::PARALLEL_MAX),
            open_sources: if self.open_sources == 0 { u32::MAX } else { self.open_sources },
            ..self
        }
    }

    /// Threads for the sources of those uploads: one each, so that one that blocks holds nobody else, as far as the memory for what they read goes.
    pub(crate) fn source_threads_max(&self) -> usize {
        self.parallel_uploads.min(self.open_sources).min(self.fitting()).max(1) as usize
    }

    /// Places that there is memory for.
    fn fitting(&self) -> u32 {
        match self.memory_bytes {
            0 => Limits::PARALLEL_MAX,
            bytes => u32::try_from(bytes / Limits::PLACE_BYTES).unwrap_or(u32::MAX),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        // smh §17.11: at most 3 parallel parts where no rate is known.
        Limits { parallel_uploads: 2, parallel_parts: 3, rate_bytes_per_s: 0, memory_bytes: 0, open_sources: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_what_can_be() {
        let none = Limits { parallel_uploads: 0, parallel_parts: 0, ..Limits::default() }.clamped();
        assert_eq!((none.parallel_uploads, none.parallel_parts, none.open_sources), (1, 1, u32::MAX));
        let parts =
            |memory_bytes| Limits { parallel_parts: 8, memory_bytes, ..Limits::default() }.clamped().parallel_parts;
        assert_eq!([0, 1, 2 << 20, 64 << 20].map(parts), [8, 1, 4, 8]);
        let threads = |open_sources, memory_bytes| {
            let limits = Limits { parallel_uploads: 8, open_sources, memory_bytes, ..Limits::default() };
            limits.clamped().source_threads_max()
        };
        assert_eq!([threads(0, 0), threads(3, 0), threads(0, 1), threads(0, 2 << 20)], [8, 3, 1, 4]);
    }
}
