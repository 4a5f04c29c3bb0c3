//! One upload as the driver holds it: less than a KiB while it waits in line, a machine while it works.

use std::{collections::HashSet, sync::Arc};

use super::{journal::Id, rate::Rate, schedule::Schedule, speed::Speed};
use crate::{
    channel::Sender,
    engine::{
        Command, CommitId, Ending, Facts, Machine, Memory, OpId, Progress, Record, Remote, State, Wait, WaitReason,
        Waiting, Wish,
    },
    error::ErrorInfo,
    model::{Identity, Network, NetworkPolicy, Now, ServiceName, Tick},
    source::{Source, SourceWhat},
    transport::CancelToken,
};

/// What it is doing, as far as threads and files go.
pub(super) enum Stage {
    /// Nothing is open. In line if it may go on by itself.
    Idle,
    /// What was said of it is being kept; it will be at rest again.
    Saying,
    /// Its journal is being opened.
    Loading,
    /// It works.
    Live(Box<Live>),
    /// Its journal is being closed.
    Closing,
    /// Its journal is being removed.
    Removing,
}

/// What an upload at work needs.
pub(super) struct Live {
    pub(super) machine: Machine,
    pub(super) source: Option<(Arc<dyn Source>, Identity)>,
    pub(super) cancels: Vec<(OpId, CancelToken)>,
    /// Said in this turn: they go to the disk together.
    pub(super) commits: Vec<(CommitId, Record)>,
    pub(super) wake: Option<Tick>,
    pub(super) done: bool,
    /// Its place among the sources that may be open.
    pub(super) place: SourcePlace,
    /// Which opening of the source is waited for.
    pub(super) source_ask: u64,
    /// The host was asked for it, and must answer by then.
    pub(super) source_by: Option<Tick>,
    /// The host's own answer is being opened: a failure of that is final for this asking.
    pub(super) source_offered: bool,
    /// The host is getting it: so far.
    pub(super) prepared: Option<f32>,
    pub(super) speed: Speed,
    /// Its own bound, beside the client's.
    pub(super) rate: Arc<Rate>,
}

/// Whether an upload may have its source open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SourcePlace {
    /// It did not ask yet.
    None,
    /// It stands in line.
    Wanted,
    /// It has.
    Taken,
}

impl Live {
    pub(super) fn new(machine: Machine) -> Live {
        let rate = Arc::new(Rate::new(machine.facts().upload.rate_bytes_per_s.unwrap_or(0)));
        Live {
            machine,
            source: None,
            cancels: vec![],
            commits: vec![],
            wake: None,
            done: false,
            place: SourcePlace::None,
            source_ask: 0,
            source_by: None,
            source_offered: false,
            prepared: None,
            speed: Speed::default(),
            rate,
        }
    }
}

/// One upload: what is needed to know when its turn comes. All else is read back from its journal then.
pub(super) struct Row {
    pub(super) id: Id,
    pub(super) account: Arc<str>,
    pub(super) service: ServiceName,
    pub(super) priority: i8,
    pub(super) policy: NetworkPolicy,
    pub(super) created_unix_ms: i64,
    /// Its own time is over then.
    pub(super) gives_up_unix_ms: Option<i64>,
    /// It is: nothing but its end is to come, whatever else keeps it.
    pub(super) over: bool,
    /// The ending was kept for the host long enough.
    pub(super) forget_at: Option<Tick>,
    /// What the host gave in this process and no journal can hold.
    pub(super) offer: Option<Box<SourceWhat>>,
    pub(super) stage: Stage,
    /// It may go on by itself: it stands in line.
    pub(super) eligible: bool,
    /// It goes on by itself at that tick.
    pub(super) wake: Option<Tick>,
    /// What its last machine counted.
    pub(super) memory: Option<Box<Memory>>,
    /// Said to it while it was not at work.
    pub(super) commands: Vec<Command>,
    /// Only its machine can do what was said.
    pub(super) needs_machine: bool,
    /// The services' hosts that it spoke to in this run.
    pub(super) hosts: Vec<Arc<str>>,
    /// The host has taken its ending.
    pub(super) forget: Option<Sender<()>>,
    /// Another upload took its proof over, and the host's temporary copy with it.
    pub(super) superseded: bool,
    /// Its state is a wait of an earlier process, shown until it may go on: then it stands in line.
    pub(super) waited: bool,
    /// As published last.
    pub(super) state: State,
    pub(super) progress: Progress,
    pub(super) published: Tick,
}

