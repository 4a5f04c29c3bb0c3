//! Defects 6 to 8 and 17: how the source is read.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use partway::{
    client::{HostReader, Source, SourceWhat, State, UploadRequest, WaitReason},
    error::{Code, ErrorInfo},
    model::InstantMode,
};
use partway_sandbox::{How, Rule, Step};

use crate::common::*;

/// Gives a few bytes at a time; says that it is `len` long, and ends where its bytes end.
struct Trickle {
    bytes: Vec<u8>,
    len: u64,
    calls: AtomicU64,
}

impl Trickle {
    fn of(bytes: Vec<u8>) -> Arc<Trickle> {
        Arc::new(Trickle { len: bytes.len() as u64, bytes, calls: AtomicU64::new(0) })
    }
}

impl HostReader for Trickle {
    fn len(&self) -> Result<u64, ErrorInfo> {
        Ok(self.len)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
        // From 1 to 7,919 bytes: never the size of anything.
        let most = 1 + self.calls.fetch_add(1, Ordering::SeqCst) * 613 % 7_919;
        let rest = self.bytes.get(offset as usize..).unwrap_or_default();
        let n = rest.len().min(buf.len()).min(most as usize);
        buf[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }

    fn concurrent(&self) -> bool {
        true
    }
}

fn request(world: &World, reader: Arc<Trickle>, remote: &str) -> UploadRequest {
    let mut request = world.request(std::path::Path::new("/none"), remote);
    request.source = Source { what: SourceWhat::Reader { reader }, token: vec![] };
    request
}

/// 6: One `read` was taken to fill a block: short reads made wrong digests, and zero-filled parts that no checksum was kept of. Here every read goes on to
/// the end of its block: digest, checksum and bytes are those of the file, and the same content is recognised.
#[test]
fn d06_short_reads_change_neither_digest_nor_bytes() {
    let world = World::new();
    let file = world.file("photo.jpg", 3 * MIB + 11);
    let bytes = std::fs::read(&file).unwrap();
    let client = world.open();
    let mut sent = request(&world, Trickle::of(bytes.clone()), "sent.jpg");
    sent.instant = InstantMode::Off;
    completed(&client, &start(&client, sent));
    world.sole_object(&file);
    let mut known = request(&world, Trickle::of(bytes), "known.jpg");
    known.instant = InstantMode::Always;
    assert!(completed(&client, &start(&client, known)).instant, "{}", world.told());
}

/// 7: What a stream happened to have ready was taken for its length: files arrived cut, or padded. Here the length is the source's own word, and a source
/// that ends before it is none that is uploaded.
#[test]
fn d07_a_source_that_ends_before_its_length_makes_no_object() {
    for instant in [InstantMode::Off, InstantMode::Always] {
        let world = World::new();
        let reader = Trickle { bytes: content(2 * MIB, 1), len: 2 * MIB + 1, calls: AtomicU64::new(0) };
        let client = world.open();
        let mut request = request(&world, Arc::new(reader), "photo.jpg");
        request.instant = instant;
        let id = start(&client, request);
        let stands = until(&client, &id, |snapshot| needs_host(snapshot) || snapshot.state.ended());
        let code = error_of(&stands).map(|error| error.code);
        assert!(matches!(code, Some(Code::SourceChanged | Code::SourceUnreadable)), "{stands:?}");
        assert!(world.cloud.objects().is_empty() && world.requests(Step::Confirm) == 0, "{}", world.told());
        assert!(world.requests(Step::Part) <= 30, "it is not tried for ever\n{}", world.told());
    }
}

/// 8: The checksum pass ran on a thread of its own without a net: a file that went away took the app with it. Here it is a wait that names the source; the
/// file back in its place, the upload goes on without a proven part sent again.
#[test]
fn d08_a_file_that_goes_away_is_a_wait() {
    each(&[Step::Begin, Step::Part], |step| {
        let world = World::new();
        let file = world.file("photo.jpg", 4 * MIB);
        let kept = world.dir.path().join("kept");
        let stall = world.rule(Rule::new(*step, How::StallAnswer).after(u64::from(*step == Step::Part)).once());
        let client = world.open();
        let id = start(&client, world.request(&file, "photo.jpg"));
        world.wait("caught", |log| log.iter().any(|entry| entry.rule == Some(stall)));
        client.hold(5_000);
        std::fs::rename(&file, &kept).unwrap();
        client.go();
        let stands = until(&client, &id, needs_host);
        assert_eq!(waiting_for(&stands), Some(WaitReason::Source), "{stands:?}");
        std::fs::rename(&kept, &file).unwrap();
        client.resume(&one(&id));
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises_after(&file, 1);
    });
}

/// 17: A part was found by one `skip` and one `read`, and its checksums were taken of the same wrong buffer, so that they fitted. Here reads are
/// positional, and a part in the middle, sent by another process than the ones around it, is the bytes of its place.
#[test]
fn d17_a_part_in_the_middle_is_the_bytes_of_its_place() {
    let world = World::new();
    let file = world.file("photo.jpg", 5 * MIB + 3);
    let bytes = std::fs::read(&file).unwrap();
    let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 70_000 }).part(3));
    let client = world.open();
    let id = start(&client, request(&world, Trickle::of(bytes.clone()), "photo.jpg"));
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 5);
    world.leave(client);
    world.cloud.remove_rule(stall);
    let client = world.open();
    until(&client, &id, needs_host);
    let source = Source { what: SourceWhat::Reader { reader: Trickle::of(bytes) }, token: vec![] };
    client.attach_source(&id, source).unwrap();
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises_after(&file, 1);
    assert!(!matches!(client.snapshot(&id).unwrap().state, State::Failed { .. }));
}
