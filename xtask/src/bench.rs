//! `cargo xtask bench`: what an upload costs, beside `curl -T` of the same file to the same sandbox in the same minute.
//!
//! The sandbox runs in a process of its own with `discard`: it counts bytes and sums them, and keeps nothing. Of several runs the best counts, for both.
//! Linux only: the figures come from /proc.

mod child;
mod cloud;
mod koodrive;
mod small;

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Outcome, cargo, root, run as run_command};
use child::{Cost, watch};
use cloud::Cloud;

const MIB: u64 = 1 << 20;
const PART_SIZE_BYTES: u64 = 8 * MIB;
const WORKERS: u32 = 4;
const ROUNDS: u32 = 3;

// The gates.
const CPU_RATIO_MAX: f64 = 1.6;
const WALL_RATIO_MAX: f64 = 1.5;
const PEAK_BYTES_MAX: u64 = 24 * MIB;
/// Of the file's size; one page more is the end that is looked for.
const READ_RATIO_MAX: f64 = 1.000_1;

pub(crate) fn run(args: &[&str]) -> Outcome {
    let known = ["--quick", "--koodrive", "--small-files"];
    if !args.iter().all(|arg| known.contains(arg)) {
        return Err(format!("`cargo xtask bench` knows only {}", known.join(", ")));
    }
    let [quick, koodrive_only, small_files] = known.map(|word| args.contains(&word));
    run_command(cargo().args(["build", "--release", "--quiet", "--package", "partway-cli"]))?;
    let size_bytes = if quick { 128 * MIB } else { 1024 * MIB };
    let bench = Bench { command: command()?, dir: scratch()? };
    let rounds = if quick { 1 } else { 5 };
    let outcome = match (small_files, koodrive_only) {
        (true, _) => bench.small_files(),
        (_, true) => bench.koodrive(size_bytes, rounds),
        _ => {
            let beside_curl = bench.measure(size_bytes, (!quick).then_some(16 * 1024 * MIB));
            // Both are told, whatever the first one came to.
            bench.koodrive(size_bytes, rounds).and(beside_curl)
        }
    };
    let _ = std::fs::remove_dir_all(&bench.dir);
    outcome
}

struct Bench {
    command: PathBuf,
    dir: PathBuf,
}

impl Bench {
    fn measure(&self, size_bytes: u64, sparse_bytes: Option<u64>) -> Outcome {
        let cloud = &Cloud::start(&self.command)?;
        let file = self.file("file", size_bytes)?;
        let small = self.file("small", MIB)?;
        // What is read of anything but the file: libraries, the system's own tables.
        let beside = self.upload(cloud, &small, "beside")?.read_bytes.saturating_sub(MIB);

        let (mut ours, mut curls) = (Cost::WORST, Cost::WORST);
        for round in 0..ROUNDS {
            curls = curls.best(self.curl(cloud, &file, size_bytes, round)?);
            ours = ours.best(self.upload(cloud, &file, &format!("round-{round}"))?);
        }
        println!(
            "{} MiB over loopback, parts of {} MiB, {WORKERS} workers; the best of {ROUNDS} runs\n",
            size_bytes / MIB,
            PART_SIZE_BYTES / MIB
        );
        println!("{:<24}{:>10}{:>10}{:>10}{:>10}", "", "partway", "curl -T", "ratio", "gate");
        let cpu = ours.cpu_s / curls.cpu_s;
        let wall = ours.wall_s / curls.wall_s;
        let read = ours.read_bytes.saturating_sub(beside) as f64 / size_bytes as f64;
        println!("{:<24}{:>10.2}{:>10.2}{cpu:>10.2}{CPU_RATIO_MAX:>10.2}", "processor, s", ours.cpu_s, curls.cpu_s);
        println!("{:<24}{:>10.2}{:>10.2}{wall:>10.2}{WALL_RATIO_MAX:>10.2}", "wall, s", ours.wall_s, curls.wall_s);
        println!(
            "{:<24}{:>10.2}{:>10.2}{:>10}{:>10}",
            "peak memory, MiB",
            mib(ours.peak_bytes),
            mib(curls.peak_bytes),
            "",
            mib(PEAK_BYTES_MAX)
        );
        println!("{:<24}{read:>10.4}{:>10}{:>10}{:>10.2}", "read of the file, times", "", "", 1.0);

        let mut peak_bytes = ours.peak_bytes;
        if let Some(sparse_bytes) = sparse_bytes {
            let sparse = self.dir.join("sparse");
            File::create(&sparse)
                .and_then(|file| file.set_len(sparse_bytes))
                .map_err(|error| format!("a sparse file: {error}"))?;
            let cost = self.upload(cloud, &sparse, "sparse")?;
            peak_bytes = peak_bytes.max(cost.peak_bytes);
            println!(
                "\n{} GiB, sparse: {:.1} s, {:.1} s of processor, peak {:.2} MiB, read {:.4} times",
                sparse_bytes >> 30,
                cost.wall_s,
                cost.cpu_s,
                mib(cost.peak_bytes),
                cost.read_bytes.saturating_sub(beside) as f64 / sparse_bytes as f64
            );
        }
        let gates = [
            ("processor", cpu <= CPU_RATIO_MAX),
            ("wall", wall <= WALL_RATIO_MAX),
            ("peak memory", peak_bytes <= PEAK_BYTES_MAX),
            ("reads", read <= READ_RATIO_MAX),
        ];
        met(&gates)
    }

