//! What must hold of a library before it is given to anybody.

use std::{collections::BTreeSet, path::Path, process::Command};

use super::{
    elf::Elf,
    symbols::{Symbols, Undefined},
    target::{Face, Platform, Target},
};
use crate::{Outcome, c, quiet};

/// Of devices with pages of 16 KiB.
const ANDROID_ALIGNMENT_BYTES: u64 = 16 << 10;
/// What uniffi adds for Kotlin and Swift; `cargo xtask bindings --check` holds it against their code.
const OF_UNIFFI: &[&str] = &["uniffi_partway_", "ffi_partway_"];
/// What uniffi's generator reads, and nobody else. Where rustc links, it is exported all the same.
const OF_THE_GENERATOR: &str = "UNIFFI_META_";

/// What a linker is told to keep of an archive: how the names begin.
pub(crate) fn exported(face: Face) -> impl Iterator<Item = &'static str> {
    let of_c: &[&str] = if face.has_c() { &["partway_"] } else { &[] };
    let of_uniffi = if face.has_mobile() { OF_UNIFFI } else { &[] };
    of_c.iter().chain(of_uniffi).copied()
}

/// Says what the library is, or what is wrong with it.
pub(crate) fn check(target: &Target, face: Face, library: &Path) -> Outcome {
    let (exported, taken) = match target.platform {
        Platform::Ios => mach_o(library)?,
        _ => elf(target, library)?,
    };
    exports(target, face, &exported)?;
    if let Some(list) = target.symbols {
        Symbols::read(list)?.allow(&taken)?;
    }
    println!("{}, {}: {} symbols out, as reviewed; {} in", target.triple, face.name(), exported.len(), taken.len());
    Ok(())
}

/// The library gives what was reviewed, and nothing else but what uniffi adds.
fn exports(target: &Target, face: Face, there: &BTreeSet<String>) -> Outcome {
    let reviewed = if face.has_c() { c::reviewed()? } else { BTreeSet::new() };
    let of_uniffi = |name: &&String| {
        let generator = !target.is_archive() && name.starts_with(OF_THE_GENERATOR);
        face.has_mobile() && (generator || OF_UNIFFI.iter().any(|start| name.starts_with(start)))
    };
    let more: Vec<&String> = there.iter().filter(|name| !reviewed.contains(*name) && !of_uniffi(name)).collect();
    let fewer: Vec<&String> = reviewed.difference(there).collect();
    if !(more.is_empty() && fewer.is_empty()) {
        return Err(format!(
            "{}: exported, but not in the list: {more:?}; in the list, but not exported: {fewer:?}",
            c::EXPORTS
        ));
    }
    if face.has_mobile() && !there.iter().any(|name| name.starts_with("uniffi_partway_")) {
        return Err("nothing of uniffi is exported: Kotlin and Swift find nothing".to_owned());
    }
    Ok(())
}

fn elf(target: &Target, library: &Path) -> Result<(BTreeSet<String>, BTreeSet<Undefined>), String> {
    let elf = Elf::read(library)?;
    let wrong = |what: String| Err(format!("{}: {what}", target.triple));
    if elf.soname.as_deref() != Some("libpartway.so") {
        return wrong(format!("its soname is {:?}", elf.soname));
    }
    if elf.text_relocations {
        return wrong("it has relocations in its code".to_owned());
    }
    if target.platform == Platform::Android && elf.alignment_bytes < ANDROID_ALIGNMENT_BYTES {
        return wrong(format!("it is aligned to {} bytes, {ANDROID_ALIGNMENT_BYTES} are needed", elf.alignment_bytes));
    }
    if elf.needed.is_empty() {
        return wrong("it says of no library that it needs it".to_owned());
    }
    let needed: Vec<&str> = elf.needed.iter().map(String::as_str).collect();
    let glibc = elf.glibc.map(|(major, minor)| format!("; GNU C library {major}.{minor} or later")).unwrap_or_default();
    println!("{}: needs {}{glibc}; aligned to {} bytes", target.triple, needed.join(", "), elf.alignment_bytes);
    Ok((elf.exported, elf.taken))
}

/// A Mach-O's names begin with an underscore more than C's.
fn mach_o(library: &Path) -> Result<(BTreeSet<String>, BTreeSet<Undefined>), String> {
    let names = |what: &str| -> Result<BTreeSet<String>, String> {
        let output =
            quiet(Command::new("llvm-nm-19").args(["--extern-only", "--format=just-symbols", what]).arg(library))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let names: BTreeSet<String> =
            text.lines().filter_map(|line| line.trim().strip_prefix('_')).map(str::to_owned).collect();
        if names.is_empty() { Err(format!("llvm-nm says nothing of {}", library.display())) } else { Ok(names) }
    };
    let taken = names("--undefined-only")?.into_iter().map(|name| Undefined { name, weak: false }).collect();
    Ok((names("--defined-only")?, taken))
}
