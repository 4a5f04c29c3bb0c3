//! The buffers of one connection.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ureq::unversioned::transport::Buffers;

use super::interim::{self, Head};

/// What is sent at once, so that a bar moves and a stop is a stop on a slow line too.
const OUTPUT_BYTES: usize = 64 << 10;
/// What is sent at once where it goes fast: a quarter of the calls, and a fifth of the processor's time less.
const OUTPUT_BYTES_MAX: usize = 128 << 10;
/// From here on it goes fast: 8 MB/s.
const BYTES_PER_MS_FAST: u32 = 8_000;
/// What is read at once; grown only for headers that are longer.
const INPUT_BYTES: usize = 16 << 10;

/// 64 KiB out (256 KiB where it goes fast) and 16 KiB in, allocated when they are first needed. ureq's own never grow, so that no header could be longer than
/// 16 KiB.
pub(super) struct WireBuffers {
    output: Vec<u8>,
    spare: Spare,
    fast: bool,
    input: Vec<u8>,
    start: usize,
    end: usize,
    progress: bool,
}

/// What the connections of a lane send from, while none does: they send one at a time.
pub(super) type Spare = Arc<Mutex<Vec<u8>>>;

fn locked(spare: &Spare) -> MutexGuard<'_, Vec<u8>> {
    spare.lock().unwrap_or_else(PoisonError::into_inner)
}

impl WireBuffers {
    pub(super) fn new(spare: Spare) -> Self {
        Self { output: vec![], spare, fast: false, input: vec![], start: 0, end: 0, progress: false }
    }

    /// The first `amount` bytes to send.
    pub(super) fn filled(&self, amount: usize) -> &[u8] {
        &self.output[..amount]
    }

    /// So much went out in that time: what is sent next is as large as that suggests. A head says nothing.
    pub(super) fn sent(&mut self, amount: usize, spent: Duration) {
        if amount >= OUTPUT_BYTES {
            self.fast = spent * BYTES_PER_MS_FAST <= Duration::from_millis(amount as u64);
        }
    }

    /// All was sent: another connection of the lane may send from the same memory.
    pub(super) fn give_output(&mut self) {
        if !self.output.is_empty() {
            *locked(&self.spare) = std::mem::take(&mut self.output);
        }
    }

    /// Makes interim answers at the beginning of the input what ureq understands: the permission to send without its headers, and nothing of the others. True when
    /// there is something for ureq to look at.
    pub(super) fn settle_interim(&mut self) -> bool {
        loop {
            match interim::head(self.input()) {
                Head::Other => return !self.input().is_empty(),
                Head::Begun => return false,
                Head::Whole { len, goes_on: true } => {
                    // One that is shorter has no headers.
                    if let Some(more) = len.checked_sub(interim::GO_ON.len()) {
                        self.start += more;
                        self.input[self.start..][..interim::GO_ON.len()].copy_from_slice(interim::GO_ON);
                    }
                    return true;
                }
                Head::Whole { len, goes_on: false } => self.drop_input(len),
            }
        }
    }

    /// True when an answer began to come that is more than interim.
    pub(super) fn begun(&self) -> bool {
        !self.input().is_empty() && interim::head(self.input()) == Head::Other
    }

    fn drop_input(&mut self, amount: usize) {
        self.start += amount;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            self.input.truncate(INPUT_BYTES);
            self.input.shrink_to(INPUT_BYTES);
        }
    }

    fn room(&mut self) -> &mut [u8] {
        let room = if self.fast { OUTPUT_BYTES_MAX } else { OUTPUT_BYTES };
        if self.output.is_empty() {
            self.output = std::mem::take(&mut *locked(&self.spare));
        }
        if self.output.len() < room {
            self.output.resize(room, 0);
        }
        &mut self.output[..room]
    }
}

impl Buffers for WireBuffers {
    fn output(&mut self) -> &mut [u8] {
        self.room()
    }

    fn input(&self) -> &[u8] {
        &self.input[self.start..self.end]
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.input.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        // How much may come in all is limited where it is counted, not here.
        if self.end == self.input.len() {
            self.input.resize(self.end + INPUT_BYTES, 0);
        }
        &mut self.input[self.end..]
    }

    fn input_appended(&mut self, amount: usize) {
        self.end += amount;
    }

    fn input_consume(&mut self, amount: usize) {
        self.progress = amount > 0;
        self.drop_input(amount);
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        // The first is only for chunked bodies, which we never send.
        (&mut [], self.room())
    }

    fn can_use_input(&self) -> bool {
        self.progress && self.start < self.end
    }
}

impl Drop for WireBuffers {
    fn drop(&mut self) {
        self.give_output();
    }
}
