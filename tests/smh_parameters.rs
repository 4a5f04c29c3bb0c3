//! Every parameter of the contract leaves on the wire, on every request where it belongs (smh §1.4, §5, §6, §7, §8), and nowhere else.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::*;
use partway::{
    client::{State, UploadRequest, WaitReason},
    error::Code,
    model::{Conflict, InstantMode, SmhMode, SmhTarget, Target},
};
use partway_sandbox::{Deployment, How, LogEntry, Rule, Step, When};

const SIZE: u64 = 2 * MIB + 17;

/// An upload that says all that can be said.
fn full(world: &World, file: &Path, mode: SmhMode, conflict: Conflict) -> UploadRequest {
    let mut request = world.request(file, "album/photo.jpg");
    request.conflict = conflict;
    request.target = Target::Smh(SmhTarget {
        mode,
        user_id: Some("u&1".into()),
        traffic_limit_bytes_per_s: Some(204_800),
        prefer_same_origin: true,
        meta: [("k".to_owned(), "v w".to_owned()), ("name".to_owned(), "é".to_owned())].into(),
        labels: vec!["elephant".into(), "动物".into()],
        category: Some("video".into()),
        created_unix_ms: Some(1_658_804_289_000),
        modified_unix_ms: Some(1_658_804_290_000),
        ..world.target("album/photo.jpg")
    });
    request
}

/// The query of a request as pairs, decoded as far as these tests need it; a bare flag has no value.
fn query(entry: &LogEntry) -> Vec<(String, String)> {
    let decode = |text: &str| text.replace("%26", "&").replace("%3D", "=");
    let pair =
        |pair: &str| pair.split_once('=').map_or((pair.to_owned(), String::new()), |(k, v)| (k.to_owned(), decode(v)));
    entry.query.split('&').map(pair).collect()
}

fn value(entry: &LogEntry, name: &str) -> Option<String> {
    query(entry).into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

fn names(entry: &LogEntry) -> Vec<String> {
    let mut names: Vec<String> = query(entry).into_iter().map(|(name, _)| name).collect();
    names.sort();
    names
}

#[test]
fn all_that_is_said_of_a_file_arrives() {
    let ways =
        [(SmhMode::Multipart, Step::Begin), (SmhMode::Simple, Step::SimpleBegin), (SmhMode::Form, Step::FormBegin)];
    each(&ways, |(mode, step)| {
        let world = World::new();
        world.cloud.make_directory("-", "album");
        let file = world.file("photo.jpg", SIZE);
        let client = world.open();
        let id = start(&client, full(&world, &file, *mode, Conflict::Rename));
        completed(&client, &id);
        let object = world.sole_object(&file);
        assert_eq!(object.metadata.get("k").map(String::as_str), Some("v w"));
        assert_eq!(
            (object.labels, object.category.as_deref()),
            (vec!["elephant".to_owned(), "动物".into()], Some("video"))
        );
        let times =
            [object.local_creation_time, object.local_modification_time].map(|time| time.map(|t| t[..19].to_owned()));
        assert_eq!(times, ["2022-07-26T02:58:09", "2022-07-26T02:58:10"].map(|time| Some(time.to_owned())));

        let log = world.cloud.log();
        let begin = of(&log, *step).next().unwrap();
        let mut wanted = vec![
            "access_token",
            "conflict_resolution_strategy",
            "filesize",
            "prefer_same_origin",
            "traffic_limit",
            "user_id",
        ];
        wanted.extend((*step == Step::Begin).then_some("multipart"));
        wanted.sort_unstable();
        assert_eq!(names(begin), wanted, "no more and no less");
        let told = |name| value(begin, name).unwrap();
        assert_eq!(
            (told("user_id"), told("filesize"), told("traffic_limit")),
            ("u&1".into(), SIZE.to_string(), "204800".into())
        );
        assert_eq!(
            (told("prefer_same_origin"), told("conflict_resolution_strategy")),
            ("true".into(), "rename".into())
        );
        assert!(
            begin.headers.contains(&"x-smh-meta-k".to_owned()) && begin.headers.contains(&"x-smh-meta-name".to_owned())
        );

        let confirm = of(&log, Step::Confirm).next().unwrap();
        assert_eq!(names(confirm), ["access_token", "confirm", "conflict_resolution_strategy", "user_id"]);
        // The storage is told nothing of it: no token, no name, no word of ours.
        for entry in log.iter().filter(|entry| matches!(entry.step, Step::Part | Step::Put | Step::Form)) {
            assert!(value(entry, "user_id").is_none() && value(entry, "access_token").is_none(), "{entry:?}");
            assert!(entry.headers.iter().all(|name| !name.starts_with("x-smh-")), "{entry:?}");
        }
    });
}

#[test]
fn the_rest_of_the_requests_say_who_and_how_fast() {
    each(&[Deployment::Public, Deployment::Private], |deployment| {
        let world = World::new();
        world.cloud.set_switches(|switches| switches.deployment = *deployment);
        let file = world.file("photo.jpg", SIZE);
        world.rule(Rule::new(Step::Part, How::Expire).part(2).once());
        world.rule(Rule::new(Step::Confirm, How::DropBefore).once());
        let client = world.open();
        let mut request = full(&world, &file, SmhMode::Multipart, Conflict::Overwrite { if_version: None });
        if let Target::Smh(target) = &mut request.target {
            target.private = *deployment == Deployment::Private;
        }
        let id = start(&client, request);
        completed(&client, &id);
        world.sole_object(&file);
        let log = world.cloud.log();
        let renew = of(&log, Step::Renew).next().expect("a renewal");
        assert_eq!(names(renew), ["access_token", "renew", "traffic_limit", "user_id"]);
        assert_eq!(value(renew, "traffic_limit").as_deref(), Some("204800"));
        assert_eq!(renew.body_bytes > 0, *deployment == Deployment::Private, "part numbers where they are needed");
        let task = of(&log, Step::Task).next().expect("a look");
        let mut wanted = vec!["access_token", "upload", "user_id"];
        wanted.extend((*deployment == Deployment::Private).then_some("no_upload_part_info"));
        wanted.sort_unstable();
        assert_eq!(names(task), wanted);
        assert_eq!(names(of(&log, Step::Mkdir).next().expect("a directory")), ["access_token", "user_id"]);
        let confirms: Vec<_> =
            of(&log, Step::Confirm).map(|entry| value(entry, "conflict_resolution_strategy").unwrap()).collect();
        assert_eq!(confirms, ["overwrite", "overwrite"]);

        let mut request = full(&world, &file, SmhMode::Multipart, Conflict::Rename);
        (request.key, request.instant) = ("to be cancelled".into(), InstantMode::Off);
        world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }));
        let begun = world.requests(Step::Part);
        let id = start(&client, request);
        world.wait_requests(Step::Part, begun + 1);
        client.cancel(&one(&id));
        world.wait_requests(Step::Cancel, 1);
        let log = world.cloud.log();
        assert_eq!(names(of(&log, Step::Cancel).next().unwrap()), ["access_token", "upload", "user_id"]);
    });
}

