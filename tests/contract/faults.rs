//! Whatever the service answers, an upload ends or waits by name, with a bounded number of requests, and never makes an object twice.
use std::collections::BTreeMap;

use crate::common::*;
use partway::{
    client::{State, WaitReason},
    error::Code,
    model::ServiceName,
};
use partway_sandbox::{How, Rule, Step, When};

const PARTS: u64 = 3;
const SIZE: u64 = PARTS * MIB + 5;

fn word<'a>(service: ServiceName, smh: &'a str, koodrive: &'a str) -> &'a str {
    if service == ServiceName::Smh { smh } else { koodrive }
}

for_each_service!(
    a_service_that_fails_once_is_asked_again,
    retry_after_is_honoured_at_every_step,
    retry_after_of_one_part_holds_all,
    a_long_retry_after_is_a_named_wait_that_a_new_network_ends,
    a_long_retry_after_is_a_named_wait_that_a_resume_ends,
    an_object_put_together_wrongly_is_made_anew_once,
    an_object_put_together_wrongly_for_ever_is_a_failure,
    a_service_that_forgets_the_upload_gets_it_anew,
    a_service_that_always_forgets_is_asked_a_bounded_number_of_times,
    an_answer_that_is_none_is_survived_at_every_step,
    a_full_space_is_a_wait_and_no_byte_is_sent_twice_for_it,
    a_final_refusal_ends_with_its_name,
    errors_inside_a_200_are_errors,
    a_page_of_something_in_between_ends_nothing,
    a_page_of_something_in_between_takes_no_part_back,
);

fn status(status: u16, code: &str, headers: &[(&str, &str)]) -> How {
    let headers: BTreeMap<String, String> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let code = (!code.is_empty()).then(|| code.to_owned());
    How::Status { status, code, message: None, headers, body: None, process: false }
}

/// A world in which each step of the protocol is taken once at least: a parent to make, a link to renew, a look at the task, a confirm.
struct Eventful {
    world: World,
    file: std::path::PathBuf,
    stall: u64,
}

impl Eventful {
    /// The first request of `step` meets `how`, once; gives the rule.
    fn meets(service: ServiceName, step: Step, how: How) -> (Eventful, u64) {
        // Of the parts one is to go well beside the one that doesn't.
        let eventful = Eventful::new(service, if step == Step::Part { 2 } else { 1 });
        // The first begin finds no parent; what it meets is its own matter.
        let after = if step == Step::Begin { eventful.world.first_begin() } else { 0 };
        let rule = eventful.world.rule(Rule::new(step, how).after(after).once());
        (eventful, rule)
    }

    fn new(service: ServiceName, parts: u64) -> Eventful {
        let world = World::of(service);
        let file = world.file("photo.jpg", PARTS * world.part() + 5);
        let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(parts));
        Eventful { world, file, stall }
    }

    /// Sends one part, closes, opens again with one link that is over, completes.
    fn run(self) -> World {
        let Eventful { world, file, stall } = self;
        let id = {
            let client = world.open();
            let id = start(&client, world.request(&file, "Camera/photo.jpg"));
            until(&client, &id, |snapshot| snapshot.progress.parts_done >= 1);
            assert!(client.close(5_000));
            id
        };
        world.cloud.remove_rule(stall);
        world.rule(Rule::new(Step::Part, How::Expire).once());
        let client = world.open();
        completed(&client, &id);
        world.sole_object(&file);
        // A part may have been acknowledged to a client that was just closing.
        world.hold_promises_after(&file, 1);
        world
    }
}

/// The steps that each upload takes; KooDrive makes no folder and needs no look at the task.
fn steps(service: ServiceName) -> &'static [Step] {
    let steps: &[Step] = &[Step::Begin, Step::Renew, Step::Part, Step::Confirm, Step::Mkdir, Step::Task];
    if service == ServiceName::Smh { steps } else { &steps[..4] }
}

