//! include/partway.h: the C face, from `src/capi` and the table of errors.

use std::fmt::Write;

use partway::error::{Category, Code, Disposition, Remedy};

use crate::root;

/// In the order in which they stand in the header. A file of `src/capi` that has nothing for C is in `SILENT`.
const FILES: &[&str] = &[
    "status",
    "string",
    "text",
    "library",
    "error",
    "word",
    "snapshot",
    "list",
    "idle",
    "explanation",
    "remote",
    "reader",
    "source",
    "digest",
    "target",
    "request",
    "change",
    "select",
    "ask",
    "sign",
    "call",
    "transport",
    "host",
    "limits",
    "network",
    "config",
    "client",
    "upload",
];
const SILENT: &[&str] = &["mod", "callback", "kept", "pointer", "sized"];

pub(crate) fn text() -> Result<String, String> {
    let folder = root().join("src/capi");
    all_are_named(&folder)?;
    let mut config = cbindgen::Config::from_file(root().join("cbindgen.toml"))?;
    config.after_includes = Some(errors());
    let mut builder = cbindgen::Builder::new().with_config(config);
    for file in FILES {
        builder = builder.with_src(folder.join(format!("{file}.rs")));
    }
    let mut text = vec![];
    builder.generate().map_err(|error| error.to_string())?.write(&mut text);
    let text = String::from_utf8(text).map_err(|error| error.to_string())?;
    Ok(tidied(&text))
}

/// A comment of one line on one line, and no blank line between it and its like.
fn tidied(text: &str) -> String {
    let lines: Vec<&str> = text.trim_start().lines().map(str::trim_end).collect();
    let mut tidy = String::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        match lines.get(at + 1..at + 3) {
            Some([only, end]) if line.trim() == "/**" && end.trim() == "*/" => {
                let indent = &line[..line.len() - line.trim_start().len()];
                let _ = writeln!(tidy, "{indent}/** {} */", only.trim().trim_start_matches("* "));
                at += 3;
            }
            _ => {
                let within = line.is_empty()
                    && at > 0
                    && lines[at - 1].starts_with("#define")
                    && lines.get(at + 4).is_some_and(|next| next.starts_with("#define"));
                if !within {
                    let _ = writeln!(tidy, "{line}");
                }
                at += 1;
            }
        }
    }
    tidy
}

/// A file that is forgotten here would be forgotten in the header.
fn all_are_named(folder: &std::path::Path) -> Result<(), String> {
    for entry in std::fs::read_dir(folder).map_err(|error| format!("src/capi: {error}"))? {
        let name = entry.map_err(|error| error.to_string())?.file_name();
        let name = name.to_string_lossy();
        let stem = name.trim_end_matches(".rs");
        if !FILES.contains(&stem) && !SILENT.contains(&stem) {
            return Err(format!("src/capi/{name}: not in the list of xtask/src/header.rs"));
        }
    }
    Ok(())
}

/// The lists that have a table of their own elsewhere.
fn errors() -> String {
    let mut text =
        "\n/* As a length: the text ends at its NUL. */\n#define PARTWAY_NUL_TERMINATED SIZE_MAX\n\n".to_owned();
    for code in Code::ALL {
        let name = code.name().to_uppercase();
        let _ = writeln!(text, "/** {} */\n#define PARTWAY_ERROR_{name} {}", code.meaning(), code.number());
    }
    list(
        &mut text,
        "CATEGORY",
        "Which part of the world an error comes from",
        Category::ALL.iter().map(|it| it.name()),
    );
    list(
        &mut text,
        "DISPOSITION",
        "What a program should do about an error",
        Disposition::ALL.iter().map(|it| it.name()),
    );
    list(&mut text, "REMEDY", "What a person should do about an error", Remedy::ALL.iter().map(|it| it.name()));
    text
}

fn list(text: &mut String, prefix: &str, what: &str, names: impl Iterator<Item = &'static str>) {
    let _ = write!(text, "\n/* {what}: the words stand in docs/errors.md. */\n");
    for (number, name) in names.enumerate() {
        let _ = writeln!(text, "#define PARTWAY_{prefix}_{} {number}", name.to_uppercase());
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_header_is_fresh() {
        let there = std::fs::read_to_string(crate::root().join("include/partway.h")).expect("include/partway.h");
        assert!(there == super::text().expect("a header"), "include/partway.h is stale: run `cargo xtask header`");
    }
}
