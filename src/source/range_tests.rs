use std::io::Write as _;

use proptest::prelude::*;

use super::*;
use crate::{
    model::Identity,
    source::{HostReader, MemorySource, PathSource, ReaderSource},
};

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

fn crc(bytes: &[u8]) -> u64 {
    let mut crc = Crc64::new();
    crc.update(bytes);
    crc.value()
}

/// Gives what it has in pieces of at most that many bytes.
struct Stutter {
    bytes: Vec<u8>,
    piece: usize,
}

impl HostReader for Stutter {
    fn len(&self) -> Result<u64, ErrorInfo> {
        Ok(self.bytes.len() as u64)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
        let rest = &self.bytes[offset as usize..];
        let count = rest.len().min(buf.len()).min(self.piece);
        buf[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn concurrent(&self) -> bool {
        false
    }
}

fn stutter(bytes: Vec<u8>, piece: usize) -> Arc<dyn Source> {
    Arc::new(ReaderSource::new(Arc::new(Stutter { bytes, piece })).expect("a source"))
}

fn drain(reader: &mut RangeReader, buf_bytes: usize) -> Result<Vec<u8>, ErrorInfo> {
    let mut all = Vec::new();
    let mut buf = vec![0; buf_bytes];
    loop {
        match reader.read(&mut buf)? {
            0 => return Ok(all),
            count => all.extend_from_slice(&buf[..count]),
        }
    }
}

#[test]
fn a_file_that_is_cut_while_it_is_read() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(&content(1000)).expect("written");
    let source: Arc<dyn Source> = Arc::new(PathSource::open(file.path()).expect("open"));
    let before = source.identity().expect("identity");
    let mut reader = RangeReader::new(source.clone(), 100, 800);
    let mut buf = [0; 300];
    assert_eq!(reader.read(&mut buf).expect("read"), 300);
    file.as_file().set_len(500).expect("cut");
    assert_eq!(reader.read(&mut buf).expect("what is left"), 100);
    assert_eq!(reader.read(&mut buf).expect_err("the end came early").code, Code::SourceChanged);
    assert_eq!(reader.done_bytes(), 400);
    assert_eq!(reader.crc64(), crc(&content(500)[100..]), "of what was handed out");
    assert!(!before.same_as(&source.identity().expect("identity")));
    // It stays an error; it never becomes an end.
    assert_eq!(reader.read(&mut buf).expect_err("still").code, Code::SourceChanged);

    let mut exact = [0; 500];
    assert!(read_exact_at(source.as_ref(), 0, &mut exact).is_ok());
    assert_eq!(read_exact_at(source.as_ref(), 1, &mut exact).expect_err("short").code, Code::SourceChanged);
}

#[test]
fn a_file_that_grows_is_read_to_the_end_of_the_range() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(&content(100)).expect("written");
    let source: Arc<dyn Source> = Arc::new(PathSource::open(file.path()).expect("open"));
    let mut reader = RangeReader::new(source, 40, 60);
    assert_eq!(reader.read(&mut [0; 10]).expect("read"), 10);
    file.write_all(b"and more").expect("written");
    assert_eq!(drain(&mut reader, 64).expect("read"), &content(100)[50..]);
    assert_eq!(reader.read(&mut [0; 10]).expect("the end"), 0);
    assert_eq!((reader.len_bytes(), reader.done_bytes()), (60, 60));
    assert_eq!(reader.crc64(), crc(&content(100)[40..]));
}

#[test]
fn a_host_whose_bytes_end_before_its_length() {
    struct Liar;
    impl HostReader for Liar {
        fn len(&self) -> Result<u64, ErrorInfo> {
            Ok(10)
        }
        fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
            Ok(buf.len().min(4usize.saturating_sub(offset as usize)))
        }
        fn concurrent(&self) -> bool {
            true
        }
    }
    let source: Arc<dyn Source> = Arc::new(ReaderSource::new(Arc::new(Liar)).expect("a source"));
    let mut reader = RangeReader::new(source, 0, 10);
    assert_eq!(drain(&mut reader, 16).expect_err("short").code, Code::SourceChanged);
    assert_eq!(reader.done_bytes(), 4);
}

#[test]
fn an_empty_range_reads_nothing() {
    let source: Arc<dyn Source> = Arc::new(MemorySource::new(*b"").expect("a source"));
    let mut reader = RangeReader::new(source.clone(), 0, 0);
    assert_eq!(reader.read(&mut [0; 4]).expect("the end"), 0);
    assert_eq!(reader.crc64(), 0);
    assert!(read_exact_at(source.as_ref(), 0, &mut []).is_ok());
    assert_eq!(read_exact_at(source.as_ref(), 0, &mut [0]).expect_err("nothing there").code, Code::SourceChanged);
}

#[test]
fn an_empty_buffer_is_not_an_end() {
    let mut reader = RangeReader::new(stutter(content(10), 3), 0, 10);
    assert_eq!(reader.read(&mut []).expect("nothing asked"), 0);
    assert_eq!(drain(&mut reader, 4).expect("read"), content(10));
}

#[test]
fn a_source_that_breaks_its_word_is_caught() {
    struct Broken;
    impl Source for Broken {
        fn identity(&self) -> Result<Identity, ErrorInfo> {
            Ok(Identity::default())
        }
        fn read_at(&self, _: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
            Ok(buf.len() + 1)
        }
    }
    let mut reader = RangeReader::new(Arc::new(Broken), 0, 10);
    assert_eq!(reader.read(&mut [0; 4]).expect_err("too much").code, Code::Bug);
    let mut reader = RangeReader::new(stutter(content(10), 3), u64::MAX, 10);
    assert_eq!(reader.read(&mut [0; 4]).expect_err("far beyond").code, Code::SourceChanged);
}

proptest! {
    #[test]
    fn any_range_in_any_pieces_twice(
        len in 0usize..2000, from in 0usize..2000, to in 0usize..2000, piece in 1usize..300, buf_bytes in 1usize..300, first in 0usize..10,
    ) {
        let (from, to) = (from.min(to).min(len), from.max(to).min(len));
        let bytes = content(len);
        let source = stutter(bytes.clone(), piece);
        let mut reader = RangeReader::new(source.clone(), from as u64, (to - from) as u64);
        for _ in 0..first {
            reader.read(&mut vec![0; buf_bytes]).expect("read");
        }
        reader.rewind();
        prop_assert_eq!((reader.done_bytes(), reader.crc64()), (0, 0));
        prop_assert_eq!(&drain(&mut reader, buf_bytes).expect("read"), &bytes[from..to]);
        prop_assert_eq!(reader.done_bytes(), (to - from) as u64);
        prop_assert_eq!(reader.crc64(), crc(&bytes[from..to]));

        let mut exact = vec![0; to - from];
        read_exact_at(source.as_ref(), from as u64, &mut exact).expect("read");
        prop_assert_eq!(&exact, &bytes[from..to]);
    }
}
