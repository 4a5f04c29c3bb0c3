//! Where journals live unless `--state-dir` says otherwise.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use partway::error::ErrorInfo;

use crate::exit::usage;

/// The directory given, or the platform's.
pub(crate) fn state_dir(given: Option<&Path>) -> Result<PathBuf, ErrorInfo> {
    let dir = match given {
        Some(dir) => Some(dir.to_owned()),
        None => platform(cfg!(target_os = "macos"), |name| env::var_os(name).filter(|value| !value.is_empty())),
    };
    dir.ok_or_else(|| usage("there is no home directory to keep state in; give --state-dir"))
}

fn platform(macos: bool, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let home = || variable("HOME").map(PathBuf::from);
    if macos {
        return Some(home()?.join("Library/Application Support/partway"));
    }
    // A relative $XDG_STATE_HOME is invalid by its specification and ignored.
    let xdg = variable("XDG_STATE_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
    let base = xdg.or_else(|| Some(home()?.join(".local/state")))?;
    Some(base.join("partway"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
        move |name| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.into())
    }

    #[test]
    fn by_platform() {
        let is = |dir: Option<PathBuf>, path: &str| assert_eq!(dir, Some(PathBuf::from(path)));
        is(platform(false, with(&[("HOME", "/h"), ("XDG_STATE_HOME", "/x")])), "/x/partway");
        is(platform(false, with(&[("HOME", "/h"), ("XDG_STATE_HOME", "x")])), "/h/.local/state/partway");
        is(platform(false, with(&[("HOME", "/h")])), "/h/.local/state/partway");
        is(platform(true, with(&[("HOME", "/h")])), "/h/Library/Application Support/partway");
        assert_eq!(platform(false, with(&[])), None);
    }
}