/// Each step meets each of these once; more requests than that are too many.
fn at_each_step(service: ServiceName, answers: &[How], requests_max: usize) {
    let each_step = |answer: &How| steps(service).iter().map(|step| (*step, answer.clone())).collect::<Vec<_>>();
    let cases: Vec<(Step, How)> = answers.iter().flat_map(each_step).collect();
    // KooDrive's parts are five times as large.
    let at_once = if service == ServiceName::Smh { 24 } else { 6 };
    for cases in cases.chunks(at_once) {
        each(cases, |(step, answer)| {
            let world = Eventful::meets(service, *step, answer.clone()).0.run();
            assert!(world.cloud.log().len() <= requests_max, "{}", world.told());
        });
    }
}

fn a_service_that_fails_once_is_asked_again(service: ServiceName) {
    let answers =
        [(500, "InternalServerError"), (502, ""), (503, ""), (504, ""), (429, "RateLimitExceeded"), (408, "")];
    at_each_step(service, &answers.map(|(status, code)| How::status(status, code)), 18);
}

/// So long after it was given a busy machine may hear of an answer.
const HEARD_MS: u64 = 300;

fn retry_after_is_honoured_at_every_step(service: ServiceName) {
    // What a part was told is not kept over a restart, so parts are looked at below.
    // Nor what the first renewal of KooDrive was told, which comes before it.
    let kept = |step: &Step| *step != Step::Part && (*step != Step::Renew || service == ServiceName::Smh);
    let but_part = steps(service).iter().filter(|step| kept(step));
    let cases: Vec<(Step, u16)> = but_part.flat_map(|step| [(*step, 503), (*step, 429)]).collect();
    each(&cases, |(step, number)| {
        let (eventful, rule) = Eventful::meets(service, *step, status(*number, "", &[("Retry-After", "1")]));
        let world = eventful.run();
        let log = world.cloud.log();
        let busy = log.iter().find(|entry| entry.rule == Some(rule)).unwrap();
        let plane = busy.plane;
        // What had left already when the answer came is no disobedience.
        let told_ms = busy.ended_ms.unwrap();
        let early =
            log.iter().find(|entry| entry.plane == plane && entry.ms > told_ms + HEARD_MS && entry.ms < told_ms + 990);
        assert_eq!(early, None, "{}", world.told());
    });
}

fn retry_after_of_one_part_holds_all(service: ServiceName) {
    let cases = [(Step::Part, 503), (Step::Part, 429), (Step::Renew, 503)];
    // SMH renews nothing here.
    let cases = if service == ServiceName::Smh { &cases[..2] } else { &cases[..] };
    each(cases, |(step, number)| {
        let world = World::of(service);
        let file = world.file("photo.jpg", 8 * world.part());
        let rule = world.rule(Rule::new(*step, status(*number, "", &[("Retry-After", "1")])).after(1).once());
        let client = world.open();
        let id = start(&client, world.request(&file, "photo.jpg"));
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises(&file);
        let log = world.cloud.log();
        let told_ms = log.iter().find(|entry| entry.rule == Some(rule)).unwrap().ended_ms.unwrap();
        assert!(
            log.iter().all(|entry| entry.ms <= told_ms + HEARD_MS || entry.ms >= told_ms + 990),
            "{}",
            world.told()
        );
    });
}

fn a_long_retry_after_is_a_named_wait_that_a_new_network_ends(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", PARTS * world.part() + 5);
    world.rule(Rule::new(Step::Begin, status(503, "", &[("Retry-After", "99999999999")])).once());
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    let snapshot = until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Retry));
    assert_eq!(error_of(&snapshot).unwrap().code, Code::ServiceBusy);
    assert_eq!(world.requests(Step::Begin), 1);
    client.set_network(partway::client::Network::online(1));
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
}

fn a_long_retry_after_is_a_named_wait_that_a_resume_ends(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", PARTS * world.part() + 5);
    world.rule(Rule::new(Step::Begin, status(503, "", &[("Retry-After", "99999999999")])).once());
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Retry));
    client.resume(&one(&id));
    completed(&client, &id);
}

