//! `cargo xtask bench --small-files`: what many small files cost where each request takes its time.
//!
//! Each file is three requests (smh §2): start, bytes, confirm. What is measured is how well the workers are kept busy: the time that all requests take,
//! shared by the workers, is what can't be beaten.

use std::{collections::BTreeSet, path::PathBuf, process::Command};

use super::{Bench, Cloud, MIB, mib, watch};
use crate::Outcome;

const FILES: usize = 1_000;
const FILE_BYTES: usize = 100 << 10;
const LATENCY_MS: u64 = 50;
const WORKERS: usize = 8;
/// The gate: of requests x latency / workers.
const RATIO_MAX: f64 = 1.3;
/// Start, bytes and confirm of each file; beside them the directory, which each worker may find missing.
const REQUESTS_MAX: usize = 3 * FILES + 2 * WORKERS;
/// To the API and to the storage: one a worker, and the two beside them.
const CONNECTIONS_MAX: usize = 2 * (WORKERS + 2);

impl Bench {
    pub(super) fn small_files(&self) -> Outcome {
        let cloud = Cloud::start(&self.command)?;
        let files = self.small()?;
        cloud.delay(LATENCY_MS)?;
        let mut command = Command::new(&self.command);
        command
            .arg("upload")
            .args(&files)
            .args(["--json", "--service", "smh", "--endpoint", &cloud.api, "--library", &cloud.library])
            .args(["--space", &cloud.space, "--path", "new/", "--parallel", &WORKERS.to_string(), "--state-dir"])
            .arg(self.dir.join("state"))
            .env("PARTWAY_TOKEN", &cloud.token);
        let cost = watch(&mut command)?;
        let log = cloud.log()?;
        let requests = log.len();
        let connections = log.iter().map(|entry| (entry["plane"].as_str(), entry["connection"].as_u64()));
        let connections = connections.collect::<BTreeSet<_>>().len();
        let least_s = requests as f64 * LATENCY_MS as f64 / 1_000.0 / WORKERS as f64;
        let ratio = cost.wall_s / least_s;
        println!(
            "{FILES} files of {} KiB, {LATENCY_MS} ms added to each request, {WORKERS} workers\n",
            FILE_BYTES >> 10
        );
        println!(
            "wall {:.2} s, requests x latency / workers {least_s:.2} s: {ratio:.2} (gate {RATIO_MAX})",
            cost.wall_s
        );
        println!("{requests} requests (gate {REQUESTS_MAX}), {connections} connections (gate {CONNECTIONS_MAX})");
        println!("processor {:.2} s, peak memory {:.1} MiB", cost.cpu_s, mib(cost.peak_bytes));
        let gates = [
            ("time", ratio <= RATIO_MAX),
            ("requests", requests <= REQUESTS_MAX),
            ("connections", connections <= CONNECTIONS_MAX),
        ];
        super::met(&gates)
    }

    /// The files, each of other bytes.
    fn small(&self) -> Result<Vec<PathBuf>, String> {
        let content =
            std::fs::read(self.file("content", 2 * MIB)?).map_err(|error| format!("a file to upload: {error}"))?;
        let folder = self.dir.join("small-files");
        let write = |number: usize| {
            let path = folder.join(format!("{number:04}.jpg"));
            std::fs::write(&path, &content[number * 64..][..FILE_BYTES]).map(|()| path)
        };
        std::fs::create_dir_all(&folder)
            .and_then(|()| (0..FILES).map(write).collect())
            .map_err(|error| format!("a file to upload: {error}"))
    }
}
