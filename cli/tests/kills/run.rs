//! One run of the command: killed or not, what it printed, and which points it passed.

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, ExitStatus, Output},
};

use serde_json::Value;

const SIGKILL: i32 = 9;

/// See the module.
pub(crate) struct Ran {
    pub(crate) status: ExitStatus,
    pub(crate) lines: Vec<Value>,
    pub(crate) stderr: String,
    /// The checkpoints that it reached.
    pub(crate) points: Vec<String>,
}

impl Ran {
    pub(crate) fn of(output: Output, log: &Path) -> Ran {
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        Ran {
            status: output.status,
            // A killed one may leave half a line.
            lines: printed.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            points: fs::read_to_string(log).unwrap_or_default().lines().map(str::to_owned).collect(),
        }
    }

    pub(crate) fn killed(&self) -> bool {
        self.status.signal() == Some(SIGKILL)
    }

    /// The line that tells the end, if it came to that.
    pub(crate) fn finished(&self) -> Option<&Value> {
        self.lines.iter().find(|line| line["event"] == "finished")
    }

    /// Requests that were given to the network whole.
    pub(crate) fn requests_sent(&self) -> usize {
        self.points.iter().filter(|point| *point == "request within").count()
    }
}

/// Runs it; `kill_at`: it kills itself at that checkpoint.
pub(crate) fn run(mut command: Command, log: &Path, kill_at: Option<u64>) -> Ran {
    drop(fs::remove_file(log));
    command.env("PARTWAY_KILL_LOG", log);
    if let Some(at) = kill_at {
        command.env("PARTWAY_KILL_AT", at.to_string());
    }
    Ran::of(command.output().expect("the command"), log)
}
