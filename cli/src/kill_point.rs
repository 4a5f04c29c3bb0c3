//! A testing aid: the command kills itself at a moment that the environment names, as hard as a system kills an app.
//!
//! | variable | what it does |
//! |---|---|
//! | `PARTWAY_KILL_AT=17` | SIGKILL to itself at the 17th checkpoint, counted from 1 over all threads |
//! | `PARTWAY_KILL_LOG=FILE` | appends a line for each checkpoint that was reached, such as `sync before`; the last one of a killed run is where it died |
//!
//! The checkpoints are those of [`partway::model::checkpoint`]: around every change of the state directory and around every request. Without either
//! variable nothing is counted.

use std::{
    env,
    fs::{File, OpenOptions},
    io::Write,
    sync::{Arc, Mutex, PoisonError},
};

use partway::{
    error::ErrorInfo,
    model::checkpoint::{Act, At, Checkpoint},
};

use crate::exit::usage;

const KILL_AT: &str = "PARTWAY_KILL_AT";
const KILL_LOG: &str = "PARTWAY_KILL_LOG";

struct KillPoint {
    at: Option<u64>,
    counted: Mutex<Counted>,
}

struct Counted {
    reached: u64,
    log: Option<File>,
}

/// What the environment asks for.
pub(crate) fn from_environment() -> Result<Option<Arc<dyn Checkpoint>>, ErrorInfo> {
    let (at, log) = (env::var_os(KILL_AT), env::var_os(KILL_LOG));
    if at.is_none() && log.is_none() {
        return Ok(None);
    }
    let number = |at: std::ffi::OsString| at.to_str().and_then(|at| at.parse().ok()).filter(|at| *at > 0);
    let at = at.map(|at| number(at).ok_or_else(|| usage(format!("{KILL_AT} is a number from 1")))).transpose()?;
    let open = |path| OpenOptions::new().append(true).create(true).open(path);
    let log = log.map(open).transpose().map_err(|_| usage(format!("{KILL_LOG} can't be written")))?;
    Ok(Some(Arc::new(KillPoint { at, counted: Mutex::new(Counted { reached: 0, log }) })))
}

impl Checkpoint for KillPoint {
    fn reached(&self, act: Act, at: At) {
        // Held to the end: nobody passes a checkpoint while the process dies at another.
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.reached += 1;
        if let Some(log) = &mut counted.log {
            let line = format!("{act:?} {at:?}\n").to_lowercase();
            // A run that is to be counted and can't be is of no use to anybody.
            assert!(log.write_all(line.as_bytes()).is_ok(), "{KILL_LOG} can't be written");
        }
        if Some(counted.reached) == self.at {
            kill();
        }
    }
}

#[cfg(unix)]
fn kill() {
    use rustix::process::{Signal, getpid, kill_process};

    // It can't fail: the process is there and is ours. It returns to nobody.
    let _ = kill_process(getpid(), Signal::KILL);
}

#[cfg(not(unix))]
fn kill() {
    std::process::abort();
}
