//! This same command as a child: an upload that can be killed without asking it.

use std::{
    env,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{self, Command, Stdio},
};

use partway::error::{Code, ErrorInfo};
use serde_json::Value;

use super::trouble;
use crate::{bar::Bar, signals};

/// What the child is to do.
pub(super) struct Job {
    pub(super) file: PathBuf,
    pub(super) state_dir: PathBuf,
    pub(super) endpoint: String,
    /// Which service, and where there.
    pub(super) place: Vec<String>,
    pub(super) token: String,
    pub(super) part_size_bytes: u64,
    pub(super) rate_bytes_per_s: u64,
    pub(super) size: u64,
}

impl Job {
    fn command(&self) -> Result<Command, ErrorInfo> {
        let mut command = Command::new(env::current_exe().map_err(|error| trouble(&error))?);
        command.arg("upload").arg(&self.file).arg("--state-dir").arg(&self.state_dir);
        command.args(["--endpoint", &self.endpoint]).args(&self.place).args(["--instant", "off", "--json"]);
        command.args(["--part-size", &self.part_size_bytes.to_string()]);
        command.args(["--limit-rate", &self.rate_bytes_per_s.to_string()]);
        command.env("PARTWAY_TOKEN", &self.token).stdin(Stdio::null()).stdout(Stdio::piped());
        Ok(command)
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    /// Bytes of proven parts.
    pub(super) done: u64,
}

/// How it ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// What it began with.
    pub(super) first: Progress,
    /// What it said last.
    pub(super) last: Progress,
    /// Its outcome; `None` when it was killed.
    pub(super) finished: Option<String>,
    pub(super) bytes_resent: u64,
    /// In its own words.
    pub(super) error: Option<String>,
}

/// One run of the job.
pub(super) struct Child {
    process: process::Child,
    bar: Bar,
    size: u64,
}

impl Child {
    pub(super) fn spawn(job: &Job) -> Result<Child, ErrorInfo> {
        let process = job.command()?.spawn().map_err(|error| trouble(&error))?;
        Ok(Child { process, bar: Bar::new("upload"), size: job.size })
    }

    /// Follows it until it ends, or until `enough`: then it is killed, as a phone does it.
    pub(super) fn until(mut self, enough: impl Fn(Progress) -> bool) -> Result<Ended, ErrorInfo> {
        let mut ended = Ended::default();
        let mut first = None;
        let mut at = String::new();
        let Some(stdout) = self.process.stdout.take() else {
            return Err(ErrorInfo::new(Code::Bug, "the child has no output"));
        };
        for line in BufReader::new(stdout).lines() {
            let Ok(event) = line.as_deref().map_err(drop).and_then(|line| read(line).ok_or(())) else { continue };
            match event["event"].as_str() {
                Some("progress") => {
                    let done = event["bytes_acknowledged"].as_u64().unwrap_or(0);
                    ended.last = Progress { done };
                    // Before the journal was read there is nothing to tell.
                    if event["bytes_total"].as_u64() != Some(0) {
                        first.get_or_insert(ended.last);
                    }
                }
                Some("state") => at = event["state"].as_str().unwrap_or_default().to_owned(),
                Some("finished") => finish(&mut ended, &event),
                _ => {}
            }
            let total = if first.is_some() { self.size } else { 0 };
            self.bar.set(ended.last.done, total, &at);
            if ended.finished.is_none() && (signals::seen() || enough(ended.last)) {
                break;
            }
        }
        ended.first = first.unwrap_or_default();
        // One that has ended can't be killed any more, and need not be.
        drop(self.process.kill());
        self.process.wait().map_err(|error| trouble(&error))?;
        self.bar.leave();
        Ok(ended)
    }
}

fn read(line: &str) -> Option<Value> {
    serde_json::from_str(line).ok()
}

fn finish(ended: &mut Ended, event: &Value) {
    ended.finished = event["outcome"].as_str().map(str::to_owned);
    ended.bytes_resent = event["bytes_resent"].as_u64().unwrap_or(0);
    ended.error = event["error"].as_object().map(|error| {
        let text = |field: &str| error.get(field).and_then(Value::as_str).unwrap_or_default();
        format!("{} ({})", text("detail"), text("name"))
    });
}
