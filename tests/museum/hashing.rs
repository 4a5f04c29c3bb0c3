//! Defects 1 to 4: hashing, and the question whether the service has the content.

use std::{path::PathBuf, sync::Arc, time::Duration};

use partway::{
    client::{Client, HostReader, Source, SourceWhat, State, UploadRequest},
    error::ErrorInfo,
    model::{InstantMode, SmhMode},
};
use partway_sandbox::{How, Rule, Step};

use crate::common::*;

/// A world that has these contents already, and the files that hold them.
fn known(sizes: &[u64]) -> (World, Vec<PathBuf>) {
    let world = World::new();
    let files: Vec<PathBuf> = sizes.iter().zip(0..).map(|(size, n)| world.file(&"a".repeat(n + 1), *size)).collect();
    let client = world.open();
    for (file, n) in files.iter().zip(0..) {
        let mut request = world.request(file, &format!("theirs-{n}"));
        request.instant = InstantMode::Off;
        completed(&client, &start(&client, request));
    }
    client.close(5_000);
    world.cloud.clear_log();
    (world, files)
}

fn instant(world: &World, file: &std::path::Path, remote: &str) -> UploadRequest {
    let mut request = world.request_by(SmhMode::Multipart, file, remote);
    request.instant = InstantMode::Always;
    request
}

/// A source that is slow behind its first MiB: what is left of it takes seconds.
struct Slow(Vec<u8>);

impl HostReader for Slow {
    fn len(&self) -> Result<u64, ErrorInfo> {
        Ok(self.0.len() as u64)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
        let mut most = buf.len();
        if offset >= MIB {
            std::thread::sleep(Duration::from_millis(20));
            most = 64 << 10;
        }
        let rest = self.0.get(offset as usize..).unwrap_or_default();
        let n = rest.len().min(buf.len()).min(most);
        buf[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }

    fn concurrent(&self) -> bool {
        true
    }
}

/// 1: All uploads hashed into one static buffer, which was read again after each request: two at once asked with each other's digest. Here a digest belongs
/// to its upload: uploads that hash side by side are all recognised, each as its own content.
#[test]
fn d01_uploads_that_hash_at_once_do_not_share_a_digest() {
    let (world, files) = known(&[3 * MIB, 3 * MIB, 3 * MIB + 1, 3 * MIB + 2, 3 * MIB + 3, MIB]);
    let mut config = world.config();
    config.limits.parallel_uploads = 6;
    let client = Client::open(config).unwrap();
    let ids: Vec<String> =
        files.iter().zip(0..).map(|(file, n)| start(&client, instant(&world, file, &format!("ours-{n}")))).collect();
    for (id, n) in ids.iter().zip(0..) {
        assert!(completed(&client, id).instant, "{n}\n{}", world.told());
        let object = world.cloud.object("-", &format!("ours-{n}")).unwrap();
        assert!(std::fs::read(object.file.unwrap()).unwrap() == std::fs::read(&files[n]).unwrap(), "{n}");
    }
}

/// 2: A cancel while hashing only left the loop: the half digest was sent as the whole one, and a miss began to send parts. Here nothing leaves after it.
#[test]
fn d02_a_cancel_while_hashing_sends_no_half_digest() {
    let (world, files) = known(&[32 * MIB]);
    let client = world.open();
    let mut request = instant(&world, &files[0], "ours");
    let reader = Arc::new(Slow(std::fs::read(&files[0]).unwrap()));
    request.source = Source { what: SourceWhat::Reader { reader }, token: vec![] };
    let id = start(&client, request);
    until(&client, &id, |snapshot| snapshot.progress.bytes_hashed >= MIB);
    let begins = world.requests(Step::Begin);
    client.cancel(&one(&id));
    let snapshot = ended(&client, &id);
    assert!(matches!(snapshot.state, State::Cancelled { .. }), "{snapshot:?}");
    client.close(PATIENCE_MS);
    assert!(snapshot.progress.bytes_hashed < 32 * MIB, "it was to be caught while hashing");
    assert_eq!((world.requests(Step::Begin), world.requests(Step::Part), world.cloud.objects().len()), (begins, 0, 1));
}

/// 3: An upload whose beginning is known and whose whole isn't forgot the session that it had, and began another one: everything was sent again. Here the
/// journalled session is gone on with.
#[test]
fn d03_a_miss_after_a_hit_on_the_beginning_keeps_its_session() {
    let (world, files) = known(&[3 * MIB]);
    let mut bytes = std::fs::read(&files[0]).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let file = world.dir.path().join("other");
    std::fs::write(&file, bytes).unwrap();
    let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).part(3));
    let client = world.open();
    let id = start(&client, instant(&world, &file, "ours"));
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 2);
    world.leave(client);
    world.cloud.remove_rule(stall);
    let client = world.open();
    assert!(!completed(&client, &id).instant);
    assert_eq!(world.requests(Step::Begin), 2, "the beginning, then the whole; none after the restart");
    assert_eq!((world.open_tasks(), world.parts_sent().len()), (0, 4), "{}", world.told());
    world.hold_promises_beside(&file, &[&files[0]]);
}

/// 4: When the question failed, so did the upload. Here it is sent instead: whether the question is refused outright, or the service is in trouble.
#[test]
fn d04_a_question_that_fails_does_not_fail_the_upload() {
    let nothing = How::Status {
        status: 200,
        code: None,
        message: None,
        headers: Default::default(),
        body: Some("{}".into()),
        process: false,
    };
    // What answers it, which of the two questions, and the begins that there are then.
    let cases = [
        (How::status(400, "BadRequest"), 0, 2),
        (How::status(400, "BadRequest"), 1, 3),
        (How::status(500, "InternalServerError"), 0, 3),
        (nothing, 0, 3),
    ];
    each(&cases, |(how, after, begins)| {
        let (world, files) = known(&[2 * MIB + 1]);
        world.rule(Rule::new(Step::Begin, how.clone()).after(*after).once());
        let client = world.open();
        let id = start(&client, instant(&world, &files[0], "ours"));
        let receipt = completed(&client, &id);
        assert_eq!(receipt.instant, *begins == 3 && *after == 0, "{}", world.told());
        assert_eq!((world.requests(Step::Begin), world.cloud.objects().len()), (*begins, 2), "{}", world.told());
    });
}
