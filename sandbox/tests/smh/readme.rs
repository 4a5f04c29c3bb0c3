//! The README says what is so.

use partway_sandbox::{Rule, Switches};
use serde_json::{Value, json};

use crate::support::{Client, call, cloud};

const README: &str = include_str!("../../README.md");

/// Names in the first column of the table with this head.
fn first_column(head: &str) -> Vec<String> {
    let (_, table) = README.split_once(head).expect("the table");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let names =
        rows.flat_map(|row| row.split('|').nth(1).unwrap_or("").split(", ").map(|n| n.trim().trim_matches('`')));
    names.map(str::to_owned).collect()
}

#[test]
fn every_switch_is_in_the_table() {
    let Ok(Value::Object(switches)) = serde_json::to_value(Switches::default()) else { panic!("an object") };
    let mut named = first_column("| switch | default | else |");
    let mut real: Vec<String> = switches.keys().cloned().collect();
    named.sort();
    real.sort();
    assert_eq!(named, real);
}

#[test]
fn every_fault_is_in_the_table() {
    let error = Rule::from_json(json!({ "step": "any", "how": "?" })).expect_err("no such fault");
    let mut real: Vec<String> = error.split('`').skip(3).step_by(2).map(str::to_owned).collect();
    let mut named = first_column("| `how` | fields | what happens |");
    named.sort();
    real.sort();
    assert_eq!(named, real);
}

#[test]
fn the_curl_lines_work() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    client.upload("x", b"x");
    let lines: Vec<&str> = README.lines().filter(|line| line.starts_with("curl ")).collect();
    assert!(lines.len() > 5);
    for line in lines {
        let path = line.split("$C").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("a path");
        let body = line.split("-d '").nth(1).and_then(|rest| rest.split('\'').next());
        let method = if body.is_some() || line.contains("-X POST") { "POST" } else { "GET" };
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        let url = format!("{}{path}", cloud.control_url());
        let reply = call(&client.agent, method, &url, &form, body.unwrap_or("").as_bytes()).expect("an answer");
        reply.status_is(200);
    }
}
