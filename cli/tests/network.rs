//! Real sockets that fail, and the command on the other side of them: TLS with `--ca-file`, everything as it ships.

#![cfg(unix)]

mod support;

use std::{fs, process::Stdio, thread, time::Duration};

use partway_sandbox::{Config, Door, FaultProxy, How, LogEntry, Rule, Sandbox, Step, Strike};
use support::{MIB, Ran, World};

const PATIENCE: Duration = Duration::from_secs(30);

/// What goes wrong with the command's upload.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// This request stands still there, and its connection is struck.
    Struck(Step, Stand, Strike),
    /// Nobody listens, until somebody does.
    Refused,
}

#[derive(Clone, Copy, Debug)]
enum Stand {
    Body(u64),
    Answer,
    Half(u64),
}

#[test]
fn the_command_survives_what_sockets_do() {
    let cases = [
        Fault::Refused,
        Fault::Struck(Step::Begin, Stand::Body(0), Strike::Reset),
        Fault::Struck(Step::Begin, Stand::Answer, Strike::Close),
        Fault::Struck(Step::Part, Stand::Body(500_000), Strike::Reset),
        Fault::Struck(Step::Part, Stand::Body(500_000), Strike::HalfClose),
        Fault::Struck(Step::Part, Stand::Answer, Strike::Close),
        Fault::Struck(Step::Confirm, Stand::Body(0), Strike::Close),
        Fault::Struck(Step::Confirm, Stand::Answer, Strike::Reset),
        Fault::Struck(Step::Confirm, Stand::Half(25), Strike::Close),
        Fault::Struck(Step::Confirm, Stand::Half(300), Strike::Close),
    ];
    thread::scope(|scope| {
        for fault in cases {
            scope.spawn(move || run(fault));
        }
    });
}

fn run(fault: Fault) {
    let cloud = Sandbox::start(Config { tls: true, receive_buffer_bytes: Some(16 << 10), ..Config::default() });
    let world = World { cloud: cloud.expect("a sandbox"), dir: tempfile::tempdir().expect("a directory") };
    let api = FaultProxy::start(world.cloud.api_address()).expect("a proxy");
    let data = FaultProxy::start(world.cloud.data_address()).expect("a proxy");
    world.cloud.set_data_domain(format!("localhost:{}", data.address().port()));
    let (file, content) = world.file("a.bin", 2 * MIB);
    let ca = world.path("ca.pem");
    fs::write(&ca, world.cloud.ca_pem().expect("an authority")).expect("written");

    let rule = match fault {
        Fault::Refused => {
            api.set_door(Door::Refuses).expect("closed");
            None
        }
        Fault::Struck(step, stand, _) => {
            let how = match stand {
                Stand::Body(after_bytes) => How::Stall { after_bytes },
                Stand::Answer => How::StallAnswer,
                Stand::Half(after_bytes) => How::HalfAnswer { after_bytes },
            };
            Some(world.cloud.add_rule(Rule::new(step, how).once()))
        }
    };
    let endpoint = format!("https://localhost:{}", api.address().port());
    let mut command = world.verb(&["upload"]);
    command.arg(&file).args(["--service", "smh", "--endpoint", &endpoint, "--library", "smh-sandbox"]);
    command.args(["--path", "d/a.bin", "--mode", "multipart", "--instant", "off", "--part-size", "1048576"]);
    command.args(["--parallel", "1", "--ca-file"]).arg(&ca);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command");

    match (fault, rule) {
        (Fault::Struck(step, stand, strike), Some(rule)) => {
            let hit = |log: &[LogEntry]| log.iter().find(|entry| entry.rule == Some(rule) && entry.stands).cloned();
            let entry = world.cloud.wait_log(PATIENCE, hit).unwrap_or_else(|| panic!("{fault:?}: it never came"));
            let proxy = if step == Step::Part { &data } else { &api };
            let link = proxy.link(entry.peer.expect("an address")).expect("a connection");
            if let Stand::Half(_) = stand {
                // What there is of the answer may be on its way still: struck before, it is cut a little earlier.
                world.cloud.wait_log(Duration::from_millis(50), |_| None::<()>);
            }
            link.strike(strike);
        }
        _ => {
            // Refused connects leave no trace but the command's own word, which is read below.
            world.cloud.wait_log(Duration::from_millis(500), |_| None::<()>);
            api.set_door(Door::Open).expect("open");
        }
    }
    let ran = Ran::of(&child.wait_with_output().expect("an end"));
    assert_eq!(ran.end(), (Some(0), "completed", false, ""), "{fault:?}: {}", ran.stderr);
    world.holds_only("d/a.bin", &content);
    let finished = ran.finished();
    let again = finished["bytes_resent"].as_u64().expect("a number");
    assert!(again <= MIB as u64, "{fault:?}: {again} bytes sent again");
    let most = |step| match step {
        Step::Part => 3,
        Step::Begin | Step::Confirm | Step::Task => 2,
        Step::Mkdir => 1,
        _ => 1,
    };
    for step in [Step::Begin, Step::Mkdir, Step::Part, Step::Renew, Step::Task, Step::Confirm] {
        let count = world.cloud.log().iter().filter(|entry| entry.step == step).count();
        // The parent is not there at first, which is one begin more.
        let most = most(step) + usize::from(step == Step::Begin);
        assert!(count <= most, "{fault:?}: {count} x {step:?}");
    }
    let told = ran.events("state").any(|line| line["state"] == "waiting");
    let looked_up = matches!(fault, Fault::Struck(Step::Confirm, Stand::Answer | Stand::Half(_), _));
    assert!(told || looked_up, "{fault:?}: it was never told: {:?}", ran.lines);
}