    fn upload(&self, cloud: &Cloud, file: &Path, name: &str) -> Result<Cost, String> {
        watch(&mut self.smh_upload(cloud, file, name))
    }

    fn smh_upload(&self, cloud: &Cloud, file: &Path, name: &str) -> Command {
        let mut command = Command::new(&self.command);
        command
            .arg("upload")
            .arg(file)
            .args(["--json", "--service", "smh", "--instant", "off", "--endpoint", &cloud.api])
            .args(["--library", &cloud.library, "--space", &cloud.space, "--path", &format!("bench/{name}")])
            .args(["--part-size", &PART_SIZE_BYTES.to_string(), "--parallel", &WORKERS.to_string()])
            .arg("--state-dir")
            .arg(self.dir.join("state"))
            .env("PARTWAY_TOKEN", &cloud.token);
        command
    }

    fn curl(&self, cloud: &Cloud, file: &Path, size_bytes: u64, round: u32) -> Result<Cost, String> {
        let link = cloud.link(&format!("curl-{round}"), size_bytes)?;
        let mut command = Command::new("curl");
        // Neither asks first whether it may send.
        command.args(["--silent", "--fail", "--noproxy", "*", "--header", "Expect:", "--upload-file"]).arg(file);
        for (name, value) in &link.headers {
            command.args(["--header", &format!("{name}: {value}")]);
        }
        watch(command.arg(&link.url))
    }

    /// A file whose bytes differ from place to place, in the page cache.
    fn file(&self, name: &str, size_bytes: u64) -> Result<PathBuf, String> {
        let path = self.dir.join(name);
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut block = Vec::with_capacity(MIB as usize);
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&path)?;
            for _ in 0..size_bytes / MIB {
                block.clear();
                while block.len() < MIB as usize {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    block.extend_from_slice(&state.to_le_bytes());
                }
                file.write_all(&block)?;
            }
            Ok(())
        };
        let mut write = write;
        write().map_err(|error| format!("a file to upload: {error}"))?;
        Ok(path)
    }
}

/// Names the gates that were not met.
fn met(gates: &[(&str, bool)]) -> Outcome {
    let missed: Vec<&str> = gates.iter().filter(|(_, met)| !met).map(|(name, _)| *name).collect();
    if missed.is_empty() { Ok(()) } else { Err(format!("over the gate: {}", missed.join(", "))) }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB as f64
}

/// The command as it was just built.
fn command() -> Result<PathBuf, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let path = root().join(target).join("release/partway");
    path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))
}

fn scratch() -> Result<PathBuf, String> {
    let dir = std::env::temp_dir().join(format!("partway-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    Ok(dir)
}
