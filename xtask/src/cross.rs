//! `cargo xtask test android|ohos|ios|arm64`: what is shipped for a platform is built and held against what it may be, and where an emulator runs it, the
//! library's own tests are run.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{
    Outcome,
    dist::{self, Kit, Platform},
    library, quiet, run,
};

/// The tests that an emulator runs: what has no need of a network or of speed.
const TESTS: &[&str] = &[
    "hash::",
    "model::",
    "engine::",
    "service::",
    "error::",
    "redact::",
    "source::",
    "runtime::clock::",
    "runtime::journal::lock::",
    "runtime::journal::line::",
];
/// Hashes once around.
const HASHING: &str = "hash::sha256::tests::vector_b";

pub(crate) fn test(name: &str) -> Outcome {
    let target = dist::find(name)?;
    // First what takes longer to go wrong.
    if matches!(target.platform, Platform::Ohos | Platform::LinuxArm64) {
        emulated(target)?;
    }
    dist::hold(target)
}

fn emulated(target: &'static dist::Target) -> Outcome {
    let kit = Kit::new(target)?;
    let binary = binary(&kit, target)?;
    let emulator = |options: &[&str]| {
        let mut command = Command::new("qemu-aarch64-static");
        command.arg("-L").arg(kit.system()).args(options).arg(&binary);
        command
    };
    run(emulator(&[]).args(["--test-threads", "2"]).args(TESTS))?;
    instructions(target, emulator)
}

/// The library's tests, as a program for the target.
fn binary(kit: &Kit, target: &dist::Target) -> Result<PathBuf, String> {
    let mut cargo = kit.cargo("test");
    let flags: Vec<String> = kit.link_program().iter().map(|flag| format!("-Clink-arg={flag}")).collect();
    let name = target.triple.replace('-', "_").to_uppercase();
    cargo.env(format!("CARGO_TARGET_{name}_RUSTFLAGS"), flags.join(" "));
    cargo
        .args(["--package", "partway", "--lib", "--no-run", "--message-format=json-render-diagnostics"])
        .args(kit.std(true));
    let output = quiet(&mut cargo)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let built = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find_map(|message| {
        let ours = message["target"]["name"] == "partway" && message["profile"]["test"] == true;
        message["executable"].as_str().filter(|_| ours).map(PathBuf::from)
    });
    built.ok_or_else(|| format!("cargo built no tests for {}", target.triple))
}

/// Hashing runs on the processor's own instructions: they are in what the emulator translated to run it.
fn instructions(target: &dist::Target, emulator: impl Fn(&[&str]) -> Command) -> Outcome {
    let log = std::path::absolute(library::target())
        .map_err(|error| error.to_string())?
        .join(format!("cross/{}.log", target.name));
    quiet(emulator(&["-d", "in_asm", "-D", &log.display().to_string()]).args(["--exact", HASHING]))?;
    let hits = sha_256_instructions(&log)?;
    let _ = std::fs::remove_file(&log);
    if hits == 0 {
        return Err(format!("{}: SHA-256 ran without the processor's instructions", target.triple));
    }
    println!("{}: SHA-256 runs on the SHA-2 instructions of arm64 ({hits} of them)", target.triple);
    Ok(())
}

/// How many SHA256H and SHA256H2 are in what the emulator wrote down: as text, or as code in hexadecimal digits.
fn sha_256_instructions(log: &Path) -> Result<usize, String> {
    let text = std::fs::read_to_string(log).map_err(|error| format!("{}: {error}", log.display()))?;
    Ok(text.lines().map(of_line).sum())
}

fn of_line(line: &str) -> usize {
    let Some((_, code)) = line.split_once("OBJD-T: ") else { return usize::from(line.contains("sha256h")) };
    let words = code.trim().as_bytes().chunks_exact(8).filter_map(|digits| std::str::from_utf8(digits).ok());
    // 0101 1110 000m mmmm 010x 00nn nnnd dddd, the lowest byte first.
    words
        .filter_map(|digits| u32::from_str_radix(digits, 16).ok())
        .filter(|word| word.swap_bytes() & 0xFFE0_EC00 == 0x5E00_4000)
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_found_in_text_and_in_code() {
        assert_eq!(of_line("0x5500: 5e034083  sha256h q3, q4, v3.4s"), 1);
        // sha256h q3, q4, v3.4s; sha256h2 q0, q1, v2.4s; nop
        assert_eq!(of_line("OBJD-T: 8340035e2050025e1f2003d5"), 2);
        assert_eq!(of_line("OBJD-T: 1f2003d51f2003d5"), 0);
        // sha256su0 v0.4s, v1.4s is none of them.
        assert_eq!(of_line("OBJD-T: 2028285e"), 0);
    }
}