#[test]
fn a_part_that_arrived_damaged_is_sent_again() {
    each(&[0, 8 * 500_000], |bit| {
        let world = World::new();
        let file = world.file("photo.jpg", SIZE);
        world.rule(Rule::new(Step::Part, How::Corrupt { bit: *bit }).part(2).times(2));
        let client = world.open();
        let id = start(&client, world.request(&file, "photo.jpg"));
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises(&file);
        assert_eq!(world.parts_sent().len(), 6, "{}", world.told());
    });
}

#[test]
fn a_checksum_that_is_always_wrong_slows_down_and_makes_no_object() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    world.rule(Rule::new(Step::Part, How::WrongCrc));
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    world.wait_requests(Step::Part, 4);
    let starts: Vec<u64> = of(&world.cloud.log(), Step::Part).map(|entry| entry.ms).collect();
    assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= 290), "{starts:?}");
    assert!(world.cloud.objects().is_empty() && world.requests(Step::Confirm) == 0);
    world.cloud.clear_rules();
    client.resume(&one(&id));
    completed(&client, &id);
    world.hold_promises(&file);
}

#[test]
#[ignore = "spends whole retry budgets: minutes"]
fn a_fault_without_end_waits_for_help_by_name() {
    let cases = [
        (Step::Part, How::WrongCrc, Code::IntegrityFailed),
        (Step::Begin, How::status(500, ""), Code::ServiceError),
        (Step::Part, How::status(503, ""), Code::ServiceBusy),
        (Step::Confirm, How::status(500, ""), Code::ServiceError),
        (Step::Confirm, How::status(404, "MultipartUploadIncomplete"), Code::PartsMissing),
        (Step::Confirm, How::DropBefore, Code::ConnectionCut),
        (Step::Part, How::DropBody { after_bytes: 100_000 }, Code::ConnectionCut),
        (Step::Begin, How::EndlessBody, Code::AnswerTooLarge),
        (
            Step::Begin,
            How::raw(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
            Code::RedirectRefused,
        ),
        (Step::Begin, How::body_nested(10_000), Code::AnswerMalformed),
    ];
    each(&cases, |(step, how, code)| {
        let world = World::new();
        let file = world.file("photo.jpg", MIB);
        let rule = world.rule(Rule::new(*step, how.clone()));
        let client = world.open();
        let id = start(&client, world.request(&file, "photo.jpg"));
        let snapshot = until_long(&client, &id, needs_host);
        assert_eq!(waiting_for(&snapshot), Some(WaitReason::Retry));
        assert_eq!(error_of(&snapshot).unwrap().code, *code);
        assert!(world.requests(*step) <= 12, "{}", world.told());
        assert!(world.cloud.log().len() <= 50, "{}", world.told());
        world.cloud.remove_rule(rule);
        client.resume(&one(&id));
        completed(&client, &id);
        world.hold_promises(&file);
    });
}

fn an_object_put_together_wrongly_is_made_anew_once(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", PARTS * world.part() + 5);
    world.rule(Rule::new(Step::Confirm, How::status(400, word(service, "BadCrc64", "13000402"))).once());
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
    // KooDrive can't abort the first one.
    let left = usize::from(service == ServiceName::KooDrive);
    assert_eq!((world.requests(Step::Confirm), world.parts_sent().len(), world.open_tasks()), (2, 8, left));
}

fn an_object_put_together_wrongly_for_ever_is_a_failure(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", PARTS * world.part() + 5);
    world.rule(Rule::new(Step::Confirm, How::status(400, word(service, "BadCrc64", "13000402"))));
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    let snapshot = ended(&client, &id);
    assert_eq!(error_of(&snapshot).unwrap().code, Code::IntegrityFailed);
    assert_eq!((world.requests(Step::Confirm), world.cloud.objects().len()), (2, 0));
    world.hold_promises(&file);
}

fn a_service_that_forgets_the_upload_gets_it_anew(service: ServiceName) {
    let cases = [(Step::Begin, 0), (Step::Part, 0), (Step::Part, 2), (Step::Renew, 0), (Step::Confirm, 0)];
    each(&cases, |(step, after)| {
        let world = World::of(service);
        let file = world.file("photo.jpg", PARTS * world.part() + 5);
        if *step == Step::Renew {
            world.rule(Rule::new(Step::Part, How::Expire).once());
        }
        world.rule(Rule::new(*step, How::Forget).after(*after).once());
        let client = world.open();
        let id = start(&client, world.request(&file, "photo.jpg"));
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises(&file);
        assert!(world.requests(Step::Begin) == 2 && world.parts_sent().len() <= 12, "{}", world.told());
    });
}

#[test]
fn a_service_that_forgot_the_upload_between_two_runs_gets_it_anew() {
    let world = Eventful::meets(ServiceName::Smh, Step::Task, How::Forget).0.run();
    assert_eq!(world.open_tasks(), 0);
}

fn a_service_that_always_forgets_is_asked_a_bounded_number_of_times(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", MIB);
    world.rule(Rule::new(Step::Begin, How::Forget));
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    let snapshot = until(&client, &id, needs_host);
    assert_eq!(error_of(&snapshot).unwrap().code, Code::SessionGone);
    assert!(world.requests(Step::Begin) <= 5, "{}", world.told());
    world.cloud.clear_rules();
    client.resume(&one(&id));
    completed(&client, &id);
    world.sole_object(&file);
}

#[test]
fn parts_that_are_said_to_be_missing_but_are_not_are_not_sent_again() {
    each(&["UploadIncomplete", "MultipartUploadIncomplete", "CosObjectNonexistent"], |code| {
        let world = World::new();
        let file = world.file("photo.jpg", SIZE);
        world.rule(Rule::new(Step::Confirm, How::status(404, code)).once());
        let client = world.open();
        let id = start(&client, world.request(&file, "photo.jpg"));
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises(&file);
        assert_eq!((world.requests(Step::Confirm), world.parts_sent().len()), (2, 4), "{}", world.told());
    });
}

#[test]
fn a_confirm_that_is_always_refused_slows_down() {
    each(&[(404, "MultipartUploadIncomplete"), (409, "UploadComplete")], |(number, code)| {
        let world = World::new();
        let file = world.file("photo.jpg", SIZE);
        world.rule(Rule::new(Step::Confirm, How::status(*number, code)));
        let client = world.open();
        let id = start(&client, world.request(&file, "photo.jpg"));
        world.wait_requests(Step::Confirm, 4);
        let starts: Vec<u64> = of(&world.cloud.log(), Step::Confirm).map(|entry| entry.ms).collect();
        assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= 290), "{starts:?}");
        world.cloud.clear_rules();
        client.resume(&one(&id));
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises(&file);
    });
}

