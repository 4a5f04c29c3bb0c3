//! The README says what is so.

use partway_sandbox::KoodriveSwitches;
use serde_json::Value;

#[test]
fn every_switch_is_in_the_table() {
    let readme = include_str!("../../README.md");
    let Ok(Value::Object(switches)) = serde_json::to_value(KoodriveSwitches::default()) else { panic!("an object") };
    let (_, table) = readme.split_once("| KooDrive switch | default | else |").expect("the table");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let names =
        rows.flat_map(|row| row.split('|').nth(1).unwrap_or("").split(", ").map(|n| n.trim().trim_matches('`')));
    let mut named: Vec<String> = names.map(str::to_owned).collect();
    let mut real: Vec<String> = switches.keys().cloned().collect();
    named.sort();
    real.sort();
    assert_eq!(named, real);
}
