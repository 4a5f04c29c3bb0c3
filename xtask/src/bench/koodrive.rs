//! KooDrive: hashing runs ahead of sending. At a bounded rate the whole costs hardly more than the longer of hashing alone and sending alone; the file is
//! read once for each, also over kills.

use std::{path::Path, process::Command};

use super::{
    Bench, MIB, PEAK_BYTES_MAX,
    child::{Cost, Look, Then, watch, watch_until},
    cloud::Cloud,
    mib,
};
use crate::Outcome;

const RATE_BYTES_PER_S: u64 = 40_000_000;
const PART_SIZE_BYTES: u64 = 10 * MIB;
const WORKERS: u64 = 4;
const KILLS: u64 = 3;

// The gates.
const WALL_RATIO_MAX: f64 = 1.15;
/// Of the file, hashed before its first byte leaves.
const HASHED_FIRST_MAX: f64 = 0.05;

/// One upload that ran through.
struct Run {
    cost: Cost,
    /// What had been read of the file when the first part reached the service.
    read_first_bytes: u64,
}

impl Bench {
    pub(super) fn koodrive(&self, size_bytes: u64, rounds: usize) -> Outcome {
        let cloud = &Cloud::start(&self.command)?;
        let file = self.file("film", size_bytes)?;
        let small = self.file("small-film", MIB)?;
        let beside = watch(&mut self.koodrive_upload(cloud, &small, "beside"))?.read_bytes.saturating_sub(2 * MIB);
        let hash = watch(Command::new(&self.command).args(["digest", "--json"]).arg(&file))?;
        let send =
            watch(self.smh_upload(cloud, &file, "send-alone").args(["--limit-rate", &RATE_BYTES_PER_S.to_string()]))?;
        let mut runs = vec![];
        for round in 0..rounds {
            runs.push(self.koodrive_run(cloud, &file, &format!("round-{round}"), beside)?);
        }
        runs.sort_by(|a, b| a.cost.wall_s.total_cmp(&b.cost.wall_s));
        let median = runs[runs.len() / 2].cost.wall_s;
        let peak_bytes = runs.iter().map(|run| run.cost.peak_bytes).max().unwrap_or(0);
        let first = runs.iter().map(|run| run.read_first_bytes).max().unwrap_or(0) as f64 / size_bytes as f64;
        let reads = runs.iter().map(|run| run.cost.read_bytes.saturating_sub(beside)).max().unwrap_or(0);
        let ratio = median / hash.wall_s.max(send.wall_s);

        println!(
            "\nKooDrive: {} MiB at {} MB/s, parts of {} MiB, {WORKERS} workers; median of {rounds}\n",
            size_bytes / MIB,
            RATE_BYTES_PER_S / 1_000_000,
            PART_SIZE_BYTES / MIB
        );
        println!("{:<44}{:>10}{:>10}", "", "", "gate");
        println!("{:<44}{:>10.2}", "all digests alone (`digest`), s", hash.wall_s);
        println!("{:<44}{:>10.2}", "sending alone (SMH, no digest), s", send.wall_s);
        println!("{:<44}{median:>10.2}", "both, s");
        println!("{:<44}{ratio:>10.3}{WALL_RATIO_MAX:>10.2}", "over the longer of the two, times");
        println!("{:<44}{first:>10.4}{HASHED_FIRST_MAX:>10.2}", "read of the file when the first part came");
        println!("{:<44}{:>10.2}{:>10.2}", "peak memory, MiB", mib(peak_bytes), mib(PEAK_BYTES_MAX));
        let read = reads as f64 / size_bytes as f64;
        println!("{:<44}{read:>10.4}{:>10.2}", "read of the file, times", 2.0);

        let (killed, killed_peak_bytes) = self.koodrive_killed(cloud, &file, size_bytes, beside)?;
        // What was being sent and what was being hashed at each kill.
        let killed_max = 2.0 + (KILLS * (WORKERS + 1) * PART_SIZE_BYTES) as f64 / size_bytes as f64;
        let killed = killed as f64 / size_bytes as f64;
        println!("{:<44}{killed:>10.4}{killed_max:>10.2}", format!("read over {KILLS} kills and the end, times"));

        // A page more is the end that is looked for, and each run reads a little beside the file that differs.
        let gates = [
            ("wall", ratio <= WALL_RATIO_MAX),
            ("first part", first <= HASHED_FIRST_MAX),
            ("peak memory", peak_bytes.max(killed_peak_bytes) <= PEAK_BYTES_MAX),
            ("reads", read <= 2.001),
            ("reads over kills", killed <= killed_max + 0.001),
        ];
        let missed: Vec<&str> = gates.iter().filter(|(_, met)| !met).map(|(name, _)| *name).collect();
        if missed.is_empty() { Ok(()) } else { Err(format!("KooDrive, over the gate: {}", missed.join(", "))) }
    }

    fn koodrive_upload(&self, cloud: &Cloud, file: &Path, name: &str) -> Command {
        let mut command = Command::new(&self.command);
        command
            .arg("upload")
            .arg(file)
            .args(["--json", "--service", "koodrive", "--instant", "off", "--endpoint", &cloud.api])
            .args(["--container", &cloud.container, "--name", name])
            .args(["--part-size", &PART_SIZE_BYTES.to_string(), "--parallel", &WORKERS.to_string()])
            .args(["--limit-rate", &RATE_BYTES_PER_S.to_string()])
            .arg("--state-dir")
            .arg(self.dir.join("state"))
            .env("PARTWAY_TOKEN", &cloud.koodrive_token);
        command
    }

    fn koodrive_run(&self, cloud: &Cloud, file: &Path, name: &str, beside: u64) -> Result<Run, String> {
        let seen = cloud.parts_begun(0)?.1;
        let mut read_first_bytes = None;
        let cost = watch_until(&mut self.koodrive_upload(cloud, file, name), |look: Look| {
            if read_first_bytes.is_none() && cloud.parts_begun(seen).is_ok_and(|(parts, _)| parts > 0) {
                read_first_bytes = Some(look.read_bytes.saturating_sub(beside));
            }
            Then::On
        })?;
        let read_first_bytes = read_first_bytes.ok_or("no part was seen to begin")?;
        Ok(Run { cost, read_first_bytes })
    }

    /// What was read over all runs, each but the last of them killed after a quarter more, and the most memory that one took.
    fn koodrive_killed(&self, cloud: &Cloud, file: &Path, size_bytes: u64, beside: u64) -> Result<(u64, u64), String> {
        let (mut read_bytes, mut peak_bytes) = (0, 0);
        for run in 0..=KILLS {
            // A quarter of both passes, more or less.
            let enough = if run == KILLS { u64::MAX } else { beside + size_bytes / 2 };
            let cost = watch_until(&mut self.koodrive_upload(cloud, file, "killed"), |look: Look| {
                if look.read_bytes >= enough { Then::Kill } else { Then::On }
            })?;
            read_bytes += cost.read_bytes.saturating_sub(beside);
            peak_bytes = peak_bytes.max(cost.peak_bytes);
        }
        Ok((read_bytes, peak_bytes))
    }
}
