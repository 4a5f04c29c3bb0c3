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
const SEEDS: &str = "60000";

/// What no drawing of the first test has.
const UNSEEN: &str = "bytes_that_change_without_a_trace_are_noticed";

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
    Mutant { name: "begin-under-any-name", breaks: "a begin that comes late, or twice, makes a second object under another name", edits: &[("src/service/koodrive/request.rs",
        "_ if may_make => 3,", "_ if may_make => 2,")] },
    Mutant { name: "begin-without-a-look", breaks: "a begin whose answer was lost is repeated unasked", edits: &[("src/engine/finish.rs",
        "            && !self.in_flight(OpKind::Begin)\n", "            && !self.in_flight(OpKind::Begin) && false\n")] },
    Mutant { name: "repeat-what-was-taken", breaks: "a begin that takes another name is repeated, whatever the first one made", edits: &[("src/engine/order.rs",
        "if lost && self.facts.begin_taken {", "if lost && self.facts.begin_taken && self.facts.ending.is_some() {")] },
    Mutant { name: "forget-the-begin", breaks: "a begin that may make the object leaves without its intent in the journal", edits: &[("src/engine/order.rs",
        "return Ok(self.commit(Record::BeginIntent { proof }));",
        "self.facts.begin_intent = Some(proof); self.begin_armed = true; return self.begin(now, slots);")] },
    Mutant { name: "leave-in-doubt", breaks: "a session whose complete may still arrive is left for another", edits: &[("src/engine/order.rs",
        "        if doubt {\n", "        if doubt && self.facts.ending.is_some() {\n")] },
    Mutant { name: "wrong-boundary", breaks: "a part is signed with the state at its end", edits: &[("src/engine/digest.rs",
        ".checked_sub(1)", ".checked_sub(0)")] },
    Mutant { name: "stale-states", breaks: "parts of a changed file are signed with the states of the old one", edits: &[("src/engine/facts.rs",
        "if matches!(why, RestartReason::Integrity | RestartReason::Changed) {", "if matches!(why, RestartReason::Integrity) {")] },
    Mutant { name: "skip-the-comparison", breaks: "what was sent is not compared with what was hashed", edits: &[("src/engine/finish.rs",
        "if self.sent_unlike_hashed().is_some() {", "if self.sent_unlike_hashed().is_some_and(|_| false) {")] },
    Mutant { name: "hash-without-bound", breaks: "hashing runs as far ahead as it can", edits: &[("src/engine/digest.rs",
        "part.offset + AHEAD_BYTES_MAX);", "part.offset.max(u64::MAX));")] },
    Mutant { name: "hash-from-the-start", breaks: "a pass that was killed begins anew", edits: &[("src/engine/digest.rs",
        "let digester = match self.facts.digester.clone() {", "let digester = match self.facts.digester.clone().filter(|_| self.digest.started.0 > 0) {")] },
    Mutant { name: "proof-of-another", breaks: "the proof is that of a former credential", edits: &[
        ("src/engine/digest.rs", "if self.digest.proof.as_ref().is_some_and(|(generation, _)| *generation == self.credential.generation) {", "if self.digest.proof.is_some() {"),
        ("src/engine/digest.rs", ".filter(|(generation, _)| *generation == self.credential.generation)", "")] },
    Mutant { name: "restart-for-ever", breaks: "what is put together wrongly is begun over for ever", edits: &[("src/engine/answers.rs",
        "if self.facts.integrity_restarts >= INTEGRITY_RESTARTS_MAX {", "if self.facts.integrity_restarts > INTEGRITY_RESTARTS_MAX {")] },
    Mutant { name: "the-old-key", breaks: "a form whose links are over is begun again under its old key", edits: &[("src/engine/facts.rs",
        "            Record::Restart { why } => {\n                self.session = None;", "            Record::Restart { why } => {\n                if why != RestartReason::LeaseOver { self.session = None; }")] },
    Mutant { name: "give-up-early", breaks: "a short outage spends the whole retry budget", edits: &[("src/engine/backoff.rs",
        "row.count > RETRIES_MAX && row.last.since_ms(row.since) >= BUDGET_MS_MIN", "row.count > RETRIES_MAX")] },
    Mutant { name: "no-retry-after", breaks: "a service that asks for a pause gets none", edits: &[
        ("src/engine/backoff.rs", "let asked_ms = error.retry_after_ms.unwrap_or(0);", "let asked_ms = error.retry_after_ms.map_or(0, |_| 0);"),
        ("src/runtime/schedule.rs", "if let (true, Some(ms)) = (busy, retry_after_ms) {", "if let (true, Some(ms)) = (busy, retry_after_ms.filter(|_| false)) {")] },
    Mutant { name: "keep-what-does-not-fit", breaks: "a session with parts that the file does not have is completed", edits: &[("src/engine/answers.rs",
        "if parts.iter().flatten().any(|part| part.part_number > last) {", "if parts.iter().flatten().any(|part| part.part_number > last && last == 0) {")] },
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
        .args([
            "test",
            "--quiet",
            "--package",
            "partway",
            "--test",
            "sim",
            "--",
            "every_seed_keeps_the_promises",
            UNSEEN,
        ])
        .env("CARGO_TARGET_DIR", root().join("target/mutants/target"))
        .env("PARTWAY_SIM_SEEDS", SEEDS)
        .env("PARTWAY_SIM_FAILURES", "1")
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
