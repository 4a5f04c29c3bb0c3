//! Deliberate faults: the simulator is worth what it catches. Each is applied to a copy of the tree, and one that survives fails the task.

use std::{fs, path::Path, process::Command};

use super::{Outcome, cargo, root};

/// One fault: its name, what it breaks, and what is written over what, in which file.
struct Mutant {
    name: &'static str,
    breaks: &'static str,
    edits: &'static [(&'static str, &'static str, &'static str)],
}

/// Seeds that a mutant has to survive.
const SEEDS: &str = "30000";

#[rustfmt::skip]
const MUTANTS: &[Mutant] = &[
    Mutant { name: "skip-a-commit", breaks: "a complete leaves without its intent in the journal", edits: &[("src/engine/finish.rs",
        "Ok(self.commit(Record::CompleteIntent { proof }))",
        "self.facts.intent = Some(proof); self.finish = Finish::Armed; self.finish(now, slots, session)")] },
    Mutant { name: "renew-twice", breaks: "a lease that just came is renewed once more", edits: &[("src/engine/lease.rs",
        "obtained: now, renew_at, stale: false };", "obtained: now, renew_at, stale: self.generation.is_multiple_of(2) };")] },
    Mutant { name: "blind-second-confirm", breaks: "a complete whose answer was lost is sent again unasked", edits: &[("src/engine/answers.rs",
        "TransportFault::Cut { error, reused } => {",
        "TransportFault::Cut { error, reused } => { if op.kind == OpKind::Complete { self.finish = Finish::Armed; }")] },
    Mutant { name: "trust-stat-only", breaks: "a changed file of the same size goes on as if it were the old one", edits: &[("src/engine/source_check.rs",
        "differs = !equal;", "differs = false && !equal;")] },
    Mutant { name: "forget-the-ending", breaks: "an ending does not outlive the power", edits: &[("src/engine/record.rs",
        "| Record::Ending { .. } => Sync::Power,", "=> Sync::Power, Record::Ending { .. } => Sync::Process,")] },
    Mutant { name: "reuse-a-stale-lease", breaks: "a refused link is used again", edits: &[("src/engine/lease.rs",
        "            life.stale = true;", "            life.stale = false;")] },
    Mutant { name: "count-twice", breaks: "a record that is in the journal twice counts twice", edits: &[("src/engine/facts.rs",
        "&& self.proven.insert(part_number, crc64).is_none()", "&& (self.proven.insert(part_number, crc64), true).1")] },
    Mutant { name: "believe-any-checksum", breaks: "a part that was stored as other bytes is proven", edits: &[
        ("src/service/smh/response.rs", "if crc64.is_some_and(|crc64| crc64 != sent.crc64) {", "if crc64.is_some_and(|_| false) {"),
        ("src/engine/answers.rs", "if stored.crc64.is_some_and(|crc64| crc64 != sent.crc64) {", "if stored.crc64.is_some_and(|_| false) {")] },
    Mutant { name: "no-barrier", breaks: "what depends on a commit starts before it", edits: &[("src/engine/record.rs",
        "pub fn is_barrier(&self) -> bool {", "pub fn is_barrier(&self) -> bool { if true { return false; }")] },
    Mutant { name: "resend-the-proven", breaks: "proven parts are sent again after a restart", edits: &[("src/engine/machine.rs",
        "!self.facts.proven.contains_key(number) && !busy.contains(number)", "!busy.contains(number)")] },
    Mutant { name: "no-delay", breaks: "failures are repeated at once", edits: &[("src/engine/backoff.rs",
        "gate: now.after_ms(delay_ms.max(asked_ms)),", "gate: now,")] },
    Mutant { name: "never-wake", breaks: "a wait for the next try has no end", edits: &[("src/engine/backoff.rs",
        "gates.filter(|gate| *gate > now).min()", "gates.filter(|gate| *gate > now).min().filter(|_| false)")] },
    Mutant { name: "print-secrets", breaks: "a secret's Debug is the secret", edits: &[("src/redact.rs",
        "f.write_str(if self.0.is_empty() { \"Secret(empty)\" } else { \"Secret(…)\" })", "f.write_str(&self.0)")] },
    Mutant { name: "progress-falls", breaks: "the bar goes back when a part breaks off", edits: &[("src/engine/machine.rs",
        "shown.max(progress.bytes_shown).min(progress.bytes_total)", "shown.min(progress.bytes_total)")] },
    Mutant { name: "lend-too-much", breaks: "two uploads together send more parts than allowed", edits: &[("src/runtime/schedule.rs",
        "parts: self.parallel_parts.saturating_sub(parts).min(free)", "parts: free")] },
    Mutant { name: "adopt-unread", breaks: "a listed part is taken over though it holds other bytes", edits: &[("src/engine/source_check.rs",
        "listed.md5.is_some() && listed.md5 == digest.md5", "listed.md5.is_some() && digest.md5.is_some()")] },
];

