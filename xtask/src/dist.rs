//! `cargo xtask dist`: the libraries that are shipped, checked and weighed.

mod check;
mod elf;
mod kit;
mod size;
mod symbols;
mod target;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

pub(crate) use kit::Kit;
use size::{Ledger, Size};
pub(crate) use target::{Face, Platform, TARGETS, Target, find};

use crate::{Outcome, quiet, root, run};

/// Builds for the targets that are named, for all without a name, and notes what the libraries weigh.
pub(crate) fn make(args: &[&str]) -> Outcome {
    let mut targets = vec![];
    let mut rest = args;
    while let [option, more @ ..] = rest {
        let (name, more) = match (option.strip_prefix("--target="), more) {
            (Some(name), more) => (name, more),
            (None, [name, more @ ..]) if *option == "--target" => (*name, more),
            _ => return Err("cargo xtask dist [--target TARGET]…: all targets without".to_owned()),
        };
        targets.push(find(name)?);
        rest = more;
    }
    if targets.is_empty() {
        targets = TARGETS.iter().collect();
    }
    for target in targets {
        let mut ledger = Ledger::read()?;
        let kit = Kit::new(target)?;
        let compiler = compiler(target)?;
        let mut sizes = vec![];
        for face in target.faces {
            let floor = floor(&kit, target, *face)?;
            sizes.push((*face, floor, library(&kit, target, *face)?));
        }
        // Also when it is too much: what it is, is worth knowing.
        ledger.set(target, &compiler, &sizes);
        ledger.write()?;
        for (face, floor, library) in sizes {
            size::within_budget(target, face, floor, library)?;
        }
    }
    Ok(())
}

/// Builds what is shipped for one target, with each of its faces, and fails when one is not as it should be or has grown. A floor is measured again only when
/// the compiler is another one.
pub(crate) fn hold(target: &'static Target) -> Outcome {
    let (kit, ledger, compiler) = (Kit::new(target)?, Ledger::read()?, compiler(target)?);
    for face in target.faces.iter().copied() {
        let library = library(&kit, target, face)?;
        let floor = match ledger.floor(target, face, &compiler) {
            Some(floor) => floor,
            None => floor(&kit, target, face)?,
        };
        size::within_budget(target, face, floor, library)?;
        ledger.not_grown(target, face, floor, library)?;
    }
    Ok(())
}

/// Builds the library, puts it into dist/, and gives its size.
fn library(kit: &Kit, target: &Target, face: Face) -> Result<Size, String> {
    let began = Instant::now();
    let built = build(kit, target, "partway", face, face.features())?;
    let folder = root().join("dist").join(target.triple).join(face.name());
    let symbols = folder.join("symbols");
    fs::create_dir_all(&symbols).map_err(|error| format!("{}: {error}", symbols.display()))?;
    let name = target.file("partway");
    // What an address in a crash report means.
    copy(&built, &symbols.join(&name))?;
    let (shipped, weighed) = pack(kit, target, face, &built, &folder.join(&name))?;
    check::check(target, face, &weighed)?;
    println!("{}, {} s", shipped.display(), began.elapsed().as_secs());
    Size::of(&weighed)
}

/// The size of HTTPS and a face with no code of ours.
fn floor(kit: &Kit, target: &Target, face: Face) -> Result<Size, String> {
    let built = build(kit, target, "partway-floor", face, if face.has_mobile() { "mobile" } else { "https" })?;
    let (_, weighed) = pack(kit, target, face, &built, &built.with_extension("stripped"))?;
    Size::of(&weighed)
}

fn build(kit: &Kit, target: &Target, package: &str, face: Face, features: &str) -> Result<PathBuf, String> {
    let mut cargo = kit.cargo("rustc");
    cargo.args(["--release", "--quiet", "--lib", "--package", package, "--features", features]);
    cargo.args(["--crate-type", if target.is_archive() { "staticlib" } else { "cdylib" }]).args(kit.std(false));
    cargo.envs(kit.flags()).arg("--").args(kit.code());
    let file = target.file(package);
    let built = kit.release().join(&file);
    if !target.is_archive() {
        cargo.args(kit.link(&file).iter().map(|flag| format!("-Clink-arg={flag}")));
    }
    run(&mut cargo)?;
    if target.platform == Platform::Android {
        kit.link_android(&built.with_extension("a"), face, &built)?;
    }
    Ok(built)
}

/// Makes of what was built what is shipped, and what is weighed: the same, but for iOS, where an app's linker takes out of an archive what is used.
fn pack(kit: &Kit, target: &Target, face: Face, built: &Path, to: &Path) -> Result<(PathBuf, PathBuf), String> {
    if target.platform != Platform::Ios {
        kit.strip(built, to)?;
        return Ok((to.to_owned(), to.to_owned()));
    }
    copy(built, to)?;
    let (linked, weighed) = (built.with_extension("dylib"), built.with_extension("stripped.dylib"));
    kit.link_ios(built, face, &linked)?;
    kit.strip(&linked, &weighed)?;
    Ok((to.to_owned(), weighed))
}

fn copy(from: &Path, to: &Path) -> Outcome {
    fs::copy(from, to).map(drop).map_err(|error| format!("{}: {error}", from.display()))
}

/// The version of the compiler of a target.
fn compiler(target: &Target) -> Result<String, String> {
    let program = if target.platform == Platform::Host { "rustc" } else { "/usr/bin/rustc" };
    let output = quiet(Command::new(program).arg("--version"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.split_whitespace().nth(1).map(str::to_owned).ok_or_else(|| format!("{program} says {said}"))
}
