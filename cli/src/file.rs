//! A file of this device, as it was named on the command line.

use std::{
    fs::{self, Metadata},
    io::{self, ErrorKind},
    path::{self, Path, PathBuf},
};

use partway::error::{Code, ErrorInfo};

/// A FILE that was named.
#[derive(Debug)]
pub(crate) struct LocalFile {
    /// Absolute: its parent directory without links, and its own name.
    pub(crate) path: PathBuf,
    /// What the platform says of it, or why it is no file to upload.
    pub(crate) metadata: Result<Metadata, ErrorInfo>,
}

impl LocalFile {
    /// Looks at it, without opening it.
    pub(crate) fn look(given: &Path) -> LocalFile {
        let metadata = match fs::metadata(given) {
            Ok(metadata) if metadata.is_file() => Ok(metadata),
            Ok(metadata) if metadata.is_dir() => Err(ErrorInfo::new(Code::SourceUnreadable, "it is a directory")),
            Ok(_) => Err(ErrorInfo::new(Code::SourceNotSeekable, "it is not a regular file")),
            Err(error) => Err(source_error(&error)),
        };
        LocalFile { path: absolute(given), metadata }
    }

    /// Its own name, if that is text.
    pub(crate) fn name(&self) -> Option<&str> {
        self.path.file_name()?.to_str()
    }

    /// For people.
    pub(crate) fn label(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }
}

/// What an error of the platform says of a source.
pub(crate) fn source_error(error: &io::Error) -> ErrorInfo {
    let code = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Code::SourceNotFound,
        ErrorKind::PermissionDenied => Code::SourceDenied,
        _ => Code::SourceUnreadable,
    };
    ErrorInfo::new(code, format!("the file: {}", error.kind()))
}

/// The name itself stays as it is, so that a link that is pointed elsewhere is still the same source.
fn absolute(given: &Path) -> PathBuf {
    let given = path::absolute(given).unwrap_or_else(|_| given.to_owned());
    match (given.parent(), given.file_name()) {
        (Some(parent), Some(name)) => match parent.canonicalize() {
            Ok(parent) => parent.join(name),
            Err(_) => given,
        },
        _ => given.canonicalize().unwrap_or(given),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let code = |path: &Path| LocalFile::look(path).metadata.expect_err("no file").code;
        assert_eq!(code(dir.path()), Code::SourceUnreadable);
        assert_eq!(code(&dir.path().join("none")), Code::SourceNotFound);
        assert_eq!(code(&dir.path().join("no/way")), Code::SourceNotFound);
    }

    #[cfg(unix)]
    #[test]
    fn two_ways_to_a_file_are_one_path() {
        let dir = tempfile::tempdir().expect("a directory");
        let real = dir.path().join("real");
        fs::create_dir(&real).expect("a directory");
        fs::write(real.join("f"), b"x").expect("a file");
        std::os::unix::fs::symlink(&real, dir.path().join("link")).expect("a link");
        let straight = LocalFile::look(&real.join("f"));
        let around = LocalFile::look(&dir.path().join("link/../link/./f"));
        assert_eq!(straight.path, around.path);
        assert_eq!((straight.name(), straight.metadata.is_ok()), (Some("f"), true));
    }
}