/// What became of one.
enum Fate {
    Caught(String),
    Survived,
    Unfit(String),
}

pub(super) fn run(names: &[&str]) -> Outcome {
    let tree = root().join("target/mutants/tree");
    copy(&tree)?;
    let (mut survived, mut unfit, mut caught) = (vec![], vec![], 0);
    for mutant in MUTANTS.iter().filter(|mutant| names.is_empty() || names.contains(&mutant.name)) {
        match judge(mutant, &tree)? {
            Fate::Caught(words) => {
                caught += 1;
                println!("caught    {:<22} {}\n          by {words}", mutant.name, mutant.breaks);
            }
            Fate::Survived => {
                survived.push(mutant.name);
                println!("SURVIVED  {:<22} {}", mutant.name, mutant.breaks);
            }
            Fate::Unfit(why) => {
                unfit.push(mutant.name);
                println!("UNFIT     {:<22} {why}", mutant.name);
            }
        }
    }
    println!("{caught} caught, {} survived, {} unfit", survived.len(), unfit.len());
    if survived.is_empty() && unfit.is_empty() {
        return Ok(());
    }
    Err(format!("survived: {survived:?}; no longer fit: {unfit:?}"))
}

/// The tree as git knows it, with what is not committed yet; files that are as they were keep their time, so that nothing is built twice.
fn copy(tree: &Path) -> Outcome {
    let list = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().map_err(text)?;
    for name in String::from_utf8_lossy(&list.stdout).split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (root().join(name), tree.join(name));
        let Ok(bytes) = fs::read(&from) else { continue };
        if fs::read(&to).is_ok_and(|there| there == bytes) {
            continue;
        }
        if let Some(dir) = to.parent() {
            fs::create_dir_all(dir).map_err(text)?;
        }
        fs::write(&to, bytes).map_err(text)?;
    }
    Ok(())
}

fn judge(mutant: &Mutant, tree: &Path) -> Result<Fate, String> {
    let mut before = vec![];
    let mut fits = true;
    for (file, find, replace) in mutant.edits {
        let path = tree.join(file);
        let source = fs::read_to_string(&path).map_err(text)?;
        fits &= source.matches(find).count() == 1;
        fs::write(&path, source.replacen(find, replace, 1)).map_err(text)?;
        before.push((path, source));
    }
    let fate = if fits { test(tree) } else { Ok(Fate::Unfit("its place in the code is gone".to_owned())) };
    for (path, source) in before {
        fs::write(path, source).map_err(text)?;
    }
    fate
}

fn test(tree: &Path) -> Result<Fate, String> {
    let output = cargo()
        .current_dir(tree)
        .args(["test", "--quiet", "--package", "partway", "--test", "sim", "every_seed_keeps_the_promises"])
        .env("CARGO_TARGET_DIR", root().join("target/mutants/target"))
        .env("PARTWAY_SIM_SEEDS", SEEDS)
        .output()
        .map_err(text)?;
    if output.status.success() {
        return Ok(Fate::Survived);
    }
    let told = String::from_utf8_lossy(&output.stdout);
    let words = told.lines().find(|line| line.starts_with("seed ") && line.contains(": "));
    Ok(match words {
        Some(words) => Fate::Caught(words.chars().take(110).collect()),
        None => Fate::Unfit("it does not build".to_owned()),
    })
}

fn text(error: std::io::Error) -> String {
    error.to_string()
}