impl Row {
    /// A row over what its journal says. The upload itself stays on the disk.
    pub(super) fn new(id: Id, facts: &Facts, unix_ms: i64, words: &mut Words) -> Row {
        let upload = &facts.upload;
        let mut row = Row {
            id,
            account: words.of(upload.target.account()),
            service: upload.target.service(),
            priority: upload.priority,
            policy: upload.network,
            created_unix_ms: upload.created_unix_ms,
            gives_up_unix_ms: upload.gives_up_unix_ms(),
            over: false,
            forget_at: None,
            offer: None,
            stage: Stage::Idle,
            eligible: false,
            wake: None,
            memory: None,
            commands: vec![],
            needs_machine: false,
            hosts: vec![words.of(crate::model::http::host_of(upload.target.endpoint()))],
            forget: None,
            superseded: false,
            waited: false,
            progress: Progress::default(),
            state: State::Queued,
            published: Tick(0),
        };
        row.rests_as(facts, unix_ms);
        row
    }

    /// Where it stands is what its journal says.
    pub(super) fn rests_as(&mut self, facts: &Facts, unix_ms: i64) {
        self.state = state_at_rest(facts, unix_ms);
        self.progress = progress_at_rest(facts);
        self.priority = facts.upload.priority;
        self.policy = facts.upload.network;
        self.eligible = matches!(self.state, State::Queued) || needs_abort(facts);
    }

    /// While the client is held: what it waited for when it was last at work.
    pub(super) fn waits_as(&mut self, facts: &Facts, unix_ms: i64) {
        if let (State::Queued, Some(wait)) = (&self.state, &facts.wait) {
            self.state = wait_of_before(wait, unix_ms);
            self.waited = true;
        }
    }

    /// True when it could be given a machine now.
    pub(super) fn may_load(&self, now: Now, network: &Network) -> bool {
        if !matches!(self.stage, Stage::Idle) {
            return false;
        }
        let due = self.wake.is_none_or(|wake| wake <= now.tick);
        let goes = self.eligible && self.barred(network).is_none();
        due && (!self.commands.is_empty() || goes)
    }

    /// Looks whether its own time is over: then it goes on at once, to its end.
    pub(super) fn look_at_its_time(&mut self, now: Now) {
        if !self.over && !self.state.ended() && self.gives_up_unix_ms.is_some_and(|at| at <= now.unix_ms) {
            self.over = true;
            self.eligible = true;
            self.wake = None;
        }
    }

    /// What of the world keeps it from going on.
    pub(super) fn barred(&self, network: &Network) -> Option<WaitReason> {
        if self.over {
            None
        } else if network.is_offline() {
            Some(WaitReason::Network)
        } else if !self.state.ended() && !self.policy.allows(network) {
            Some(WaitReason::NetworkPolicy)
        } else {
            None
        }
    }

    /// Puts it in line again if it waits for one of these.
    pub(super) fn again_if(&mut self, reasons: &[WaitReason]) {
        let waits = matches!(&self.state, State::Waiting { waiting } if reasons.contains(&waiting.reason));
        // One whose journal is just being closed too: its machine is gone and hears nothing any more. And one of which something is just being kept.
        if waits && matches!(self.stage, Stage::Idle | Stage::Saying | Stage::Closing) {
            self.eligible = true;
            self.wake = None;
            self.try_now();
        }
    }

    /// What its last machine waited for is no reason any more to wait.
    pub(super) fn try_now(&mut self) {
        if let Some(memory) = &mut self.memory {
            memory.try_now();
        }
    }

    /// When the hosts that it speaks to take anything again, if one of them asked for rest. Its end needs none of them.
    pub(super) fn opens_at(&self, schedule: &Schedule, now: Tick) -> Option<Tick> {
        if self.over { None } else { schedule.opens_at(now, self.hosts.iter().map(|host| &**host)) }
    }

