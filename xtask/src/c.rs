//! `cargo xtask test c`: the header, the exported symbols, and the programs in C and C++ under the sanitizers and under valgrind.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use partway_sandbox::{Config, Sandbox, StoredObject};

use crate::{Outcome, cargo, library, page, quiet, root, run};

pub(crate) const EXPORTS: &str = "include/exports.txt";
/// Of a single run under a tool; the slowest takes a few seconds on an idle machine.
const RUN_TIME_MAX: Duration = Duration::from_secs(300);
const WARNINGS: &[&str] = &["-Wall", "-Wextra", "-pedantic", "-Werror"];
const CHECKED: &[&str] =
    &["-g", "-O1", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
const VALGRIND: &[&str] = &[
    "--quiet",
    "--leak-check=full",
    "--show-leak-kinds=definite,indirect",
    "--errors-for-leak-kinds=definite,indirect",
    "--error-exitcode=99",
    // A child that a test kills has freed nothing.
    "--child-silent-after-fork=yes",
];

/// Bounds of time are those of a program that runs by itself. Under valgrind only one thread runs at a time, each some 20 to 50 times slower.
const VALGRIND_TIMES_SLOWER: &str = "30";

/// One program and its argument beside the emulator's addresses.
struct Program {
    source: PathBuf,
    /// Runs of it, by their last argument.
    runs: Vec<String>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// `ENDPOINT TOKEN FILE`: what a reader of the documents sees.
    Example,
    /// `API CONTROL NAME`.
    Test,
}

pub(crate) fn test(args: &[&str]) -> Outcome {
    if !args.is_empty() && args[0].starts_with('-') {
        return Err("cargo xtask test c [NAME…]: runs whose name holds one of these, and docs; all without".to_owned());
    }
    let began = Instant::now();
    for tool in ["gcc", "g++", "nm", "valgrind"] {
        present(tool)?;
    }
    headers()?;
    snippets()?;
    let folder = library::shared()?;
    exports(&folder.join("libpartway.so"))?;
    if args.is_empty() {
        run(cargo().args(["test", "--quiet", "--package", "partway", "--lib", "--features", "capi", "--", "capi::"]))?;
    }
    let out = library::target().join("c");
    std::fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    let (mut runs, mut failed) = (0, vec![]);
    for program in programs()? {
        let wanted: Vec<&String> =
            program.runs.iter().filter(|run| args.is_empty() || args.iter().any(|part| run.contains(part))).collect();
        if wanted.is_empty() {
            continue;
        }
        let checked = build(&program, &folder, &out.join("checked"), CHECKED)?;
        let plain = build(&program, &folder, &out.join("plain"), &["-g", "-O1"])?;
        for name in wanted {
            runs += 2;
            failed.extend(one(&program, name, &out, "address and undefined behaviour", Command::new(&checked)).err());
            let mut valgrind = Command::new("valgrind");
            valgrind.args(VALGRIND).arg(&plain).env("TIMES_SLOWER", VALGRIND_TIMES_SLOWER);
            failed.extend(one(&program, name, &out, "valgrind", valgrind).err());
        }
    }
    if args.is_empty() || args.contains(&"docs") {
        runs += 1;
        failed.extend(page::follow("docs/c.md", "target/first").err());
    }
    println!("{runs} runs, {} failed, {} s", failed.len(), began.elapsed().as_secs());
    if runs == 0 {
        return Err("there is no such run".to_owned());
    }
    // All of it was run: what else is broken is worth knowing.
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n\n")) }
}

fn present(tool: &str) -> Outcome {
    match Command::new(tool).arg("--version").output() {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err(format!("there is no {tool}: run `bash .ci/install/c`")),
    }
}

/// The headers stand alone, may be included twice, and are clean in the languages that they are for, with every compiler that is there.
fn headers() -> Outcome {
    let cases = [
        ("partway.h", "c", "c99", ["gcc", "clang"]),
        ("partway.h", "c++", "c++17", ["g++", "clang++"]),
        ("partway.hpp", "c++", "c++17", ["g++", "clang++"]),
    ];
    for (header, language, standard, compilers) in cases {
        let text = format!("#include <{header}>\n#include <{header}>\nint main() {{ return 0; }}\n")
            .replace("main()", if language == "c" { "main(void)" } else { "main()" });
        let source = library::target().join(format!("twice-{header}.{}", if language == "c" { "c" } else { "cc" }));
        std::fs::write(&source, text).map_err(|error| error.to_string())?;
        for compiler in compilers.into_iter().filter(|compiler| present(compiler).is_ok()) {
            let mut command = Command::new(compiler);
            command.arg(format!("-std={standard}")).args(WARNINGS).args(["-fsyntax-only", "-I"]);
            quiet(command.arg(root().join("include")).arg(&source))?;
            println!("{header}: {compiler} -std={standard}, ok");
        }
    }
    Ok(())
}

/// Each piece of code of docs/c.md compiles, with the names that the page says it has.
fn snippets() -> Outcome {
    let page = std::fs::read_to_string(root().join("docs/c.md")).map_err(|error| format!("docs/c.md: {error}"))?;
    for (language, head) in [("c", SNIPPET_C), ("cpp", SNIPPET_CPP)] {
        let pieces = pieces(&page, language);
        if pieces.is_empty() {
            return Err(format!("docs/c.md has no piece of {language}"));
        }
        let functions: String = pieces.iter().enumerate().map(|(at, piece)| function(at, piece, language)).collect();
        let (end, compiler, standard) = if language == "c" { ("c", "gcc", "c99") } else { ("cc", "g++", "c++17") };
        let source = library::target().join(format!("snippets.{end}"));
        std::fs::write(&source, format!("{head}{functions}")).map_err(|error| error.to_string())?;
        let mut command = Command::new(compiler);
        command.arg(format!("-std={standard}")).args(WARNINGS).args(["-fsyntax-only", "-I"]);
        quiet(command.arg(root().join("include")).arg(&source))?;
        println!("docs/c.md: {} pieces of {language} compile", pieces.len());
    }
    Ok(())
}

const SNIPPET_C: &str = "#include <partway.h>\n#include <stdio.h>\n#define TEXT(text) (text), PARTWAY_NUL_TERMINATED\n";
const SNIPPET_CPP: &str = "#include <partway.hpp>\n#include <iostream>\n";

fn function(at: usize, piece: &str, language: &str) -> String {
    if language == "c" {
        format!(
            "void piece_{at}(partway_client_t *client, partway_upload_t *upload, partway_request_t *request);\n\
             void piece_{at}(partway_client_t *client, partway_upload_t *upload, partway_request_t *request) {{\n\
             (void)client, (void)upload, (void)request;\n{piece}}}\n"
        )
    } else {
        format!("void piece_{at}();\nvoid piece_{at}() {{\n{piece}}}\n")
    }
}

/// The code between fences of one language.
fn pieces(page: &str, language: &str) -> Vec<String> {
    let (mut pieces, mut inside): (Vec<String>, bool) = (vec![], false);
    for line in page.lines() {
        match line.trim_start().strip_prefix("```") {
            Some(word) if !inside && word == language => {
                inside = true;
                pieces.push(String::new());
            }
            Some(_) => inside = false,
            None if inside => {
                if let Some(piece) = pieces.last_mut() {
                    piece.push_str(line);
                    piece.push('\n');
                }
            }
            None => {}
        }
    }
    pieces
}

/// The library exports what was reviewed, and nothing else.
fn exports(library: &Path) -> Outcome {
    let output = quiet(Command::new("nm").args(["-D", "--defined-only", "--format=posix"]).arg(library))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let there: BTreeSet<String> = text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    let reviewed = reviewed()?;
    let of_header = declared(&std::fs::read_to_string(root().join("include/partway.h")).unwrap_or_default());
    let told = |what: &str, names: Vec<&String>| (!names.is_empty()).then(|| format!("{what}: {names:?}"));
    let wrong: Vec<String> = [
        told("exported, but not in the list", there.difference(&reviewed).collect()),
        told("in the list, but not exported", reviewed.difference(&there).collect()),
        told("in the list, but not in the header", reviewed.iter().filter(|name| !of_header.contains(*name)).collect()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !wrong.is_empty() {
        return Err(format!("{EXPORTS}: {}", wrong.join("; ")));
    }
    println!("{} symbols are exported, as in {EXPORTS}", there.len());
    Ok(())
}

/// What the library exports, as it was reviewed.
pub(crate) fn reviewed() -> Result<BTreeSet<String>, String> {
    let list = std::fs::read_to_string(root().join(EXPORTS)).map_err(|error| format!("{EXPORTS}: {error}"))?;
    Ok(list.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(str::to_owned).collect())
}

/// The functions of a header.
fn declared(header: &str) -> BTreeSet<String> {
    let words = header.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '(')).filter_map(|word| {
        let (name, _) = word.split_once('(')?;
        name.starts_with("partway_").then(|| name.to_owned())
    });
    words.collect()
}

fn programs() -> Result<Vec<Program>, String> {
    let mut programs = vec![];
    for (folder, kind) in [("bindings/c/examples", Kind::Example), ("bindings/c/tests", Kind::Test)] {
        let entries = std::fs::read_dir(root().join(folder)).map_err(|error| format!("{folder}: {error}"))?;
        let mut sources: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        sources.retain(|path| path.extension().is_some_and(|end| end == "c" || end == "cc"));
        sources.sort();
        for source in sources {
            let name = source.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let runs = if name == "scenarios" { scenarios()? } else { vec![name] };
            programs.push(Program { source, runs, kind });
        }
    }
    Ok(programs)
}

/// The names that every language's tests go through.
fn scenarios() -> Result<Vec<String>, String> {
    let list = std::fs::read_to_string(root().join("tests/scenarios.txt")).map_err(|error| error.to_string())?;
    Ok(list.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(str::to_owned).collect())
}

fn build(program: &Program, library: &Path, out: &Path, flags: &[&str]) -> Result<PathBuf, String> {
    std::fs::create_dir_all(out).map_err(|error| error.to_string())?;
    let name = program.source.file_stem().unwrap_or_default();
    let binary = out.join(name);
    let in_c = program.source.extension().is_some_and(|end| end == "c");
    let mut command = Command::new(if in_c { "gcc" } else { "g++" });
    command.arg(if in_c { "-std=c99" } else { "-std=c++17" }).args(WARNINGS).args(flags);
    command.args(["-D_POSIX_C_SOURCE=200809L", "-pthread", "-I"]).arg(root().join("include"));
    command.arg(&program.source).arg("-L").arg(library).arg("-lpartway");
    command.arg(format!("-Wl,-rpath,{}", library.display())).arg("-o").arg(&binary);
    if name.to_string_lossy().contains("curl") {
        command.arg("-lcurl");
    }
    quiet(&mut command)?;
    Ok(binary)
}

/// Runs a program in an empty directory against an emulator of its own.
fn one(program: &Program, name: &str, out: &Path, under: &str, mut command: Command) -> Outcome {
    let began = Instant::now();
    let cloud = Sandbox::start(Config::default()).map_err(|error| format!("the sandbox: {error}"))?;
    let folder = out.join("run");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    match program.kind {
        Kind::Example => {
            std::fs::write(folder.join("photo"), content()).map_err(|error| error.to_string())?;
            command.args([cloud.api_url().as_str(), "sandbox-token", "photo"]);
        }
        Kind::Test => {
            command.args([cloud.api_url().as_str(), cloud.control_url().as_str(), name]);
        }
    }
    let log = std::fs::File::create(folder.join("log")).map_err(|error| error.to_string())?;
    let errors = log.try_clone().map_err(|error| error.to_string())?;
    let mut child = command
        .current_dir(&folder)
        .stdin(std::process::Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            break status;
        }
        if began.elapsed() > RUN_TIME_MAX {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("{name}, {under}: not over after {} s\n{}", RUN_TIME_MAX.as_secs(), said(&folder)));
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    if !status.success() {
        return Err(format!("{name}, {under}: {status}\n{}", said(&folder)));
    }
    if program.kind == Kind::Example {
        let objects = cloud.objects();
        let same =
            |object: &StoredObject| object.file.as_ref().and_then(|file| std::fs::read(file).ok()) == Some(content());
        if objects.len() != 1 || !objects.iter().all(same) {
            return Err(format!("{name}, {under}: the file is not what is in the cloud\n{}", said(&folder)));
        }
    }
    println!("{name}: {under}, ok, {} ms", began.elapsed().as_millis());
    Ok(())
}

fn said(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_default()
}

/// What the examples upload.
fn content() -> Vec<u8> {
    (0..6_000_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_a_header_are_found() {
        let header = "/* partway_no */ partway_status_t partway_a_b(const partway_c_t *c,\n  void (*hook)(int)); partway_x_t *partway_d(void);";
        let names: Vec<String> = declared(header).into_iter().collect();
        assert_eq!(names, ["partway_a_b", "partway_d"]);
    }

    #[test]
    fn the_readme_prints_the_example() {
        let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
        let example = std::fs::read_to_string(root().join("bindings/c/examples/upload.c")).expect("upload.c");
        assert!(example.lines().count() <= 60, "it is the short one");
        assert!(pieces(&readme, "c").contains(&example), "README.md prints something else than upload.c");
    }

    #[test]
    fn the_list_of_exports_is_the_header() {
        let header = std::fs::read_to_string(root().join("include/partway.h")).expect("the header");
        assert_eq!(declared(&header), reviewed().expect("the list"));
    }
}
