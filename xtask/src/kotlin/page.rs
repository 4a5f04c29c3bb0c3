//! docs/kotlin.md as its reader follows it: each block of commands, in order, against the sandbox that it starts.

use std::process::{Command, Stdio};

use super::DOCUMENT;
use crate::{
    Outcome, bindings,
    page::{PORT, Sandbox, free_port},
    quiet, root, unnamed,
};

/// What the reader lets run in a terminal of its own.
const SANDBOX: &str = "cargo run -p partway-cli -- sandbox --port 4000\n";
/// Where the reader puts the first snippet; what a reader before left there is not this one's.
const FOLDER: &str = "target/first";

pub(super) fn follow() -> Outcome {
    let text = std::fs::read_to_string(root().join(DOCUMENT)).map_err(|error| format!("{DOCUMENT}: {error}"))?;
    let (blocks, expected) = (blocks(&text, "sh"), blocks(&text, "text"));
    for needed in [SANDBOX, &format!("cd {FOLDER}\n")] {
        if !blocks.iter().any(|block| block.contains(needed)) {
            return Err(format!("{DOCUMENT} does not say `{}`", needed.trim()));
        }
    }
    let port = free_port()?;
    let folder = root().join(on_this_machine(FOLDER));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let first = self::blocks(&text, "kotlin").into_iter().next().unwrap_or_default();
    std::fs::write(folder.join("Upload.kt"), first).map_err(|error| error.to_string())?;

    let (mut sandbox, mut said) = (None, String::new());
    for block in &blocks {
        let lines = on_this_machine(block).replace(PORT, &port);
        lines.lines().for_each(|line| println!("{DOCUMENT}$ {line}"));
        if block == SANDBOX {
            sandbox = Some(Sandbox::start(&mut shell(&lines))?);
        } else {
            let output = quiet(&mut shell(&lines)).map_err(|why| format!("{DOCUMENT} says:\n{block}\n{why}"))?;
            said += &String::from_utf8_lossy(&output.stdout);
        }
    }
    drop(sandbox);
    print!("{said}");
    match expected.iter().find(|expected| !said.contains(expected.as_str())) {
        None => Ok(()),
        Some(missing) => Err(format!("{DOCUMENT} promises this, which was not said:\n{missing}")),
    }
}

/// What stands between fences of a language, a block each.
pub(super) fn blocks(page: &str, language: &str) -> Vec<String> {
    let (mut found, mut inside): (Vec<String>, Option<bool>) = (vec![], None);
    for line in page.lines() {
        match (line.strip_prefix("```"), inside) {
            (Some(word), None) => {
                inside = Some(word == language);
                if word == language {
                    found.push(String::new());
                }
            }
            (Some(_), Some(_)) => inside = None,
            (None, Some(true)) => found.iter_mut().last().into_iter().for_each(|block| *block += &format!("{line}\n")),
            (None, _) => {}
        }
    }
    found
}

/// The page's reader builds where cargo builds unless it is told otherwise.
fn on_this_machine(text: &str) -> String {
    match std::env::var_os("CARGO_TARGET_DIR") {
        None => text.to_owned(),
        Some(_) => text.replace("target/", &format!("{}/", bindings::target().display())),
    }
}

fn shell(lines: &str) -> Command {
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", lines]).current_dir(root()).stdin(Stdio::null());
    unnamed(&mut command);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_by_their_language() {
        let page =
            "text\n```sh\none # once\n\ntwo\n```\n```kotlin\nval a = 1\n```\n```text\nsh\n```\n```sh\nthree\n```\n";
        assert_eq!(blocks(page, "sh"), ["one # once\n\ntwo\n", "three\n"]);
        assert_eq!(blocks(page, "kotlin"), ["val a = 1\n"]);
        assert_eq!(blocks(page, "toml"), [""; 0]);
    }
}
