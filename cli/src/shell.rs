//! Commands of the user's, run by the shell: what they print, and that nothing of them outlives this process.

use std::{
    io::{IsTerminal, Read, stdin},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

/// How often a command is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// What a command leaves in the background may keep its output open: so long is waited for the last of it.
const REST_MAX: Duration = Duration::from_millis(200);

/// Those that run, by the number of their process.
static RUNNING: Mutex<Vec<u32>> = Mutex::new(Vec::new());

fn running() -> MutexGuard<'static, Vec<u32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the command prints, once it has ended well; else why there is nothing, in words that hold nothing of what it printed. Its stderr is ours. **Waits**, at most
/// so long; then it is killed.
pub(crate) fn output_of(command: &str, time_max: Duration) -> Result<Vec<u8>, String> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("/bin/sh", "-c") };
    let mut child = Command::new(shell);
    child.args([flag, command]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    // With what it starts it is a group, so that all of it can be ended. Not on a terminal, where it may want to ask a person something: only those in the
    // foreground may.
    #[cfg(unix)]
    if !stdin().is_terminal() {
        std::os::unix::process::CommandExt::process_group(&mut child, 0);
    }
    let mut child = child.spawn().map_err(|_| "could not be run".to_owned())?;
    let ended = Ended::of(&child);
    let (sender, printed) = mpsc::channel();
    if let Some(mut stdout) = child.stdout.take() {
        let read = move || {
            let mut piece = [0; 4096];
            while let Ok(n @ 1..) = stdout.read(&mut piece) {
                if sender.send(piece[..n].to_vec()).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new()
            .name("token-output".to_owned())
            .spawn(read)
            .map_err(|_| "could not be read".to_owned())?;
    }
    let begun = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begun.elapsed() < time_max => thread::sleep(LOOK_EVERY),
            Ok(None) => return Err(format!("did not end within {} s", time_max.as_secs())),
            Err(_) => return Err("could not be waited for".to_owned()),
        }
    };
    // What it printed is here. Something that it left behind may go on.
    ended.keep();
    if !status.success() {
        return Err(format!("failed ({status})"));
    }
    let (mut output, until) = (vec![], Instant::now() + REST_MAX);
    while let Ok(piece) = printed.recv_timeout(until.saturating_duration_since(Instant::now())) {
        output.extend_from_slice(&piece);
    }
    Ok(output)
}

/// Kills what still runs: this process ends.
pub(crate) fn end_all() {
    running().drain(..).for_each(kill);
}

/// A command that runs; unless it is kept it is killed.
struct Ended(u32);

impl Ended {
    fn of(child: &Child) -> Ended {
        running().push(child.id());
        Ended(child.id())
    }

    fn keep(self) {
        running().retain(|id| *id != self.0);
        std::mem::forget(self);
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        let mut running = running();
        if running.contains(&self.0) {
            running.retain(|id| *id != self.0);
            kill(self.0);
        }
    }
}

#[cfg(unix)]
fn kill(id: u32) {
    use rustix::process::{Pid, Signal, kill_process, kill_process_group};
    if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        // It is no group of its own where a person may be asked.
        if kill_process_group(pid, Signal::KILL).is_err() {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

#[cfg(not(unix))]
fn kill(_: u32) {}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_in_the_background_is_not_waited_for() {
        let begun = Instant::now();
        assert_eq!(output_of("sleep 30 & printf abc", Duration::from_secs(20)), Ok(b"abc".to_vec()));
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }

    #[test]
    fn one_that_does_not_end_is_ended_with_what_it_started() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("pid");
        let command = format!("sleep 60 & echo $! >'{}'; wait", file.display());
        let refused = output_of(&command, Duration::from_secs(1)).expect_err("it goes on");
        assert!(refused.contains("did not end"), "{refused}");
        let pid: i32 = std::fs::read_to_string(file).expect("it ran").trim().parse().expect("a number");
        let pid = rustix::process::Pid::from_raw(pid).expect("a process");
        let begun = Instant::now();
        // Killed, it is there until somebody asks how it ended.
        while rustix::process::test_kill_process(pid).is_ok() && !is_dead(pid) {
            assert!(begun.elapsed() < Duration::from_secs(10), "it lives");
            thread::yield_now();
        }
    }

    fn is_dead(pid: rustix::process::Pid) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    }
}