#[test]
fn a_part_that_is_missing_is_sent_again_and_no_other() {
    let world = World::new();
    let file = world.file("photo.jpg", SIZE);
    world.cloud.set_switches(|switches| switches.list_parts_hidden = vec![2]);
    world.rule(Rule::new(Step::Confirm, How::status(404, "MultipartUploadIncomplete")).once());
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    completed(&client, &id);
    world.sole_object(&file);
    let mut parts = world.parts_sent();
    parts.sort_unstable();
    assert_eq!(parts, [1, 2, 2, 3, 4], "{}", world.told());
    world.no_secret_on_disk();
}

fn an_answer_that_is_none_is_survived_at_every_step(service: ServiceName) {
    let answers = [
        How::EndlessHeaders,
        How::EndlessBody,
        How::raw(b"\x00\xff\x13not http at all\r\n\r\n"),
        How::raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}"),
        How::raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}"),
        How::raw(b"HTTP/1.1 999 What\r\n\r\n"),
        How::raw(b""),
        How::Redirect { location: "http://127.0.0.1:1/elsewhere".into() },
        How::CutAnswer { after_bytes: 60 },
        How::CutAnswer { after_bytes: 300 },
        How::body_nested(100_000),
        How::body_text("{\"confirmKey\":\"0123"),
        How::body_text("\u{feff}{}"),
        How::body_text("null"),
        How::body_json(serde_json::json!({
            "confirmKey": 5, "domain": [], "path": {}, "uploadId": null, "headers": "x", "parts": 7, "confirmed": "yes",
            "expiration": -1, "size": {}, "crc64": [], "name": false,
        })),
        How::body_json(serde_json::json!({
            "confirmKey": "../../../../etc", "domain": "evil.example/x?y@z", "path": "/a\r\nb: c", "uploadId": "&x=1",
            "headers": { "Host": "evil", "X-A\r\nB": "c" }, "confirmed": false, "expiration": "never",
            "uploadPartInfo": { "domain": "user:pw@evil", "headers": { "Content-Length": "7" } },
            "parts": [{ "PartNumber": 0, "Size": -1, "ETag": "" }, { "PartNumber": 4294967296u64 }],
        })),
    ];
    at_each_step(service, &answers, 24);
}

