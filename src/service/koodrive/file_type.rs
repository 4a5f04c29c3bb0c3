//! The service's own number for the kind of file (koodrive §3.1), from the name's extension.

/// Anything else.
const OTHER: u32 = 45;

/// Extensions in lower case.
#[rustfmt::skip]
const TYPES: &[(u32, &[&str])] = &[
    (15, &["jpg", "jpeg", "jpe", "jfif", "png", "gif", "bmp", "webp", "heic", "heif", "avif", "tif", "tiff", "svg", "ico", "psd", "dng", "raw",
        "cr2", "nef", "arw"]),
    (20, &["mp4", "m4v", "mov", "mkv", "avi", "wmv", "flv", "f4v", "webm", "mpg", "mpeg", "m2ts", "mts", "3gp", "3g2", "rm", "rmvb", "vob", "ogv"]),
    (26, &["doc", "docx", "docm", "dot", "dotx", "rtf", "odt", "wps"]),
    (27, &["xls", "xlsx", "xlsm", "xlsb", "xlt", "xltx", "csv", "ods", "et"]),
    (28, &["ppt", "pptx", "pptm", "pps", "ppsx", "pot", "potx", "odp", "dps"]),
    (30, &["mp3", "m4a", "aac", "wav", "flac", "ogg", "oga", "opus", "wma", "ape", "amr", "aif", "aiff", "mid", "midi"]),
    (35, &["zip", "rar", "7z", "tar", "gz", "tgz", "bz2", "tbz", "xz", "txz", "zst", "lz4", "lzma", "cab", "iso"]),
    (40, &["apk", "apks", "xapk", "aab", "ipa", "hap", "exe", "msi", "msix", "dmg", "pkg", "deb", "rpm", "appimage", "jar"]),
];

/// The type of a file of that name.
pub(super) fn of(name: &str) -> u32 {
    let extension = match name.rsplit_once('.') {
        // What begins with its only dot has no extension.
        Some((stem, extension)) if !stem.is_empty() => extension.to_ascii_lowercase(),
        _ => return OTHER,
    };
    TYPES.iter().find(|(_, extensions)| extensions.contains(&extension.as_str())).map_or(OTHER, |(number, _)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides() {
        let rows = [
            ("a.JPG", 15),
            ("a.b.mp4", 20),
            ("报告.docx", 26),
            ("a.xlsx", 27),
            ("a.ppt", 28),
            ("a.flac", 30),
            ("a.tar.gz", 35),
            ("a.hap", 40),
            ("a.pdf", 45),
            ("a.", 45),
            ("a", 45),
            (".zip", 45),
            ("a.zip ", 45),
        ];
        for (name, wanted) in rows {
            assert_eq!(of(name), wanted, "{name}");
        }
    }

    #[test]
    fn no_extension_stands_twice() {
        let mut all: Vec<_> = TYPES.iter().flat_map(|(_, extensions)| *extensions).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
