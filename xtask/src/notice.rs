//! NOTICE: whose work the library is linked with, from `cargo metadata`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use serde_json::Value;

use crate::cargo;

/// What the library is built for. A dependency of any of them is named.
const TARGETS: &[&str] = &[
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "aarch64-linux-android",
    "armv7-linux-androideabi",
    "aarch64-apple-ios",
    "aarch64-unknown-linux-ohos",
];

const HEAD: &str = "Partway
Licensed under either of the Apache License, Version 2.0 (LICENSE-APACHE) or the MIT license (LICENSE-MIT), at your option.

The library is linked with the packages below. Tools that only run at build time, tests, the command line and the sandbox are not part of it.
Written by `cargo xtask notice`.

";

pub(crate) fn page() -> Result<String, String> {
    let mut shipped: BTreeMap<(String, String), (String, String)> = BTreeMap::new();
    for target in TARGETS {
        let metadata = metadata(target)?;
        let packages: BTreeMap<&str, &Value> =
            array(&metadata["packages"]).filter_map(|package| Some((package["id"].as_str()?, package))).collect();
        let root = metadata["resolve"]["root"].as_str().ok_or("cargo metadata names no root package")?;
        for id in linked(&metadata, root, &packages) {
            let package = packages[id];
            let text = |field: &str| package[field].as_str().unwrap_or("").to_owned();
            if id != root {
                shipped.insert((text("name"), text("version")), (text("license"), text("repository")));
            }
        }
    }
    let mut page = HEAD.to_owned();
    for ((name, version), (license, repository)) in shipped {
        if license.is_empty() {
            return Err(format!("{name} {version} names no licence"));
        }
        let _ = writeln!(page, "{name} {version}\n    {license}\n    {repository}");
    }
    Ok(page)
}

fn metadata(target: &str) -> Result<Value, String> {
    let output = cargo()
        .args(["metadata", "--format-version=1", "--locked", "--all-features", "--filter-platform", target])
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
}

/// Everything that `root` reaches by normal dependencies, procedural macros and what only they need left out.
fn linked<'a>(metadata: &'a Value, root: &'a str, packages: &BTreeMap<&'a str, &'a Value>) -> BTreeSet<&'a str> {
    let nodes: BTreeMap<&str, &Value> =
        array(&metadata["resolve"]["nodes"]).filter_map(|node| Some((node["id"].as_str()?, node))).collect();
    let (mut seen, mut open) = (BTreeSet::new(), vec![root]);
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        for dep in nodes.get(id).into_iter().flat_map(|node| array(&node["deps"])) {
            let normal = array(&dep["dep_kinds"]).any(|kind| kind["kind"].is_null());
            if let Some(id) = dep["pkg"].as_str().filter(|id| normal && !runs_at_build_time(packages[id])) {
                open.push(id);
            }
        }
    }
    seen
}

fn runs_at_build_time(package: &Value) -> bool {
    array(&package["targets"]).any(|target| array(&target["kind"]).any(|kind| kind == "proc-macro"))
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
