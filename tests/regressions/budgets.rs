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
