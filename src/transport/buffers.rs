//! The buffers of one connection.

use ureq::unversioned::transport::Buffers;

/// What is sent at once.
const OUTPUT_BYTES: usize = 64 << 10;
/// What is read at once; grown only for headers that are longer.
const INPUT_BYTES: usize = 16 << 10;

/// 64 KiB out and 16 KiB in, allocated when they are first needed. ureq's own never grow, so that no header could be longer than 16 KiB.
#[derive(Default)]
pub(super) struct WireBuffers {
    output: Vec<u8>,
    input: Vec<u8>,
    start: usize,
    end: usize,
    progress: bool,
}

impl WireBuffers {
    /// The first `amount` bytes to send.
    pub(super) fn filled(&self, amount: usize) -> &[u8] {
        &self.output[..amount]
    }
}

impl Buffers for WireBuffers {
    fn output(&mut self) -> &mut [u8] {
        self.output.resize(OUTPUT_BYTES, 0);
        &mut self.output
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
        self.start += amount;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            self.input.truncate(INPUT_BYTES);
            self.input.shrink_to(INPUT_BYTES);
        }
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.output.resize(OUTPUT_BYTES, 0);
        // The first is only for chunked bodies, which we never send.
        (&mut [], &mut self.output)
    }

    fn can_use_input(&self) -> bool {
        self.progress && self.start < self.end
    }
}
