//! Remote paths and the names in them (smh §1.1).

use super::refusal::Refusal;

const NAME_CHARS_MAX: usize = 255;

/// The names of a decoded remote path. Leading slashes don't count.
pub(crate) fn parse(path: &str, what: What) -> Result<Vec<String>, Refusal> {
    let path = path.trim_start_matches('/');
    if path.is_empty() {
        return Err(Refusal::new(400, "EmptyPath", "the path is empty"));
    }
    let names: Vec<&str> = path.split('/').collect();
    for (n, name) in names.iter().enumerate() {
        let directory = what == What::Directory || n + 1 < names.len();
        check(name, directory)?;
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}

/// What the last name of a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    File,
    Directory,
}

fn check(name: &str, directory: bool) -> Result<(), Refusal> {
    let illegal = |why: &str| Err(Refusal::new(400, "IllegalFileName", why));
    if name.is_empty() {
        let code = if directory { "ParamInvalid" } else { "EmptyFileName" };
        return Err(Refusal::new(400, code, "a name in the path is empty"));
    }
    if name.chars().count() > NAME_CHARS_MAX {
        let code = if directory { "DirectoryNameLengthExceed" } else { "FileNameLengthExceed" };
        return Err(Refusal::new(400, code, "a name has more than 255 characters"));
    }
    if matches!(name, "." | "..") {
        return illegal("`.` and `..` are no names");
    }
    if name.chars().any(|c| matches!(c, '?' | '"' | '<' | '>' | ':' | '*' | '|' | '\\') || c.is_control()) {
        return illegal("a name holds one of ? \" < > : * | \\ or a control character");
    }
    Ok(())
}

/// `name (n).ext`
pub(crate) fn numbered(name: &str, n: u32) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => format!("{stem} ({n}).{extension}"),
        _ => format!("{name} ({n})"),
    }
}

/// The extension that the storage's path ends in, with its dot; possibly not ASCII (smh §2).
pub(crate) fn extension(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, e))
            if !stem.is_empty() && (1..=16).contains(&e.chars().count()) && e.chars().all(char::is_alphanumeric) =>
        {
            format!(".{e}")
        }
        _ => String::new(),
    }
}

/// Media type and `type` of a name.
pub(crate) fn media(name: &str) -> (&'static str, &'static str) {
    let lower = name.to_lowercase();
    match lower.rsplit_once('.').map_or("", |(_, e)| e) {
        "mp4" => ("video/mp4", "video"),
        "mov" => ("video/quicktime", "video"),
        "mkv" => ("video/x-matroska", "video"),
        "jpg" | "jpeg" => ("image/jpeg", "image"),
        "png" => ("image/png", "image"),
        "heic" => ("image/heic", "image"),
        "gif" => ("image/gif", "image"),
        "mp3" => ("audio/mpeg", "audio"),
        "pdf" => ("application/pdf", "file"),
        "txt" => ("text/plain", "file"),
        "zip" => ("application/zip", "file"),
        "xlsx" => ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "file"),
        _ => ("application/octet-stream", "file"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_one_by_one() {
        assert_eq!(parse("/a/b c'%+&.txt", What::File), Ok(vec!["a".to_owned(), "b c'%+&.txt".to_owned()]));
        let code = |path: &str| parse(path, What::File).err().map(|r| r.code);
        for (path, refused) in [
            ("", "EmptyPath"),
            ("//", "EmptyPath"),
            ("a/", "EmptyFileName"),
            ("a//b", "ParamInvalid"),
            ("a/../b", "IllegalFileName"),
            ("a:b", "IllegalFileName"),
            ("a\\b", "IllegalFileName"),
            ("a\nb", "IllegalFileName"),
        ] {
            assert_eq!(code(path).as_deref(), Some(refused), "{path:?}");
        }
        assert_eq!(code(&"字".repeat(255)), None);
        assert_eq!(code(&"字".repeat(256)).as_deref(), Some("FileNameLengthExceed"));
    }

    #[test]
    fn numbers_go_before_the_extension() {
        assert_eq!(numbered("a.tar.gz", 2), "a.tar (2).gz");
        assert_eq!(numbered(".profile", 1), ".profile (1)");
        assert_eq!(extension("x.数据"), ".数据");
        assert_eq!(extension("x.a b"), "");
    }
}