    /// Its ending is told, and something is still to be undone at the service.
    pub(super) fn aborts(&self) -> bool {
        matches!(self.state, State::Cancelled { remote: Remote::AbortPending })
    }

    /// Notes a host of its service.
    pub(super) fn spoke_to(&mut self, host: Arc<str>) {
        if !self.hosts.contains(&host) {
            self.hosts.push(host);
        }
    }

    pub(super) fn live(&mut self) -> Option<&mut Live> {
        match &mut self.stage {
            Stage::Live(live) => Some(live),
            _ => None,
        }
    }
}

/// Words that many uploads share, each kept once: accounts and hosts are few.
#[derive(Default)]
pub(super) struct Words(HashSet<Arc<str>>);

impl Words {
    pub(super) fn of(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.0.get(word) {
            return known.clone();
        }
        let word: Arc<str> = word.into();
        self.0.insert(word.clone());
        word
    }
}

fn needs_abort(facts: &Facts) -> bool {
    facts.ending == Some(Ending::Cancelled(Remote::AbortPending))
}

/// Where an upload stands that nobody works on.
pub(super) fn state_at_rest(facts: &Facts, unix_ms: i64) -> State {
    match (&facts.ending, facts.wish) {
        (Some(Ending::Completed(receipt)), _) => State::Completed { receipt: receipt.clone() },
        (Some(Ending::Failed(error)), _) => State::Failed { error: error.clone() },
        (Some(Ending::Cancelled(remote)), _) => State::Cancelled { remote: *remote },
        (None, Wish::Pause) => State::Paused,
        (None, _) if facts.conflict_asked => State::Waiting {
            waiting: Waiting {
                reason: WaitReason::Conflict,
                since_unix_ms: facts.wait.as_ref().map_or(unix_ms, |wait| wait.since_unix_ms),
                retry_in_ms: None,
                error: Some(ErrorInfo::new(
                    crate::error::Code::NameConflict,
                    "the name is taken; nothing has to be sent again once that is answered",
                )),
                choices: crate::service::open(&facts.upload.target)
                    .map(|service| service.capabilities().conflict_choices.to_vec())
                    .unwrap_or_default(),
                needs_host: true,
                prepared: None,
            },
        },
        (None, _) if !facts.handed_off.is_empty() => State::Waiting {
            waiting: Waiting {
                reason: WaitReason::HandedOff,
                since_unix_ms: unix_ms,
                retry_in_ms: None,
                error: None,
                choices: vec![],
                needs_host: false,
                prepared: None,
            },
        },
        (None, _) => State::Queued,
    }
}

/// What an upload waited for when it was last at work: as long as nothing may start it is what holds it.
pub(super) fn wait_of_before(wait: &Wait, unix_ms: i64) -> State {
    let left_ms = wait.next_try_unix_ms.map(|at| at.saturating_sub(unix_ms));
    let waiting = Waiting {
        reason: wait.waits,
        since_unix_ms: wait.since_unix_ms,
        retry_in_ms: left_ms.and_then(|ms| u64::try_from(ms).ok()).filter(|ms| *ms > 0),
        error: Some(wait.error.clone()),
        choices: vec![],
        needs_host: wait.needs_host,
        prepared: None,
    };
    State::Waiting { waiting }
}

/// How far an upload is that nobody works on.
pub(super) fn progress_at_rest(facts: &Facts) -> Progress {
    let bytes_total = facts.plan.map_or(0, |plan| plan.size_bytes);
    Progress {
        bytes_total,
        bytes_hashed: facts.bytes_hashed(),
        bytes_acknowledged: facts.bytes_proven,
        bytes_shown: if matches!(facts.ending, Some(Ending::Completed(_))) { bytes_total } else { facts.bytes_proven },
        parts_done: facts.proven.len() as u32,
        parts_total: facts.plan.map_or(0, |plan| plan.parts_total()),
        ..Progress::default()
    }
}

impl Drop for Live {
    /// Nothing is sent or read for an upload that nobody drives.
    fn drop(&mut self) {
        self.cancels.iter().for_each(|(_, cancel)| cancel.cancel());
    }
}
