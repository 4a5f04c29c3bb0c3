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

/// What the header says of its functions, held to saying it.
#[cfg(test)]
mod said {
    /// A function and the comment above it, each in one line.
    pub(super) struct Function {
        comment: String,
        result: String,
        pub(super) name: String,
        parameters: String,
    }

    /// The functions of a header that have a comment.
    pub(super) fn functions(header: &str) -> Vec<Function> {
        let in_one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let function = |rest: &str| {
            let (comment, rest) = rest.split_once("*/")?;
            let (head, parameters) = rest.split_once(';')?.0.split_once('(')?;
            let (result, name) = head.split_at(head.rfind([' ', '\n', '*'])? + 1);
            name.starts_with("partway_").then(|| Function {
                comment: in_one_line(&comment.replace("\n *", "\n")),
                result: in_one_line(result),
                name: name.to_owned(),
                parameters: in_one_line(parameters),
            })
        };
        header.split("/**").skip(1).filter_map(function).collect()
    }

    /// The `partway_x` of a `struct partway_x_t` that is given away here.
    fn given(text: &str, stars: &str) -> Option<String> {
        let (_, rest) = text.split_once("struct partway_").filter(|(before, _)| !before.contains("const"))?;
        let (name, rest) = rest.split_once("_t ")?;
        rest.starts_with(stars).then(|| format!("partway_{name}"))
    }

    impl Function {
        fn says(&self, what: &str) -> bool {
            self.comment.contains(what)
        }

        /// What its comment owes to the reader.
        pub(super) fn owes(&self) -> Vec<String> {
            let mut owes = vec![];
            let mut must = |so: bool, owed: &str| {
                if !so {
                    owes.push(format!("{} is to say {owed}", self.name));
                }
            };
            let (never, blocks) = (self.says("Never blocks"), self.says("Blocks ") || self.says("Blocks: "));
            let main = self.says("Threads: any but the main one");
            let alone = self.says("Threads: nothing else may use the ") && self.says(" meanwhile.");
            must(never != blocks, "either `Never blocks` or `Blocks …`");
            must(main || alone || self.says("Threads: any"), "on which threads it may be called");
            must(main == blocks, "`Threads: any but the main one` where it blocks, and only there");
            let outs = self.parameters.split(',').filter(|one| !one.contains("**out_error)"));
            for given in outs.filter_map(|one| given(one, "**")).chain(given(&self.result, "*")) {
                must(self.says(&format!("{given}_free")), &format!("that {given}_free frees what it gives"));
            }
            let lent = self.result.starts_with("const ") || self.result.starts_with("partway_text_t");
            must(!lent || self.says("static") || self.says("valid until"), "how long its result is valid");
            must(self.result != "partway_status_t" || self.says("Errors: "), "`Errors: …`");
            let waits = self.parameters.contains("timeout_ms");
            must(!waits || self.says("Returns PARTWAY_TIMED_OUT"), "when it returns PARTWAY_TIMED_OUT");
            owes
        }
    }
}

#[cfg(test)]
mod tests {
    use super::said::functions;

    fn header() -> String {
        std::fs::read_to_string(crate::root().join("include/partway.h")).expect("include/partway.h")
    }

    #[test]
    fn every_function_says_whether_it_blocks_where_it_may_be_called_and_who_frees() {
        let header = header();
        let functions = functions(&header);
        let names = functions.iter().map(|one| one.name.clone()).collect();
        assert_eq!(crate::c::reviewed().expect("the list"), names, "each has a comment");
        let owed: Vec<String> = functions.iter().flat_map(|one| one.owes()).collect();
        assert!(owed.is_empty(), "{}", owed.join("\n"));
    }

    #[test]
    fn what_is_owed_is_noticed() {
        let owed = |comment: &str, declaration: &str| {
            let header = format!("/** {comment} */\n{declaration};\n");
            functions(&header).iter().flat_map(|one| one.owes()).collect::<Vec<_>>().join(", ")
        };
        let new = "struct partway_a_t *partway_a_new(void)";
        assert_eq!(owed("Free it with partway_a_free. Threads: any. Never blocks.", new), "");
        assert!(owed("Threads: any. Never blocks.", new).ends_with("that partway_a_free frees what it gives"));
        assert!(owed("Free it with partway_a_free. Threads: any.", new).ends_with("`Never blocks` or `Blocks …`"));
        assert!(owed("Free it with partway_a_free. Never blocks.", new).ends_with("on which threads it may be called"));
        assert!(
            owed("Free it with partway_a_free. Threads: any. Blocks for an hour.", new).ends_with("and only there")
        );
        let out = "partway_status_t partway_a_b(const struct partway_a_t *a,\n struct partway_c_t **out_c,\n struct partway_error_t **out_error)";
        assert_eq!(owed("Free it with partway_c_free. Threads: any. Never blocks. Errors: closed.", out), "");
        assert!(
            owed("Threads: any. Never blocks. Errors: closed.", out)
                .ends_with("that partway_c_free frees what it gives")
        );
        assert!(owed("Free it with partway_c_free. Threads: any. Never blocks.", out).ends_with("`Errors: …`"));
        let lent = "const char *partway_a_name(uint32_t a)";
        assert!(owed("Threads: any. Never blocks.", lent).ends_with("how long its result is valid"));
        let wait = "partway_status_t partway_a_wait(uint64_t timeout_ms)";
        let says = "Blocks for an hour. Threads: any but the main one. Errors: closed.";
        assert!(owed(says, wait).ends_with("when it returns PARTWAY_TIMED_OUT"));
    }

    /// A struct whose padding is not looked at could not grow.
    #[test]
    fn every_struct_is_held_to_having_no_padding() {
        let files = std::fs::read_dir(crate::root().join("src/capi")).expect("src/capi");
        let source: String =
            files.map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("text")).collect();
        let header = header();
        let structs: Vec<&str> =
            header.lines().filter_map(|line| line.strip_prefix("typedef struct ")?.strip_suffix(" {")).collect();
        assert!(structs.len() > 15, "{structs:?}");
        for name in structs {
            let text = source.split_whitespace().collect::<String>();
            assert!(text.contains(&format!("no_padding!({name}{{")), "{name}: no `no_padding!`");
        }
    }

    #[test]
    fn the_header_is_fresh() {
        assert!(header() == super::text().expect("a header"), "include/partway.h is stale: run `cargo xtask header`");
    }
}
