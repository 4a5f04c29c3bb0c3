//! Files that are written by a task and checked in.

use crate::{Outcome, root};

/// Writes the file, or with `--check` only says whether it is fresh.
pub(crate) fn keep(path: &str, task: &str, args: &[&str], text: impl FnOnce() -> Result<String, String>) -> Outcome {
    let text = text()?;
    match args {
        [] => std::fs::write(root().join(path), text).map_err(|error| format!("{path}: {error}")),
        ["--check"] if std::fs::read_to_string(root().join(path)).is_ok_and(|there| there == text) => Ok(()),
        ["--check"] => Err(format!("{path} is stale: run `cargo xtask {task}`")),
        _ => Err(format!("`cargo xtask {task}` knows only --check")),
    }
}
