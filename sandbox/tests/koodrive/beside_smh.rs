//! Both services in one sandbox.

use partway_sandbox::{Config, Sandbox, Service};
use serde_json::json;

use crate::support::{Client, call, cloud, url_of};

#[test]
fn both_services_run_at_once_and_keep_apart() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let smh = format!("{}/api/v1/file/smh-sandbox/-/x?multipart&access_token=sandbox-token", cloud.api_url());
    let info = call(&client.agent, "POST", &smh, &[], b"").expect("an answer");
    info.status_is(201);
    let created = client.create_small("x", 5);
    let services: Vec<Service> = cloud.uploads().iter().map(|upload| upload.service).collect();
    assert!(services.contains(&Service::Smh) && services.contains(&Service::Koodrive), "{services:?}");
    client.put(&url_of(&created, 1), b"hello").status_is(200);
    client.complete(&created).good();
    cloud.set_switches(|s| s.quota_bytes = Some(1));
    let start = smh.replace("multipart", "multipart&filesize=1");
    call(&client.agent, "POST", &start, &[], b"").expect("an answer").status_is(201);
    let logged: Vec<Service> = cloud.log().iter().map(|entry| entry.service).collect();
    assert_eq!((logged[0], logged[1]), (Service::Smh, Service::Koodrive));
    cloud.forget_all();
    assert!(cloud.uploads().is_empty());
}

#[test]
fn a_restart_goes_on() {
    let first = cloud();
    let client = Client::new(&first);
    let created = client.create_small("x", 1);
    let (api_port, data_port) = (first.api_address().port(), first.data_address().port());
    let state = first.stop();
    let second =
        Sandbox::start_with(Config { api_port, data_port, ..Config::default() }, state).expect("the same ports");
    let client = Client::new(&second);
    client.put(&url_of(&created, 1), b"x").status_is(200);
    client.complete(&created).good();
    second.reset();
    assert!(second.objects().is_empty());
    client.complete(&created).refuses(13_000_401);
    assert_eq!(client.create(client.wanted("x", 0, json!([]))).good()["fileName"], json!("x"));
}