#[test]
fn each_strategy_is_said_at_start_and_confirm() {
    let cases = [
        (Conflict::Ask, "ask"),
        (Conflict::Refuse, "ask"),
        (Conflict::KeepIfSame, "ask"),
        (Conflict::Rename, "rename"),
        (Conflict::Overwrite { if_version: None }, "overwrite"),
    ];
    each(&cases, |(conflict, word)| {
        let world = World::new();
        let file = world.file("photo.jpg", SIZE);
        let client = world.open();
        let mut request = world.request(&file, "photo.jpg");
        request.conflict = conflict.clone();
        let id = start(&client, request);
        completed(&client, &id);
        let log = world.cloud.log();
        for step in [Step::Begin, Step::Confirm] {
            let entry = of(&log, step).next().unwrap();
            assert_eq!(value(entry, "conflict_resolution_strategy").as_deref(), Some(*word));
            assert_eq!(value(entry, "content_cas"), None);
        }
    });
}

#[test]
fn a_version_to_be_replaced_is_named_and_another_one_is_not_replaced() {
    each(&[When::Start, When::Confirm, When::Both], |at| {
        let world = World::new();
        let theirs = world.file("theirs.jpg", MIB);
        let file = world.file("photo.jpg", SIZE);
        let client = world.open();
        let id = start(&client, world.request(&theirs, "photo.jpg"));
        completed(&client, &id);
        world.cloud.set_switches(|switches| switches.conflict_at = *at);
        world.cloud.clear_log();
        let mut request = world.request(&file, "photo.jpg");
        request.key = "ours".into();
        request.conflict = Conflict::Overwrite { if_version: Some("cas=&of another".into()) };
        let id = start(&client, request);
        let stands = until(&client, &id, needs_host);
        assert_eq!(waiting_for(&stands), Some(WaitReason::Conflict));
        assert_eq!(world.cloud.objects().len(), 1);
        let log = world.cloud.log();
        let step = if *at == When::Confirm { Step::Confirm } else { Step::Begin };
        let said = of(&log, step).next().unwrap();
        assert_eq!(value(said, "content_cas").unwrap().replace("%20", " "), "cas=&of another");
        assert_eq!(value(said, "with_content_cas").as_deref(), Some("1"));
        client.answer_conflict(&id, partway::model::ConflictChoice::Overwrite).unwrap();
        assert!(completed(&client, &id).overwritten);
        world.sole_object(&file);
    });
}

#[test]
fn a_limit_that_can_not_be_is_refused_before_any_request() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let client = world.open();
    for (limit, good) in [(102_399, false), (102_400, true), (104_857_600, true), (104_857_601, false)] {
        let mut request = world.request(&file, &format!("{limit}.jpg"));
        if let Target::Smh(target) = &mut request.target {
            target.traffic_limit_bytes_per_s = Some(limit);
        }
        let before = world.cloud.log().len();
        match client.start(request) {
            Ok(started) => drop(completed(&client, &started.id)),
            Err(error) => assert_eq!((error.code, world.cloud.log().len()), (Code::InvalidArgument, before)),
        }
        assert_eq!(world.cloud.object("-", &format!("{limit}.jpg")).is_some(), good);
    }
}

#[test]
fn what_an_answer_has_beyond_the_protocol_is_passed_over() {
    let world = World::new();
    let file = world.file("photo.jpg", SIZE);
    let client = world.open();
    let told = serde_json::json!({"path": ["elsewhere", "photo (1).jpg"], "name": "photo (1).jpg", "type": "image", "size": SIZE, "crc64": null,
        "previewByDoc": true, "somethingNew": {"nested": [1, {"code": "Odd"}]}, "virusAuditStatus": 0, "isOverwritten": "false", "inode": 7});
    world.rule(Rule::new(Step::Confirm, How::body_json(told)));
    let id = start(&client, world.request(&file, "photo.jpg"));
    let receipt = completed(&client, &id);
    assert_eq!((receipt.name.as_str(), receipt.size_bytes, receipt.overwritten), ("photo (1).jpg", SIZE, false));
    assert_eq!(receipt.file_id.as_deref(), Some("7"));
    assert!(matches!(client.snapshot(&id).unwrap().state, State::Completed { .. }));
}
