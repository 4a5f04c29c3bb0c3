//! The chores of this repository: `cargo xtask <task>`.
#![allow(clippy::print_stdout)] // A tool that people run.

mod bench;
mod bindings;
mod c;
mod cross;
mod dist;
mod errors;
mod generated;
mod header;
mod kotlin;
mod library;
mod mutants;
mod notice;
mod page;
mod sim;
mod swift;

use std::{
    path::PathBuf,
    process::{Command, ExitCode, Output},
};

/// What a task comes to: nothing, or one sentence on what went wrong.
type Outcome = Result<(), String>;

const USAGE: &str = "cargo xtask <task>
  ci                 everything that .ci/run does
  build kotlin       the native library into target/mobile and the Kotlin face into target/kotlin; first .ci/install/kotlin
  test [ARGS…]       the tests, as README.md says
  test c [NAME…]     the C header and library: programs under the sanitizers and valgrind; docs: what docs/c.md says to type
  test kotlin [NAME…]
                     the Kotlin face, its tests and the commands of its document (`document`); first .ci/install/kotlin
   test swift [NAME…] the Swift face, its tests and the commands of its document (`document`); first .ci/install/swift
  test arm64|ohos|android|ios|cross
                     what is shipped for a platform, or all four; first .ci/install/cross
  bench [--quick]    time, processor, memory and reads of an upload, beside curl
  bench --small-files   a thousand small files where each request takes its time
  sim [--seed S | --seeds N [--from S] | --seconds N | --mutants [NAME]]
                     the simulator: one seed again, many, as long as told, or deliberate faults that it must catch
  swift [ARGS…]      Swift's own commands, in which `build`, `run` and `test` are of bindings/swift and find the native library
  bindings [--check] writes the Kotlin and Swift code of the mobile face
  dist [--target TARGET]…
                     the libraries that are shipped, into dist/, and docs/size.json; first .ci/install/cross
  errors [--check]   writes docs/errors.md from the table of error codes
  header [--check]   writes include/partway.h from src/capi
  notice [--check]   writes NOTICE from what the library is linked with";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args.as_slice() {
        ["ci"] => run(Command::new(root().join(".ci/run")).current_dir(root())),
        ["test", "c", rest @ ..] => c::test(rest),
        ["bindings", rest @ ..] => bindings::write(rest),
        ["build", "kotlin"] => kotlin::build(),
        ["test", "kotlin", rest @ ..] => kotlin::test(rest),
        ["test", "swift", rest @ ..] => swift::test(rest),
        ["swift", rest @ ..] => swift::any(rest),
        ["test", "cross"] => ["arm64", "ohos", "android", "ios"].into_iter().try_for_each(cross::test),
        ["test", name @ ("arm64" | "ohos" | "android" | "ios")] => cross::test(name),
        ["test", rest @ ..] => run(cargo().args(["test", "--workspace"]).args(rest)),
        ["bench", rest @ ..] => bench::run(rest),
        ["sim", rest @ ..] => sim::run(rest),
        ["dist", rest @ ..] => dist::make(rest),
        ["errors", rest @ ..] => generated::keep("docs/errors.md", "errors", rest, || Ok(errors::page())),
        ["header", rest @ ..] => generated::keep("include/partway.h", "header", rest, header::text),
        ["notice", rest @ ..] => generated::keep("NOTICE", "notice", rest, notice::page),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Where the workspace is.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The cargo that runs us, at the root of the workspace.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    unnamed(&mut command);
    command
}

/// Without what cargo told us of our own package: a build script that looks at it (ring's does) would run again, and with it all that is built of it.
fn unnamed(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
}

fn run(command: &mut Command) -> Outcome {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}

/// Runs a tool; what it says is shown only when it fails.
fn quiet(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        Ok(output)
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("{command:?}: {}\n{said}", output.status))
    }
}
