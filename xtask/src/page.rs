//! A page that tells a reader what to type, followed as a reader would: its `sh` blocks one after the other in one terminal, at the root of the repository.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use crate::{Outcome, root, run, unnamed};

/// Of one block; the slowest builds the library as it is shipped.
const BLOCK_TIME_MAX: Duration = Duration::from_secs(1800);
/// The port that pages name. Another one is taken in its place: somebody may have that one.
pub(crate) const PORT: &str = "4000";

/// What is to be typed, and what the page says that it prints.
#[derive(Debug, PartialEq)]
struct Block {
    text: String,
    prints: Option<String>,
}

impl Block {
    /// It serves until it is stopped: another terminal.
    fn serves(&self) -> bool {
        self.text.contains("partway sandbox ")
    }
}

/// The `sh` blocks of a page, and below each, up to the next, what it prints.
fn blocks(page: &str) -> Vec<Block> {
    let (mut blocks, mut inside): (Vec<Block>, bool) = (vec![], false);
    for line in page.lines() {
        match (line.trim_start().strip_prefix("```"), blocks.last_mut()) {
            (Some("sh"), _) if !inside => {
                inside = true;
                blocks.push(Block { text: String::new(), prints: None });
            }
            (Some(_), _) => inside = false,
            (None, Some(block)) if inside => {
                block.text.push_str(line.trim_start());
                block.text.push('\n');
            }
            (None, Some(block)) if block.prints.is_none() => {
                let printed = line.split_once("prints `").and_then(|(_, rest)| rest.split_once('`'));
                block.prints = printed.map(|(printed, _)| printed.to_owned());
            }
            _ => {}
        }
    }
    blocks
}

/// Types all that the page says. `folder`, which the page makes, is removed before.
pub(crate) fn follow(path: &str, folder: &str) -> Outcome {
    let began = Instant::now();
    let page = std::fs::read_to_string(root().join(path)).map_err(|error| format!("{path}: {error}"))?;
    let _ = std::fs::remove_dir_all(root().join(folder));
    let port = free_port()?;
    let blocks = blocks(&page);
    if !blocks.iter().any(Block::serves) || !blocks.iter().any(|block| block.prints.is_some()) {
        return Err(format!("{path}: no block serves, or of none it is said what it prints"));
    }
    let mut terminal = Terminal::open()?;
    let mut servers = vec![];
    for block in &blocks {
        let text = block.text.replace(PORT, &port);
        if block.serves() {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("exec {text}")]).current_dir(root()).env_remove("CARGO_TARGET_DIR");
            servers.push(Sandbox::start(&mut shell)?);
            continue;
        }
        let said = terminal.typed(&text).map_err(|why| format!("{path}: {why}\n{text}"))?;
        if let Some(printed) = block.prints.as_ref().filter(|printed| !said.contains(*printed)) {
            return Err(format!("{path}: does not print `{printed}`:\n{text}\n{said}"));
        }
    }
    println!("{path}: {} blocks, typed as they stand there, ok, {} s", blocks.len(), began.elapsed().as_secs());
    Ok(())
}

/// In a process group of its own, which ends with it.
struct Group(Child);

impl Group {
    fn spawn(command: &mut Command) -> Result<Group, String> {
        // Where cargo builds is where the page says.
        command.current_dir(root()).env_remove("CARGO_TARGET_DIR").process_group(0);
        command.spawn().map(Group).map_err(|error| format!("{command:?}: {error}"))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = run(Command::new("kill").arg("--").arg(format!("-{}", self.0.id())).stderr(Stdio::null()));
        let _ = self.0.wait();
    }
}

/// A sandbox in a terminal of its own, until this is dropped.
pub(crate) struct Sandbox(Child);

impl Sandbox {
    /// Runs what starts it; returns once it said where it listens.
    pub(crate) fn start(shell: &mut Command) -> Result<Sandbox, String> {
        unnamed(shell.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0));
        let mut child = shell.spawn().map_err(|error| format!("{shell:?}: {error}"))?;
        let said = child.stdout.take();
        let sandbox = Sandbox(child);
        let mut lines = BufReader::new(said.ok_or("no output")?).lines().map_while(Result::ok);
        if !lines.any(|line| line.starts_with("token")) {
            return Err(format!("{shell:?} does not say where it listens"));
        }
        // What else it says is not to be in its way.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(sandbox)
    }
}

impl Drop for Sandbox {
    /// As Ctrl-C does it.
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-INT", "--", &group]).status();
        let _ = self.0.wait();
    }
}

/// A port that nobody has.
pub(crate) fn free_port() -> Result<String, String> {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    free.map(|address| address.port().to_string()).map_err(|error| format!("no port: {error}"))
}

/// Where the blocks are typed, one after the other.
struct Terminal {
    shell: Group,
    lines: Receiver<String>,
}

impl Terminal {
    fn open() -> Result<Terminal, String> {
        let mut shell = Command::new("sh");
        unnamed(shell.stdin(Stdio::piped()).stdout(Stdio::piped()));
        let mut shell = Group::spawn(&mut shell)?;
        let output = shell.0.stdout.take().ok_or("a shell without output")?;
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut terminal = Terminal { shell, lines };
        terminal.write("exec 2>&1\n")?;
        Ok(terminal)
    }

    fn write(&mut self, text: &str) -> Outcome {
        let input = self.shell.0.stdin.as_mut().ok_or("a shell without input")?;
        input.write_all(text.as_bytes()).map_err(|error| error.to_string())
    }

    /// What is said until the last command is over; an error when that failed. What else fails on the way is the page's own affair.
    fn typed(&mut self, text: &str) -> Result<String, String> {
        const OVER: &str = "@ over: ";
        // In braces it is read as a whole before any of it runs, so that nothing of it is taken for input of what it runs.
        self.write(&format!("{{\n{text}\n}} </dev/null\necho \"{OVER}$?\"\n"))?;
        let (until, mut said) = (Instant::now() + BLOCK_TIME_MAX, String::new());
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => match line.strip_prefix(OVER) {
                    Some("0") => return Ok(said),
                    Some(status) => return Err(format!("ends with {status}:\n{said}")),
                    None => {
                        said.push_str(&line);
                        said.push('\n');
                    }
                },
                Err(RecvTimeoutError::Timeout) => return Err(format!("is not over in time:\n{said}")),
                Err(RecvTimeoutError::Disconnected) => return Err(format!("ends the shell:\n{said}")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_what_they_print_are_found() {
        let page = "A word.\n\n1. One.\n\n   ```sh\n   make it\n   run it\n   ```\n\n   It prints `done`, and `more`.\n\n```c\nint x;\n```\n\n```sh\npartway sandbox --port 4000\n```\n";
        let found = blocks(page);
        let made = Block { text: "make it\nrun it\n".to_owned(), prints: Some("done".to_owned()) };
        let serves = Block { text: "partway sandbox --port 4000\n".to_owned(), prints: None };
        assert!(!made.serves() && serves.serves());
        assert_eq!(found, [made, serves]);
    }

    #[test]
    fn a_terminal_remembers_where_it_is_and_notices_what_fails() {
        let mut terminal = Terminal::open().expect("a terminal");
        assert_eq!(terminal.typed("cd xtask\nfalse\necho here >&2\n").expect("said"), "here\n");
        assert_eq!(terminal.typed("cat\nls Cargo.toml\n").expect("said"), "Cargo.toml\n");
        assert!(terminal.typed("echo so\nfalse\n").expect_err("failed").contains("ends with 1:\nso\n"));
        assert!(terminal.typed("exit 3\n").expect_err("gone").contains("ends the shell"));
    }
}
