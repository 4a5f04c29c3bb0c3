//! One cell: an upload that meets one fault.

use std::time::{Duration, Instant};

use partway::{
    client::{Client, Remote, State, WaitReason},
    error::Code,
};
use partway_sandbox::{How, Link, Rule, Step, Strike, Way};

use crate::{
    common::*,
    stage::{PART_BYTES, Service, Stage},
    table::{At, Fault, Phase, Plan, Plane},
};

pub(crate) fn run(service: Service, phase: Phase, fault: Fault, plan: &Plan) {
    let stage = Stage::new(service);
    let client = stage.open();
    prelude(&stage, phase);
    let aborts = phase.step() == Some(Step::Cancel);
    let id = match *plan {
        Plan::Door(plane, door) => {
            stage.proxy(plane).set_door(door).unwrap();
            let id = start(&client, stage.request());
            until(
                &client,
                &id,
                |snapshot| matches!(&snapshot.state, State::Waiting { waiting } if waiting.reason == WaitReason::Retry),
            );
            stage.proxy(plane).set_door(Default::default()).unwrap();
            id
        }
        Plan::Handshake(plane, strike) => {
            stage.proxy(plane).strike_next(Way::ToClient, 0, strike);
            start(&client, stage.request())
        }
        Plan::SlowStart(plane, pace) => {
            stage.proxy(plane).set_pace(pace);
            start(&client, stage.request())
        }
        Plan::Struck(at, strike) => {
            let how = match at {
                At::Body(after_bytes) => How::Stall { after_bytes },
                At::Answer => How::StallAnswer,
                At::Half(after_bytes) => How::HalfAnswer { after_bytes },
            };
            let (id, _, link) = stands_still(&stage, &client, phase, how);
            if let At::Half(_) = at {
                half_came(&stage, &link);
            }
            if phase == Phase::PartEarly {
                left_the_sender(&stage, &link);
            }
            link.strike(strike);
            id
        }
        Plan::Corrupted(at, way) => {
            let (id, rule, link) = stands_still(&stage, &client, phase, held(at));
            link.strike_on(way, Strike::Corrupt);
            stage.world.cloud.remove_rule(rule);
            id
        }
        Plan::Slowed(at, pace) => {
            let (id, rule, link) = stands_still(&stage, &client, phase, held(at));
            link.set_pace(pace);
            stage.world.cloud.remove_rule(rule);
            id
        }
        Plan::Idle { at_once, strike } => before(&stage, &client, phase, |stage| {
            let plane = if phase.step() == Some(Step::Part) { Plane::Data } else { Plane::Api };
            let links = stage.proxy(plane).links();
            assert_eq!(links.len(), 1, "one connection is idle");
            match at_once {
                true => links[0].strike(strike),
                false => links[0].strike_on(Way::ToServer, strike),
            }
        }),
        Plan::Fresh(strike) => before(&stage, &client, phase, |stage| {
            // The first record of a client is the end of its handshake.
            stage.api.strike_next(Way::ToServer, 1, strike);
        }),
    };
    if aborts {
        // It is told at once; the abort goes on behind that.
        until(&client, &id, |snapshot| snapshot.state == State::Cancelled { remote: Remote::Aborted });
        assert_eq!((stage.world.cloud.objects().len(), stage.world.open_tasks()), (0, 0));
    } else {
        completed(&client, &id);
        stage.world.sole_object(&stage.file);
        stage.world.hold_promises(&stage.file);
    }
    let struck = stage.api.strikes() + stage.data.strikes();
    let strikes = u64::from(!matches!(plan, Plan::Door(..) | Plan::SlowStart(..) | Plan::Slowed(..)));
    assert_eq!(struck, strikes, "the fault was met once");
    bounded(&stage, &client, &id, phase, plan);
    waited(&stage, phase, fault, plan);
}

fn held(at: At) -> How {
    match at {
        At::Body(after_bytes) => How::Hold { after_bytes },
        At::Answer | At::Half(_) => How::HoldAnswer,
    }
}

/// What must happen for the phase to come about at all.
fn prelude(stage: &Stage, phase: Phase) {
    match phase.step() {
        Some(Step::Renew) => drop(stage.rule(Rule::new(Step::Part, How::Expire).part(2).once())),
        Some(Step::Task) => drop(stage.rule(Rule::new(Step::Confirm, How::DropAfter).once())),
        _ => {}
    }
}

fn rule(phase: Phase, how: How) -> Rule {
    let rule = Rule::new(phase.step().unwrap(), how).once();
    if phase.step() == Some(Step::Part) { rule.part(2) } else { rule }
}

/// Starts, and waits until the phase's request stands still; the rule and the connection of it.
fn stands_still(stage: &Stage, client: &Client, phase: Phase, how: How) -> (String, u64, Link) {
    let number = stage.rule(rule(phase, how));
    let id = if phase.step() == Some(Step::Cancel) {
        before(stage, client, phase, |_| {})
    } else {
        start(client, stage.request())
    };
    let peer = stage.hit(number).peer.unwrap();
    let proxy = if phase.step() == Some(Step::Part) { &stage.data } else { &stage.api };
    (id, number, proxy.link(peer).unwrap())
}

