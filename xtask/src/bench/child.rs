//! What a process cost, read from /proc while it runs and just before it is buried.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// How often a process is looked at. The peak of memory is the kernel's own and can only be missed in the last of these.
const LOOK: Duration = Duration::from_millis(5);
/// Of the times in /proc/PID/stat, on every Linux that we build on.
const TICKS_PER_S: f64 = 100.0;

/// What a process cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) wall_s: f64,
    pub(crate) cpu_s: f64,
    pub(crate) peak_bytes: u64,
    pub(crate) read_bytes: u64,
}

impl Cost {
    pub(crate) const WORST: Cost = Cost { wall_s: f64::MAX, cpu_s: f64::MAX, peak_bytes: 0, read_bytes: 0 };

    /// The shorter times, the larger needs.
    pub(crate) fn best(self, other: Cost) -> Cost {
        Cost {
            wall_s: self.wall_s.min(other.wall_s),
            cpu_s: self.cpu_s.min(other.cpu_s),
            peak_bytes: self.peak_bytes.max(other.peak_bytes),
            read_bytes: self.read_bytes.max(other.read_bytes),
        }
    }
}

/// What a process has read by now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) read_bytes: u64,
}

/// What is to become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    On,
    /// `kill -9`.
    Kill,
}

/// Runs it to its end, which must be a good one.
pub(crate) fn watch(command: &mut Command) -> Result<Cost, String> {
    watch_until(command, |_| Then::On)
}

/// The same, unless it is killed on the way.
pub(crate) fn watch_until(command: &mut Command, mut then: impl FnMut(Look) -> Then) -> Result<Cost, String> {
    let begun = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    let proc = format!("/proc/{}", child.id());
    let mut cost = Cost { wall_s: 0.0, cpu_s: 0.0, peak_bytes: 0, read_bytes: 0 };
    let mut killed = false;
    // A process that ended keeps its /proc entry until it is waited for.
    loop {
        if let Some(peak) = field(&format!("{proc}/status"), "VmHWM:") {
            cost.peak_bytes = peak << 10;
        }
        if let Some(read) = field(&format!("{proc}/io"), "rchar:") {
            cost.read_bytes = read;
        }
        let Some((state, ticks)) = stat(&format!("{proc}/stat")) else { break };
        cost.cpu_s = ticks as f64 / TICKS_PER_S;
        if state == "Z" {
            break;
        }
        if !killed && then(Look { read_bytes: cost.read_bytes }) == Then::Kill {
            killed = true;
            child.kill().map_err(|error| format!("a kill: {error}"))?;
            continue;
        }
        std::thread::sleep(LOOK);
    }
    cost.wall_s = begun.elapsed().as_secs_f64();
    match child.wait() {
        Ok(status) if status.success() || killed => Ok(cost),
        Ok(status) => Err(format!("{}: {status}", command.get_program().display())),
        Err(error) => Err(format!("{}: {error}", command.get_program().display())),
    }
}

fn field(path: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok())
}

/// Its state, and the ticks of processor time that it and its threads used, in user and system mode.
fn stat(path: &str) -> Option<(String, u64)> {
    let text = std::fs::read_to_string(path).ok()?;
    // The name, in brackets, may hold anything; state is field 3, utime 14, stime 15.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at - 3)?.parse::<u64>().ok();
    Some(((*fields.first()?).to_owned(), ticks(14)? + ticks(15)?))
}
