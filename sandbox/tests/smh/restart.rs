//! Stopping, and going on.

use std::net::TcpStream;
use std::time::Duration;

use partway_sandbox::{Config, How, Rule, Sandbox, Step};

use crate::support::{Client, cloud, cloud_with};

#[test]
fn a_restart_on_the_same_ports_goes_on() {
    let first = cloud();
    let (api, data, control) = (first.api_address(), first.data_address(), first.control_address());
    let client = Client::new(&first);
    let info = client.begin("x");
    client.part(&info, 1, b"x").status_is(200);
    first.add_rule(Rule::new(Step::Cancel, How::Reset));
    first.set_clock_offset_ms(1000);
    let state = first.stop();
    assert!(TcpStream::connect(api).is_err(), "nobody listens");

    let config =
        Config { api_port: api.port(), data_port: data.port(), control_port: control.port(), ..Config::default() };
    let second = Sandbox::start_with(config, state).expect("the same ports");
    let client = Client::new(&second);
    client.part(&info, 1, b"again").status_is(200);
    client.confirm(&info).status_is(200);
    assert_eq!(second.object("-", "x").map(|o| o.size), Some(5));
    assert_eq!((second.rules().len(), second.clock_offset_ms()), (1, 1000));
}

#[test]
fn a_drop_cuts_what_is_open() {
    let cloud = cloud();
    cloud.add_rule(Rule::new(Step::Begin, How::StallAnswer));
    let address = cloud.api_address();
    std::thread::scope(|scope| {
        let stalled = scope.spawn(|| {
            let url = format!("http://{address}/api/v1/file/smh-sandbox/-/x?multipart&access_token=sandbox-token");
            crate::support::call(&crate::support::agent(), "POST", &url, &[], b"").is_err()
        });
        let begun = |log: &[partway_sandbox::LogEntry]| log.first().filter(|e| e.stands).cloned();
        assert!(cloud.wait_log(Duration::from_secs(10), begun).is_some());
        drop(cloud);
        assert!(stalled.join().expect("joined"), "the client sees an end");
    });
}

#[test]
fn a_temporary_directory_goes_and_a_given_one_stays() {
    let cloud = cloud();
    Client::new(&cloud).upload("x", b"x");
    let file = cloud.object("-", "x").and_then(|o| o.file).expect("a file");
    assert!(file.exists());
    drop(cloud);
    assert!(!file.exists());

    let given = std::env::temp_dir().join(format!("partway-sandbox-test-{}", std::process::id()));
    let cloud = cloud_with(|c| c.directory = Some(given.clone()));
    Client::new(&cloud).upload("x", b"x");
    let file = cloud.object("-", "x").and_then(|o| o.file).expect("a file");
    drop(cloud);
    assert!(file.exists());
    std::fs::remove_dir_all(given).expect("removed");
}

#[test]
fn a_taken_port_is_an_error() {
    let cloud = cloud();
    let config = Config { api_port: cloud.api_address().port(), ..Config::default() };
    assert!(Sandbox::start(config).is_err());
}
