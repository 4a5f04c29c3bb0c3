//! What goes wrong for ever is tried for so long, told, and tried rarely from then on.

use super::*;

/// Everything that it sends goes well, and the disk refuses what it is to keep.
fn full_for(hand: &mut Hand, ms: u64) -> u32 {
    let mut sent = 0;
    for _ in 0..ms / 1_000 {
        hand.run();
        while !hand.appending.is_empty() {
            hand.refuse();
        }
        for (op, work) in std::mem::take(&mut hand.started) {
            let Work::Send(request) = work else { panic!("{op:?}") };
            sent += u32::from(matches!(op.kind, OpKind::Part(_)));
            let sent = Sent { bytes: request.body.range().map_or(0, |range| range.len), crc64: 0 };
            hand.handle(Event::Answered { op, result: Ok(Answer { status: 200, ..Answer::default() }), sent });
        }
        hand.run();
        hand.after(1_000);
    }
    sent
}

/// A disk that was full for good was asked every five seconds for ever; in between parts were sent whose acknowledgement could not be kept.
#[test]
fn a_full_disk_is_waited_for_as_long_as_anything_and_nothing_is_sent_meanwhile() {
    let mut hand = begun(20, json!({}));
    hand.disk_stands = true;
    hand.appending.clear();
    let sent = full_for(&mut hand, 5_000);
    // Three, and three more before the disk had said anything.
    assert_eq!((sent, hand.waits_for(), hand.needs_host()), (6, Some(WaitReason::Disk), false));
    for _ in 0..80 {
        let sent = full_for(&mut hand, 1_000);
        assert_eq!((sent, hand.waits_for(), hand.needs_host()), (0, Some(WaitReason::Disk), false));
    }
    full_for(&mut hand, 15_000);
    assert!(hand.needs_host(), "{:?}", hand.state());
    let State::Waiting { waiting } = hand.state() else { unreachable!() };
    assert!(waiting.retry_in_ms.is_some_and(|ms| ms > 10 * 60_000), "{waiting:?}");
    // There is space, and the host says so: what was proven is kept, and the rest sent.
    hand.disk_stands = false;
    hand.handle(Event::Command(Command::Resume));
    hand.run();
    assert_eq!(hand.machine.facts().proven.len(), 6);
    (7..=20).for_each(|number| hand.stored(number));
    hand.answer(OpKind::Complete, 200, FILE);
    hand.run();
    assert!(matches!(hand.endings().as_slice(), [Ending::Completed(_)]));
}