/// A load balancer that answers for the service, or a portal, once at each step.
fn a_page_of_something_in_between_ends_nothing(service: ServiceName) {
    at_each_step(service, &[400, 404, 405, 413, 421, 451].map(How::page), 24);
}

/// What is proven stays proven, whatever stands in between says of a part, of an inspection or of a complete.
fn a_page_of_something_in_between_takes_no_part_back(service: ServiceName) {
    let cases = [(Step::Part, 1), (Step::Part, PARTS), (Step::Confirm, 0)];
    each(&cases, |(step, after)| {
        let world = World::of(service);
        let file = world.file("photo.jpg", PARTS * world.part() + 5);
        world.rule(Rule::new(*step, How::page(404)).after(*after).times(2));
        let client = world.open();
        let id = start(&client, world.request(&file, "photo.jpg"));
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises(&file);
        assert_eq!((world.requests(Step::Begin), acknowledged(&world.cloud.log()).len()), (1, 4), "{}", world.told());
    });
}

#[test]
fn a_missing_parent_is_made() {
    let world = World::new();
    let file = world.file("photo.jpg", SIZE);
    let client = world.open();
    let id = start(&client, world.request(&file, "a/b c/d%20/photo.jpg"));
    completed(&client, &id);
    assert_eq!(world.sole_object(&file).path, ["a", "b c", "d%20", "photo.jpg"]);
    world.hold_promises(&file);
}

#[test]
fn a_missing_parent_that_may_not_be_made_is_said() {
    let world = World::new();
    let file = world.file("photo.jpg", SIZE);
    let client = world.open();
    let mut target = world.target("a/photo.jpg");
    target.create_parents = false;
    let mut request = world.request(&file, "a/photo.jpg");
    request.target = partway::model::Target::Smh(target);
    let id = start(&client, request);
    let snapshot = until(&client, &id, |snapshot| needs_host(snapshot) || snapshot.state.ended());
    assert_eq!(error_of(&snapshot).unwrap().code, Code::ParentMissing);
    assert_eq!((world.requests(Step::Begin), world.requests(Step::Mkdir)), (1, 0));
    world.cloud.make_directory("-", "a");
    client.resume(&one(&id));
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
}

#[test]
fn a_parent_that_goes_away_before_the_confirm_is_made_again() {
    let world = World::new();
    let file = world.file("photo.jpg", SIZE);
    world.rule(Rule::new(Step::Confirm, How::status(404, "DirectoryNotFound")).once());
    let client = world.open();
    let id = start(&client, world.request(&file, "a/photo.jpg"));
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
    assert_eq!((world.requests(Step::Mkdir), world.parts_sent().len()), (2, 4), "{}", world.told());
}

