//! docs/swift.md as its reader follows it: each command, in order, against the sandbox that it starts.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::{Outcome, bindings, root, run, unnamed};

const PAGE: &str = "docs/swift.md";

/// What the reader lets run in a terminal of its own.
const SANDBOX: &str = "cargo run -p partway-cli -- sandbox --port 4000";
/// The port on the page; here any that is free.
const PORT: &str = "4000";
/// What the reader does by running this.
const OURSELVES: &str = "cargo xtask test swift";

pub(super) fn follow() -> Outcome {
    let text = std::fs::read_to_string(root().join(PAGE)).map_err(|error| format!("{PAGE}: {error}"))?;
    let commands = commands(&text);
    for needed in [SANDBOX, OURSELVES] {
        if !commands.iter().any(|command| command == needed) {
            return Err(format!("{PAGE} does not say `{needed}`"));
        }
    }
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = free.map_err(|error| format!("no port: {error}"))?.port().to_string();
    // Whatever a quick start of somebody else left is not this reader's.
    let temporary = bindings::target().join("swift-page");
    let _ = std::fs::remove_dir_all(&temporary);
    std::fs::create_dir_all(&temporary).map_err(|error| format!("{}: {error}", temporary.display()))?;
    let temporary = super::real(&temporary)?;
    let mut sandbox = None;
    for command in commands.iter().filter(|command| *command != OURSELVES) {
        let line = command.replace(PORT, &port);
        println!("{PAGE}$ {line}");
        if command == SANDBOX {
            sandbox = Some(Sandbox::start(&line, &temporary)?);
        } else {
            run(&mut shell(&line, &temporary)).map_err(|why| format!("{PAGE} says `{line}`: {why}"))?;
        }
    }
    drop(sandbox);
    println!("{PAGE}: {} commands, as they stand there", commands.len());
    Ok(())
}

/// The lines between fences of `sh`, without their comments.
fn commands(page: &str) -> Vec<String> {
    let (mut found, mut inside) = (vec![], false);
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some(word) => inside = !inside && word == "sh",
            None if inside => found.push(line.split(" #").next().unwrap_or_default().trim().to_owned()),
            None => {}
        }
    }
    found.retain(|command| !command.is_empty());
    found
}

fn shell(line: &str, temporary: &Path) -> Command {
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", line]).env("TMPDIR", temporary).current_dir(root());
    unnamed(&mut command);
    command
}

/// It runs until this is dropped.
struct Sandbox(Child);

impl Sandbox {
    /// Returns once it says the last of what it says.
    fn start(line: &str, temporary: &Path) -> Result<Sandbox, String> {
        let mut command = shell(line, temporary);
        let mut child =
            command.stdout(Stdio::piped()).process_group(0).spawn().map_err(|error| format!("{line}: {error}"))?;
        let said = child.stdout.take();
        let sandbox = Sandbox(child);
        let mut lines = BufReader::new(said.ok_or("no output")?).lines().map_while(Result::ok);
        match lines.find(|line| line.starts_with("token")) {
            Some(_) => {
                // What else it says is not to be in its way.
                std::thread::spawn(move || lines.for_each(drop));
                Ok(sandbox)
            }
            None => Err(format!("{PAGE} says `{line}`: it does not say where it listens")),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found() {
        let page =
            "text\n```sh\n.ci/install/swift   # once\n\ncargo a -- b\n```\n```swift\nlet a = 1\n```\n```sh\nc\n```\n";
        assert_eq!(commands(page), [".ci/install/swift", "cargo a -- b", "c"]);
    }
}