/// Starts, and does something while what comes before the phase's request stands still.
fn before(stage: &Stage, client: &Client, phase: Phase, act: impl FnOnce(&Stage)) -> String {
    let holds = |step: Step, how: How| Some(Rule::new(step, how).once());
    let rule = match phase.step() {
        // Links are renewed because the second part's is over; the first one's answer is before that.
        Some(Step::Renew) => holds(Step::Part, How::HoldAnswer).map(|rule| rule.part(1)),
        Some(Step::Part) => {
            stage.rule(Rule::new(Step::Part, How::Expire).part(2).once());
            holds(Step::Renew, How::HoldAnswer)
        }
        Some(Step::Confirm | Step::Task) => holds(Step::Part, How::HoldAnswer).map(|rule| rule.part(2)),
        Some(Step::Cancel) => holds(Step::Part, How::Hold { after_bytes: 0 }).map(|rule| rule.part(2)),
        _ => None,
    };
    let Some(rule) = rule else {
        act(stage);
        return start(client, stage.request());
    };
    let number = stage.rule(rule);
    let id = start(client, stage.request());
    stage.hit(number);
    act(stage);
    if phase.step() == Some(Step::Cancel) {
        client.cancel(&one(&id));
    }
    stage.world.cloud.remove_rule(number);
    id
}

/// So much of the body left that its sender can't believe that the service took nothing: what it may believe that of is sent again without a word.
fn left_the_sender(stage: &Stage, link: &Link) {
    // Behind the first part, which went over the same connection; where it did not, a while is enough.
    let deadline = Instant::now() + Duration::from_secs(2);
    while link.came(Way::ToServer) <= PART_BYTES + (320 << 10) && Instant::now() < deadline {
        stage.world.cloud.wait_log(Duration::from_millis(5), |_| None::<()>);
    }
}

/// Something of the answer is on its way to the client.
fn half_came(stage: &Stage, link: &Link) {
    // It may have come before this looks; then nothing more does, and a while is enough.
    let before = link.came(Way::ToClient);
    let deadline = Instant::now() + Duration::from_millis(100);
    while link.came(Way::ToClient) == before && Instant::now() < deadline {
        stage.world.cloud.wait_log(Duration::from_millis(5), |_| None::<()>);
    }
}

/// Requests and bytes beyond those of an upload that nothing happens to.
fn bounded(stage: &Stage, client: &Client, id: &str, phase: Phase, plan: &Plan) {
    let told = || stage.world.told();
    let step = phase.step();
    let most = |of: Step| {
        let usual = match of {
            Step::Begin | Step::Confirm => 1,
            Step::Part => 2,
            // The second part's link is asked for when its state of the sum is known.
            Step::Renew => usize::from(stage.service == Service::KooDrive),
            _ => 0,
        };
        // What the prelude makes of it.
        let expired = step == Some(Step::Renew) || matches!((step, plan), (Some(Step::Part), Plan::Idle { .. }));
        let prelude = match of {
            Step::Part | Step::Renew => usize::from(expired),
            Step::Task => usize::from(step == Some(Step::Task)),
            Step::Cancel => usize::from(step == Some(Step::Cancel)),
            _ => 0,
        };
        let slow = matches!(plan, Plan::SlowStart(..) | Plan::Slowed(..));
        let again = usize::from(step == Some(of) && !slow);
        // What became of a complete is looked up. A begin that was not answered leaves nothing to look up.
        let looked_up = usize::from(of == Step::Task && !slow && matches!(step, Some(Step::Confirm | Step::Task)));
        // A part after a cut goes under a fresh lease, or under the old one.
        let fresh = usize::from(of == Step::Renew && !slow && step == Some(Step::Part));
        usual + prelude + again + looked_up + fresh
    };
    let mut rest = stage.world.cloud.log().len();
    for of in [Step::Begin, Step::Part, Step::Renew, Step::Task, Step::Confirm, Step::Cancel] {
        let count = stage.count(of);
        rest -= count;
        assert!(count <= most(of), "{count} x {of:?}, at most {}\n{}", most(of), told());
    }
    assert_eq!(rest, 0, "other requests\n{}", told());
    let progress = client.snapshot(id).unwrap().progress;
    let struck = step == Some(Step::Part) && !matches!(plan, Plan::Slowed(..));
    // The part whose connection is gone had been on its way before, under a link that was over; that it was refused is heard when it is heard.
    let refused = step == Some(Step::Renew) || matches!((step, plan), (Some(Step::Part), Plan::Idle { .. }));
    let most = (u64::from(struck) + u64::from(refused)) * PART_BYTES;
    assert!(progress.bytes_resent <= most, "{} bytes sent again, at most {most}\n{}", progress.bytes_resent, told());
}

/// What was told meanwhile: that it is tried again, and why.
fn waited(stage: &Stage, phase: Phase, fault: Fault, plan: &Plan) {
    let secures = phase.step().is_none();
    let expected = match (plan, fault) {
        (Plan::SlowStart(..) | Plan::Slowed(..), _) => vec![],
        (_, Fault::Corrupt) if secures => vec![Code::TlsFailed],
        // The service's alert may be overtaken by its end of the connection.
        (_, Fault::Corrupt) => vec![Code::AnswerMalformed, Code::ConnectionCut],
        _ if secures => vec![Code::ConnectFailed],
        (_, Fault::Blackhole) => vec![Code::Stalled],
        _ => vec![Code::ConnectionCut],
    };
    let waits = stage.waits();
    for (reason, code) in &waits {
        let fits = *reason == WaitReason::Retry && code.as_ref().is_some_and(|code| expected.contains(code));
        assert!(fits, "waited for {reason:?}, {code:?}");
    }
    let at_once = match phase {
        // Seen before it is used again, as a rule; the end of the connection may also come just behind that.
        _ if matches!(plan, Plan::Idle { at_once: true, .. }) => true,
        // What became of a complete is looked up at once; an abort is tried behind the ending.
        Phase::CompleteAnswer | Phase::AbortRequest | Phase::AbortAnswer => true,
        // A kept connection that was gone before the service took a byte.
        _ => phase == Phase::PartEarly && matches!(plan, Plan::Idle { .. }),
    };
    assert!(at_once || expected.is_empty() || !waits.is_empty(), "it was never told");
}