fn a_full_space_is_a_wait_and_no_byte_is_sent_twice_for_it(service: ServiceName) {
    each(&[When::Start, When::Confirm], |at| {
        let world = World::of(service);
        let file = world.file("photo.jpg", PARTS * world.part() + 5);
        world.cloud.set_switches(|switches| {
            switches.quota_bytes = Some(MIB);
            switches.quota_at = *at;
            switches.koodrive.quota_bytes = Some(MIB);
            switches.koodrive.quota_at = *at;
        });
        let client = world.open();
        let id = start(&client, world.request(&file, "photo.jpg"));
        let snapshot = until(&client, &id, needs_host);
        assert_eq!(error_of(&snapshot).unwrap().code, Code::QuotaExceeded);
        world.cloud.set_switches(|switches| {
            switches.quota_bytes = None;
            switches.koodrive.quota_bytes = None;
        });
        client.resume(&one(&id));
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises(&file);
        assert_eq!(world.parts_sent().len(), 4, "{}", world.told());
    });
}

fn a_final_refusal_ends_with_its_name(service: ServiceName) {
    let smh = [
        (Step::Begin, 451, "SensitiveContentRecognized", Code::ContentRefused),
        (Step::Part, 451, "ContentForbidden", Code::ContentRefused),
        (Step::Confirm, 451, "", Code::ContentRefused),
        (Step::Confirm, 403, "SensitiveContentRecognized", Code::ContentRefused),
        (Step::Begin, 400, "IllegalFileName", Code::NameRefused),
        (Step::Begin, 400, "FileNameLengthExceed", Code::NameRefused),
        (Step::Confirm, 400, "ExtnameNotAllowed", Code::NameRefused),
        (Step::Begin, 404, "LibraryNotFound", Code::SpaceNotFound),
        (Step::Begin, 402, "LibraryServiceExpired", Code::PaymentRequired),
        (Step::Begin, 400, "ParamInvalid", Code::RequestRefused),
    ];
    let koodrive = [
        (Step::Begin, 400, "13000301", Code::SpaceNotFound),
        (Step::Begin, 400, "13000310", Code::NameRefused),
        (Step::Begin, 400, "13000101", Code::RequestRefused),
        (Step::Begin, 451, "", Code::ContentRefused),
        (Step::Renew, 400, "13000412", Code::SpaceNotFound),
        (Step::Part, 451, "ContentForbidden", Code::ContentRefused),
        (Step::Part, 400, "EntityTooLarge", Code::RequestRefused),
        (Step::Part, 413, "EntityTooLarge", Code::RequestRefused),
        (Step::Confirm, 451, "", Code::ContentRefused),
        (Step::Confirm, 400, "13000412", Code::SpaceNotFound),
        (Step::Confirm, 402, "", Code::PaymentRequired),
    ];
    let cases = if service == ServiceName::Smh { &smh[..] } else { &koodrive[..] };
    each(cases, |(step, number, word, code)| {
        let world = World::of(service);
        let file = world.file("photo.jpg", PARTS * world.part() + 5);
        world.rule(Rule::new(*step, How::status(*number, word)));
        let client = world.open();
        let id = start(&client, world.request(&file, "photo.jpg"));
        let snapshot = ended(&client, &id);
        assert!(matches!(snapshot.state, State::Failed { .. }), "{snapshot:?}");
        assert_eq!(error_of(&snapshot).unwrap().code, *code);
        assert!(world.requests(*step) <= 4 && world.cloud.objects().is_empty());
        world.hold_promises(&file);
    });
}

fn errors_inside_a_200_are_errors(service: ServiceName) {
    let world = World::of(service);
    world.cloud.set_switches(|switches| {
        switches.errors_as_200 = true;
        switches.koodrive.errors_as_200 = true;
        switches.koodrive.change_state_failures = 1;
    });
    let file = world.file("photo.jpg", PARTS * world.part() + 5);
    let client = world.open();
    let id = start(&client, world.request(&file, "a/photo.jpg"));
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
}
