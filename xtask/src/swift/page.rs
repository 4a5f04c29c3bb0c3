//! docs/swift.md as its reader follows it: each command, in order, against the sandbox that it starts.

use std::{path::Path, process::Command};

use crate::{
    Outcome, bindings,
    page::{PORT, Sandbox, free_port},
    root, run, unnamed,
};

const PAGE: &str = "docs/swift.md";

/// What the reader lets run in a terminal of its own.
const SANDBOX: &str = "cargo run -p partway-cli -- sandbox --port 4000";
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
    let port = free_port()?;
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
            sandbox = Some(Sandbox::start(&mut shell(&line, &temporary))?);
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
