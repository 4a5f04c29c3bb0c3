//! `cargo xtask test swift`: compiles the Swift face with every warning as an error, its tests and the snippets of its document, and runs them against the
//! command.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Outcome, bindings, cargo, root, run};

const PACKAGE: &str = "bindings/swift";

/// The names in `filters` are regular expressions; without any, all tests run.
pub(crate) fn test(filters: &[&str]) -> Outcome {
    let swift = Swift::find()?;
    bindings::library()?;
    run(cargo().args(["build", "--quiet", "--locked", "-p", "partway-cli"]))?;
    let (repository, target) = (real(&root())?, real(&bindings::target())?);
    let debug = target.join("debug");
    let built = target.join("swift");
    let mut command = swift.command(&repository, &target);
    command
        .arg(format!("PARTWAY_ROOT={}", repository.display()))
        .arg(format!("PARTWAY_COMMAND={}", debug.join("partway").display()))
        .arg(format!("PARTWAY_SWIFT_PRODUCTS={}", built.join("debug").display()))
        .args(["swift", "test", "--disable-sandbox", "--package-path"])
        .arg(repository.join(PACKAGE))
        .arg("--scratch-path")
        .arg(&built)
        .args(["-Xswiftc", "-warnings-as-errors", "-Xswiftc", "-strict-concurrency=complete"])
        .arg("-Xlinker")
        .arg(format!("-L{}", debug.display()))
        .args(["-Xlinker", "-rpath", "-Xlinker"])
        .arg(&debug)
        .args(filters.iter().flat_map(|filter| ["--filter", filter]));
    run(&mut command)
}

/// Where `swift` is.
enum Swift {
    /// On the path.
    Here,
    /// In a folder that is a system of its own; .ci/install/swift makes it.
    In(PathBuf),
}

impl Swift {
    fn find() -> Result<Swift, String> {
        if Command::new("swift").arg("--version").output().is_ok_and(|output| output.status.success()) {
            return Ok(Swift::Here);
        }
        let tools = std::env::var_os("PARTWAY_TOOLS")
            .map_or_else(|| bindings::target().join("tools"), |tools| root().join(tools));
        let folder = tools.join("swift");
        if folder.join("installed").exists() {
            return Ok(Swift::In(real(&folder)?));
        }
        Err("Swift is not installed: run .ci/install/swift once".to_owned())
    }

    /// A command that takes `NAME=value` pairs and then a program with its arguments.
    fn command(&self, repository: &Path, target: &Path) -> Command {
        match self {
            Swift::Here => Command::new("env"),
            Swift::In(folder) => {
                let mut command = Command::new("unshare");
                // Everything lies where it lies outside. The mounts end with the process.
                command.args(["--mount", "bash", "-euo", "pipefail", "-c"]).arg(
                    r#"
                    system=$1; shift
                    mount -t proc proc "$system/proc"
                    mount --rbind /dev "$system/dev"
                    for folder in "$1" "$2"; do
                        mkdir -p "$system$folder"
                        mount --bind "$folder" "$system$folder"
                    done
                    mkdir -p "$2/swift"
                    : > "$2/swift/authorities.pem"
                    mount --bind "$2/swift/authorities.pem" "$system/etc/ssl/certs/ca-certificates.crt"
                    shift 2
                    exec chroot "$system" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/root LANG=C.UTF-8 "$@"
                    "#,
                );
                command.arg("swift-in").arg(folder).arg(repository).arg(target);
                // In the place of the system's: the only certificates that URLSession trusts on Linux. The tests write them.
                command.arg(format!("PARTWAY_AUTHORITIES={}", target.join("swift/authorities.pem").display()));
                command
            }
        }
    }
}

fn real(path: &Path) -> Result<PathBuf, String> {
    path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))
}
