//! `cargo xtask swift`: Swift as it is on the path, or as .ci/install/swift put it into a folder of its own. `cargo xtask test swift`: compiles the Swift face
//! with every warning as an error, its tests and the snippets of its document, runs them against the command, and then follows the document as a reader would.

mod page;

use std::{
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Outcome, bindings, cargo, quiet, root, run};

const PACKAGE: &str = "bindings/swift";

/// The filter that stands for the commands of the document.
const PAGE: &str = "document";

/// Any command of Swift's. Those that compile are told of this package, unless they name one, and where the native library is.
pub(crate) fn any(args: &[&str]) -> Outcome {
    let swift = Swift::find()?;
    let mut command = swift.command(&[], None)?;
    command.arg("swift");
    match args {
        [verb @ ("build" | "run" | "test"), rest @ ..] => {
            let library = built()?;
            command.arg(verb);
            if !rest.iter().any(|arg| arg.starts_with("--package-path")) {
                // Not where the tests are built: their flags are others, and would have all of it compiled again.
                package(&mut command, &target()?.join("swift-run"))?;
            }
            linked(&mut command, &library).args(rest);
        }
        _ => drop(command.args(args)),
    }
    // In our place: what is said to this process, such as to end, is said to that.
    Err(format!("{command:?}: {}", command.exec()))
}

/// The names in `filters` are regular expressions; without any, all tests run, and the document's commands.
pub(crate) fn test(filters: &[&str]) -> Outcome {
    let names: Vec<&str> = filters.iter().copied().filter(|filter| *filter != PAGE).collect();
    let tested = if filters.is_empty() || !names.is_empty() { tests(&names) } else { Ok(()) };
    let followed = if filters.len() == names.len() && !filters.is_empty() { Ok(()) } else { page::follow() };
    // Both, also after a failure: what else is broken is worth knowing.
    match (tested, followed) {
        (Err(tested), Err(followed)) => Err(format!("{tested}\n\n{followed}")),
        (tested, followed) => tested.and(followed),
    }
}

fn tests(filters: &[&str]) -> Outcome {
    let swift = Swift::find()?;
    let library = built()?;
    run(cargo().args(["build", "--quiet", "--locked", "-p", "partway-cli"]))?;
    let scratch = target()?.join("swift");
    // One of their own, where nobody else's quick start keeps uploads.
    let temporary = scratch.join("tmp");
    std::fs::create_dir_all(&temporary).map_err(|error| format!("{}: {error}", temporary.display()))?;
    let mut variables = vec![
        ("PARTWAY_ROOT", real(&root())?),
        ("PARTWAY_COMMAND", target()?.join("debug").join("partway")),
        ("PARTWAY_SWIFT_PRODUCTS", scratch.join("debug")),
        ("TMPDIR", temporary),
    ];
    // In the place of the system's: the only certificates that URLSession trusts on Linux. The tests write them.
    let authorities = matches!(swift, Swift::In(_)).then(|| scratch.join("authorities.pem"));
    if let Some(authorities) = &authorities {
        std::fs::write(authorities, "").map_err(|error| format!("{}: {error}", authorities.display()))?;
        variables.push(("PARTWAY_AUTHORITIES", authorities.clone()));
    }
    let mut command = swift.command(&variables, authorities.as_deref())?;
    command.args(["swift", "test", "--disable-sandbox"]);
    package(&mut command, &scratch)?;
    linked(command.args(["-Xswiftc", "-warnings-as-errors", "-Xswiftc", "-strict-concurrency=complete"]), &library);
    command.args(filters.iter().flat_map(|filter| ["--filter", filter]));
    // How it is entered is nothing that anybody has to read.
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("swift test: {status}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}

/// The folder of the native library, which is built.
fn built() -> Result<PathBuf, String> {
    let library = bindings::library()?;
    real(library.parent().unwrap_or(&library))
}

fn target() -> Result<PathBuf, String> {
    real(&bindings::target())
}

fn package(command: &mut Command, scratch: &Path) -> Outcome {
    command.arg("--package-path").arg(real(&root())?.join(PACKAGE)).arg("--scratch-path").arg(scratch);
    Ok(())
}

fn linked<'a>(command: &'a mut Command, library: &Path) -> &'a mut Command {
    command
        .arg("-Xlinker")
        .arg(format!("-L{}", library.display()))
        .args(["-Xlinker", "-rpath", "-Xlinker"])
        .arg(library)
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
        if !folder.join("installed").exists() {
            return Err(
                "there is no `swift` on the path: install one, or, as root on Debian, run .ci/install/swift once"
                    .to_owned(),
            );
        }
        // Asked before: what unshare and mount say themselves is no help.
        quiet(Command::new("unshare").args(["--mount", "true"])).map_err(|_| {
            format!(
                "Swift is in {}, which only root may enter, where root may mount: use sudo, or put a `swift` on the path",
                folder.display()
            )
        })?;
        Ok(Swift::In(real(&folder)?))
    }

    /// A command that takes a program with its arguments; it has these variables, and is where we are. In a folder of its own it trusts `authorities` alone.
    fn command(&self, variables: &[(&str, PathBuf)], authorities: Option<&Path>) -> Result<Command, String> {
        let mut command = match self {
            Swift::Here => Command::new("env"),
            Swift::In(folder) => {
                let mut command = Command::new("unshare");
                // Everything but the system itself lies where it lies outside. The mounts end with the process.
                command.args(["--mount", "bash", "-euo", "pipefail", "-c"]).arg(
                    r#"
                    system=$1 repository=$2 target=$3 here=$4 authorities=$5
                    shift 5
                    mount -t proc proc "$system/proc"
                    mount --rbind /dev "$system/dev"
                    for folder in /*; do
                        case $folder in
                            /bin | /boot | /dev | /etc | /lib* | /proc | /run | /sbin | /sys | /usr | /var) continue ;;
                        esac
                        [ -d "$folder" ] && [ ! -L "$folder" ] || continue
                        mkdir -p "$system$folder"
                        mount --rbind "$folder" "$system$folder"
                    done
                    for folder in "$repository" "$target"; do
                        mkdir -p "$system$folder"
                        mount --bind "$folder" "$system$folder"
                    done
                    [ -z "$authorities" ] || mount --bind "$authorities" "$system/etc/ssl/certs/ca-certificates.crt"
                    mkdir -p "$target/swift/home"
                    exec chroot "$system" /usr/bin/env -i -C "$here" PATH=/usr/bin:/bin "HOME=$target/swift/home" "CFFIXED_USER_HOME=$target/swift/home" LANG=C.UTF-8 "$@"
                    "#,
                );
                let (repository, target) = (real(&root())?, target()?);
                let here = std::env::current_dir().map_err(|error| error.to_string())?;
                command.arg("swift-in").arg(folder).arg(repository).arg(target).arg(here);
                command.arg(authorities.unwrap_or(Path::new("")));
                if let Some(temporary) = std::env::var_os("TMPDIR") {
                    command.arg(format!("TMPDIR={}", temporary.display()));
                }
                command
            }
        };
        command.args(variables.iter().map(|(name, value)| format!("{name}={}", value.display())));
        Ok(command)
    }
}

fn real(path: &Path) -> Result<PathBuf, String> {
    path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))
}
