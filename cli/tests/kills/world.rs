//! One case's cloud, file and state directory, and the commands on them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use partway_sandbox::{Config, Sandbox, Service, Step, StoredObject};
use serde_json::Value;

use crate::{
    cases::{Before, Case, Verb},
    run::{Ran, run},
    support::{TOKEN, partway},
};

/// As long as a cloud on the same machine may take to end what a killed process left it.
const CLOUD_MS: u64 = 30_000;
const NAME: &str = "a.bin";
/// As good as the usual one.
const OTHER_TOKEN: &str = "another-token";

/// See the module.
pub(crate) struct World<'a> {
    pub(crate) case: &'a Case,
    pub(crate) cloud: Sandbox,
    dir: tempfile::TempDir,
    /// The point half-way at which an earlier run is left, for the verbs that need one.
    half: Option<u64>,
    /// What `adopt` or `cancel` names.
    name: String,
}

impl<'a> World<'a> {
    pub(crate) fn new(case: &'a Case) -> World<'a> {
        let mut config = Config::default();
        config.tokens.push(OTHER_TOKEN.to_owned());
        (case.switches)(&mut config.switches);
        let cloud = Sandbox::start(config).expect("a sandbox");
        let dir = tempfile::tempdir().expect("a directory");
        for (name, seed) in [("file", 1), ("other", 2)] {
            let mut content = vec![0; case.bytes];
            fastrand::Rng::with_seed(seed).fill(&mut content);
            fs::write(dir.path().join(name), content).expect("a file");
        }
        let mut world = World { case, cloud, dir, half: None, name: String::new() };
        if case.verb != Verb::Upload {
            world.half = Some(world.half_way());
        }
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Nothing is anywhere but what the case begins with.
    pub(crate) fn begin(&mut self) {
        self.cloud.reset();
        for state in ["state", "elsewhere"] {
            drop(fs::remove_dir_all(self.path(state)));
        }
        match self.case.before {
            Before::Nothing => {}
            Before::Content => self.lay("file", "known.bin"),
            Before::Name => self.lay("other", NAME),
        }
        if let Some(half) = self.half {
            let state = if self.case.verb == Verb::Adopt { "elsewhere" } else { "state" };
            let began = self.seq();
            let left = self.run(self.serial(state), Some(half));
            assert!(left.killed(), "{}", left.stderr);
            self.settle(began, left.requests_sent());
            self.name = match self.case.verb {
                Verb::Adopt => self.cloud.uploads()[0].confirm_key.clone(),
                _ => self.journals()[0].file_stem().and_then(|id| id.to_str()).expect("an id").to_owned(),
            };
        }
        for rule in (self.case.rules)() {
            self.cloud.add_rule(rule);
        }
    }

    /// The last request so far.
    pub(crate) fn seq(&self) -> u64 {
        self.cloud.log().last().map_or(0, |entry| entry.seq)
    }

    /// The command that is killed.
    pub(crate) fn command(&self) -> Command {
        match self.case.verb {
            Verb::Cancel => self.verb(&["cancel", &self.name], "state"),
            Verb::Upload => self.upload(&["upload"], "file", NAME, "state", self.case.args),
            Verb::Adopt => self.upload(&["adopt", &self.name], "file", NAME, "state", self.case.args),
        }
    }

    /// What goes on with whatever is there.
    pub(crate) fn resume(&self) -> Command {
        self.verb(&["resume"], "state")
    }

    pub(crate) fn run(&self, command: Command, kill_at: Option<u64>) -> Ran {
        run(command, &self.path("points"), kill_at)
    }

    /// Waits until the cloud has ended what came after the request `seq`, `sent` requests at least: what a killed process has sent still takes effect.
    pub(crate) fn settle(&self, seq: u64, sent: usize) {
        let settled = self.cloud.wait_log(Duration::from_millis(CLOUD_MS), |log| {
            let since = log.iter().filter(|entry| entry.seq > seq);
            let over = log.iter().all(|entry| entry.ended_ms.is_some());
            (over && since.count() >= sent).then_some(())
        });
        assert!(settled.is_some(), "{sent} requests were sent: {:?}", self.cloud.log_since(seq));
    }

    pub(crate) fn journals(&self) -> Vec<PathBuf> {
        self.files().into_iter().filter(|path| path.extension().is_some_and(|end| end == "journal")).collect()
    }

    /// Files of the state directory that an upload or a kill left there.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path("state")).into_iter().flatten();
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths.filter(|path| !path.ends_with(".create.lock") && !path.ends_with(".start.lock")).collect()
    }

    /// The parts that the journal proves.
    pub(crate) fn proven(&self) -> Result<BTreeSet<u32>, String> {
        let mut proven = BTreeSet::new();
        let journals = self.journals().iter().map(|path| lines(path)).collect::<Result<Vec<_>, _>>()?;
        for line in journals.concat() {
            let number = || line["part_number"].as_u64().and_then(|number| u32::try_from(number).ok());
            match line["r"].as_str() {
                Some("part") => proven.extend(number()),
                Some("restart") => proven.clear(),
                Some("missing") => return Err(format!("the cloud lost nothing: {line}")),
                _ => {}
            }
        }
        Ok(proven)
    }

    /// Objects that are what the file is.
    pub(crate) fn ours(&self) -> Vec<StoredObject> {
        let content = fs::read(self.path("file")).expect("the file");
        let same = |object: &StoredObject| fs::read(object.file.as_ref().expect("a content")).expect("it") == content;
        self.cloud.objects().into_iter().filter(same).collect()
    }

    /// Requests that carried content and that no rule touched, after that one.
    pub(crate) fn sent_since(&self, seq: u64) -> Vec<u32> {
        let log = self.cloud.log_since(seq);
        let data = log.iter().filter(|entry| matches!(entry.step, Step::Part | Step::Put | Step::Form));
        data.filter(|entry| entry.rule.is_none()).map(|entry| entry.part.unwrap_or(1)).collect()
    }

    /// A content that was there before.
    fn lay(&self, file: &str, name: &str) {
        let mut command = self.upload(&["upload"], file, name, "elsewhere", &[]);
        let output = command.output().expect("the command");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// The upload, one part after the other.
    fn serial(&self, state: &str) -> Command {
        let args = &["--mode", "multipart", "--part-size", "1048576", "--parallel", "1", "--instant", "off"];
        self.upload(&["upload"], "file", NAME, state, args)
    }

    /// The point of such an upload at which the third part is about to leave.
    fn half_way(&self) -> u64 {
        self.cloud.reset();
        let ran = self.run(self.serial("elsewhere"), None);
        assert!(ran.status.success(), "{}", ran.stderr);
        let begun = self.cloud.log().iter().position(|entry| entry.part == Some(3)).expect("a third part");
        let requests = ran.points.iter().enumerate().filter(|(_, point)| *point == "request before");
        requests.map(|(at, _)| at as u64 + 1).nth(begun).expect("its request")
    }

    fn verb(&self, args: &[&str], state: &str) -> Command {
        let mut command = partway(args);
        command.args(["--json", "--state-dir"]).arg(self.path(state));
        if self.case.refuses {
            // Each time another one than the last.
            let turn = self.path("turn").display().to_string();
            let next =
                format!("if rm '{turn}' 2>/dev/null; then echo {TOKEN}; else touch '{turn}'; echo {OTHER_TOKEN}; fi");
            command.args(["--token-command", &next]);
        } else if self.case.service == Service::Koodrive {
            command.env("PARTWAY_TOKEN", format!("Bearer {TOKEN}"));
        } else {
            command.env("PARTWAY_TOKEN", TOKEN);
        }
        command
    }

    fn upload(&self, verb: &[&str], file: &str, name: &str, state: &str, args: &[&str]) -> Command {
        let mut command = self.verb(verb, state);
        command.arg(self.path(file)).args(args);
        match self.case.service {
            Service::Koodrive => {
                command.args(["--service", "koodrive", "--endpoint", &self.cloud.koodrive_url()]);
                command.args(["--container", &self.cloud.config().koodrive.container, "--name", name]);
            }
            _ => {
                command.args(["--service", "smh", "--endpoint", &self.cloud.api_url()]);
                command.args(["--library", &self.cloud.config().library, "--path", name]);
            }
        }
        command
    }
}

/// The whole lines of a journal.
fn lines(path: &Path) -> Result<Vec<Value>, String> {
    let text = fs::read_to_string(path).expect("a journal");
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let read = |line: &str| line.get(9..).and_then(|json| serde_json::from_str(json).ok());
    whole.map(|line| read(line).ok_or_else(|| format!("in the journal: {line}"))).collect()
}