/// What it could not keep is lost with the machine that gave its place: the next one would have sent it again before it asked the disk.
#[test]
fn after_a_full_disk_the_disk_is_asked_before_bytes_are_sent() {
    let mut hand = begun(20, json!({}));
    hand.disk_stands = true;
    hand.appending.clear();
    full_for(&mut hand, 100_000);
    assert!(hand.needs_host());
    let kept = hand.kept.clone();
    let memory = hand.machine.hand_on();
    let mut later = Hand::over(kept, smh("y.bin"), 20 * MIB, json!({ "part_size_bytes": MIB }));
    later.now = hand.now;
    later.disk_stands = true;
    later.machine.recall(memory);
    later.run();
    assert!(later.needs_host());
    later.after(15 * 60_000);
    assert_eq!(full_for(&mut later, 5_000), 0);
    assert!(later.needs_host());
    later.disk_stands = false;
    later.after(15 * 60_000);
    later.answer(OpKind::Inspect, 200, r#"{"confirmed":false,"uploadId":"u","parts":[]}"#);
    later.stored(1);
}

// ---- links that lead nowhere

fn unreached() -> TransportFault {
    TransportFault::Unreached(error(Code::ConnectFailed))
}

/// The next thing that it starts, whenever that is.
fn next(hand: &mut Hand) -> Option<(OpId, Work)> {
    for _ in 0..200 {
        hand.run();
        if !hand.started.is_empty() {
            return Some(hand.started.remove(0));
        }
        if hand.needs_host() || hand.done {
            return None;
        }
        hand.after(100);
    }
    panic!("nothing for 20 s: {:?}", hand.state());
}

/// Every part fails so, and everything else goes well, until help is needed: what it asked for in between, and how long that took.
fn parts_fail(hand: &mut Hand, session: &str, fault: impl Fn() -> TransportFault) -> (Vec<OpKind>, u64) {
    let (mut asked, begun) = (vec![], hand.now.tick);
    while let Some((op, _)) = next(hand) {
        match op.kind {
            OpKind::Part(_) => hand.failed(op, fault(), 0),
            OpKind::Discard => hand.answered(op, 204, ""),
            kind => {
                asked.push(kind);
                hand.answered(op, if kind == OpKind::Begin { 201 } else { 200 }, session);
            }
        }
    }
    (asked, hand.now.tick.since_ms(begun))
}

/// A service that named a storage domain where nobody answers was never asked for another one in the run.
#[test]
fn links_to_where_nobody_answers_are_renewed() {
    let mut hand = begun(5, json!({}));
    let mut failures = 0;
    let (op, _) = loop {
        match next(&mut hand).expect("it goes on") {
            (op, _) if op.kind == OpKind::Sign => break (op, ()),
            (op, _) => {
                failures += 1;
                hand.failed(op, unreached(), 0);
            }
        }
    };
    // Twice, as many parts at once as there may be.
    assert!(failures <= 6, "{failures}");
    hand.answered(op, 200, &SESSION.replace(r#""domain":"d""#, r#""domain":"e""#));
    let (_, request) = hand.request(OpKind::Part(1));
    assert_eq!(request.host(), "https://e");
    // They lead nowhere either: now and then, for as long as anything is tried.
    let mut hand = begun(5, json!({}));
    let (asked, ms) = parts_fail(&mut hand, SESSION, unreached);
    assert!((3..=15).contains(&asked.len()) && asked.iter().all(|kind| *kind == OpKind::Sign), "{asked:?}");
    assert!((90_000..150_000).contains(&ms), "{ms}");
}

/// Where links can't be renewed the upload is begun anew for others, and an outage of the storage alone is waited out as long as any.
#[test]
fn a_small_file_whose_storage_is_away_is_begun_anew() {
    let mut hand = Hand::new(whole(SmhMode::Simple), MIB, json!({}));
    let (asked, ms) = parts_fail(&mut hand, SIMPLE, unreached);
    assert!((3..=15).contains(&asked.len()) && asked.iter().all(|kind| *kind == OpKind::Begin), "{asked:?}");
    assert!((90_000..150_000).contains(&ms), "{ms}");
}

/// A header that HTTP can't carry was sent in vain for the whole of a budget, the same each time.
#[test]
fn links_that_can_not_be_sent_are_renewed() {
    let unsendable = || TransportFault::Unreached(error(Code::RequestRefused));
    let mut hand = begun(1, json!({}));
    let (op, _) = hand.request(OpKind::Part(1));
    hand.failed(op, unsendable(), 0);
    hand.run();
    assert_eq!(hand.kinds(), [OpKind::Sign], "at once");
    hand.stored(1);
    let mut hand = begun(1, json!({}));
    let (asked, ms) = parts_fail(&mut hand, SESSION, unsendable);
    assert!((3..=30).contains(&asked.len()) && asked.iter().all(|kind| *kind == OpKind::Sign), "{asked:?}");
    assert!((90_000..150_000).contains(&ms), "{ms}");
}

// ---- sessions that are lost

/// A service that forgot each session when it was to be completed had the file sent again and again, as fast as it took it: parts that it took counted
/// as if the session were a good one.
#[test]
fn a_session_that_is_lost_whenever_it_is_complete_is_begun_a_few_times_and_ever_more_slowly() {
    let mut hand = Hand::new(smh("y.bin"), 3 * MIB, json!({ "part_size_bytes": MIB }));
    let mut begins = vec![];
    while let Some((op, work)) = next(&mut hand) {
        let Work::Send(request) = work else { panic!("{op:?}") };
        match op.kind {
            OpKind::Begin => {
                begins.push(hand.now.tick.0);
                assert!(begins.len() < 20, "for ever");
                hand.answered(op, 201, SESSION);
            }
            OpKind::Part(_) => {
                let sent = Sent { bytes: request.body.range().unwrap().len, crc64: 0 };
                hand.handle(Event::Answered { op, result: Ok(Answer { status: 200, ..Answer::default() }), sent });
            }
            OpKind::Discard => hand.answered(op, 204, ""),
            OpKind::Probe => hand.answered(op, 404, ""),
            kind => {
                assert!(matches!(kind, OpKind::Complete | OpKind::Inspect), "{kind:?}");
                hand.answered(op, 404, r#"{"code":"UploadNotFound"}"#);
            }
        }
    }
    assert_eq!(begins.len(), 4, "{begins:?}");
    let gaps: Vec<u64> = begins.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps[1] >= 300 && gaps[2] >= 600, "{gaps:?}");
    assert!(hand.machine.progress().retries >= 3, "{:?}", hand.machine.progress());
    // Later it goes well.
    hand.after(15 * 60_000);
    hand.answer(OpKind::Begin, 201, SESSION);
    (1..=3).for_each(|number| hand.stored(number));
    hand.answer(OpKind::Complete, 200, FILE);
    hand.run();
    assert!(matches!(hand.endings().as_slice(), [Ending::Completed(_)]));
}

// ---- what is counted

/// A file that changed was sent again, and nothing of that counted as sent again: neither in this run nor in the next one.
#[test]
fn what_is_sent_again_of_a_changed_file_is_counted() {
    let mut hand = begun(3, json!({ "on_change": "restart" }));
    (1..=2).for_each(|number| hand.stored(number));
    hand.identity.size_bytes += 1;
    let (op, _) = hand.request(OpKind::Part(3));
    hand.failed(op, TransportFault::Source(error(Code::SourceChanged)), 7);
    hand.answer(OpKind::Begin, 201, SESSION);
    (1..=2).for_each(|number| hand.stored(number));
    assert_eq!(hand.machine.progress().bytes_resent, 2 * MIB);
    hand.stored(3);
    let resent = hand.machine.progress().bytes_resent;
    assert_eq!(resent, 2 * MIB + 7);
    // In the next run, before anything was sent of what the file holds now.
    let at = hand.kept.iter().position(|record| matches!(record, Record::Restart { .. })).unwrap();
    let more = json!({ "part_size_bytes": MIB, "on_change": "restart" });
    let mut later = Hand::over(hand.kept[..=at].to_vec(), smh("y.bin"), hand.identity.size_bytes, more);
    later.answer(OpKind::Begin, 201, SESSION);
    later.stored(1);
    assert_eq!(later.machine.progress().bytes_resent, MIB);
}

/// What never left counted as a request of the run.
#[test]
fn what_did_not_leave_is_no_request() {
    let mut hand = Hand::new(smh("y.bin"), MIB, json!({}));
    for _ in 0..3 {
        let (op, _) = hand.request(OpKind::Begin);
        assert_eq!(hand.machine.progress().requests, 1, "under way");
        hand.failed(op, unreached(), 0);
        assert_eq!(hand.machine.progress().requests, 0);
        hand.run();
        hand.after(15_000);
    }
}

/// A token of megabytes was taken for a service that can't be reached, for the whole of a budget.
#[test]
fn a_credential_that_can_not_be_sent_is_a_refused_one() {
    let unsendable = || TransportFault::Unreached(error(Code::RequestRefused));
    for (token, asks) in [("t".repeat(3 << 20), true), ("naïve".to_owned(), true), ("good".to_owned(), false)] {
        let mut hand = Hand::new(koodrive("y.bin"), 100, json!({}));
        hand.handle(Event::Credential { credential: Some(Credential::token(token)), generation: 1 });
        let (op, _) = hand.request(OpKind::Begin);
        hand.failed(op, unsendable(), 0);
        let mut slots = hand.slots;
        let step = hand.machine.poll(hand.now, &mut slots);
        assert_eq!(matches!(step, Step::AskCredential { refused: Some(1) }), asks, "{step:?}");
    }
}

// ---- a source that is none for a while

/// A pipe in the place of a file that was being sent ended the upload for good; a directory there was waited for.
#[test]
fn a_file_that_became_a_pipe_is_waited_for() {
    let mut hand = begun(3, json!({}));
    hand.stored(1);
    hand.unopened = Some(Code::SourceNotSeekable);
    hand.handle(Event::Command(Command::LookAgain));
    hand.run();
    for op in std::mem::take(&mut hand.stopped) {
        hand.failed(op, TransportFault::Cancelled { left: true }, 0);
    }
    hand.run();
    assert_eq!((hand.endings(), hand.waits_for(), hand.needs_host()), (vec![], Some(WaitReason::Source), true));
    hand.unopened = None;
    hand.handle(Event::Command(Command::Resume));
    hand.started.clear();
    hand.stored(2);
    // What is none from the beginning is another matter.
    let mut hand = Hand::new(smh("y.bin"), MIB, json!({}));
    hand.unopened = Some(Code::SourceNotSeekable);
    hand.run();
    assert_eq!(hand.failure(), Code::SourceNotSeekable);
}

// ---- a storage that refuses whatever link there is

/// Each of some fifteen tries of each part sent the whole of it (smh §17, no. 10).
#[test]
fn parts_whose_links_are_all_refused_are_sent_whole_a_few_times() {
    for (parts, whole_max, tries_max, signs_max) in [(1, 2, 26, 30), (100, 9, 80, 30)] {
        let (tries, whole, signs) = all_refused(parts);
        assert!(whole <= whole_max && (11..=tries_max).contains(&tries), "{parts}: {tries}, {whole} of them whole");
        assert!(signs <= signs_max, "{parts}: {signs} signs");
    }
}

/// Requests for parts, those of them that did not ask first, and signs, until help is needed.
fn all_refused(parts: u64) -> (u32, u32, u32) {
    let mut hand = begun(parts, json!({}));
    let (mut tries, mut whole, mut signs) = (0, 0, 0);
    while let Some((op, work)) = next(&mut hand) {
        let Work::Send(request) = work else { panic!("{op:?}") };
        match op.kind {
            OpKind::Part(_) => {
                tries += 1;
                whole += u32::from(!request.expect_continue);
                let sent = Sent { bytes: if request.expect_continue { 0 } else { MIB }, crc64: 0 };
                hand.handle(Event::Answered { op, result: Ok(Answer { status: 403, ..Answer::default() }), sent });
            }
            _ => {
                signs += 1;
                hand.answered(op, 200, SESSION);
            }
        }
    }
    (tries, whole, signs)
}

// ---- what is printed

#[test]
fn a_persons_bytes_are_not_printed() {
    let wants = partway::hash::Wants { sha256: true, ..Default::default() };
    let mut digester = Box::new(partway::hash::Digester::new(wants).unwrap());
    digester.update(&[201, 202, 203]);
    let digest = ReadDigest { crc64: 1, md5: None, bytes: Some(vec![201, 202, 203]), digester: Some(digester.clone()) };
    let text = format!("{digest:?} {digester:?}");
    assert!(!text.contains("201") && !text.contains("c9ca"), "{text}");
}
