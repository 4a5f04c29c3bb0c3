//! What a queued upload holds: counted by the allocator and by the system, so it has a process of its own.
#![allow(missing_docs, clippy::unwrap_used, unsafe_code)]

mod common;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering},
};

use partway::client::{Client, Config, Select, Source, UploadRequest};

use crate::common::*;

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on as it came; beside that a number is changed.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const UPLOADS: usize = 1_000;

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count())
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, |entries| entries.count())
}

/// With a token of 16 KiB and what a host would note beside it; half of them found by a process that did not start them.
#[test]
fn a_queued_upload_holds_little() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let open = || Client::open(Config { autostart: false, ..world.config() }).unwrap();
    let requests = |from: usize| -> Vec<UploadRequest> {
        (from..from + UPLOADS / 2)
            .map(|number| {
                let mut request = world.request(&file, &format!("Camera/2026/11/IMG_{number:08}.jpg"));
                request.source = Source::path(&file).with_token(vec![7; 16 << 10]);
                request.group = Some("chat/1234567".into());
                request.tags.insert("thumb".into(), format!("thumbs/{number:032}"));
                request
            })
            .collect()
    };
    let client = open();
    assert!(client.start_all(requests(0)).iter().all(Result::is_ok));
    assert!(client.close(5_000));
    drop(client);
    let rests = || {
        // Threads of before end, and with them what they kept.
        let mut last = usize::MAX;
        world.becomes("at rest", || {
            let now = HELD.load(Ordering::Relaxed) + threads();
            let same = now == last;
            last = now;
            same
        });
        (HELD.load(Ordering::Relaxed), descriptors(), threads())
    };
    let before = rests();
    let client = open();
    assert!(client.start_all(requests(UPLOADS)).iter().all(Result::is_ok));
    client.wait_idle(Some(PATIENCE_MS));
    world.becomes("no thread of its own", || client.threads() == 0);
    let after = rests();
    let each = after.0.saturating_sub(before.0) / UPLOADS;
    println!(
        "{each} bytes each, {} descriptors, {} threads more",
        after.1 as i64 - before.1 as i64,
        after.2 as i64 - before.2 as i64
    );
    assert_eq!(client.list(&Select::All).len(), UPLOADS);
    assert!(each <= 2 << 10, "{each} bytes each");
    // Some for the client itself, none for an upload.
    assert!(after.1 <= before.1 + 3 && after.2 <= before.2 + 3, "{before:?} {after:?}");
}
