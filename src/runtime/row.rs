//! One upload as the driver holds it: a few hundred bytes while it waits in line, a machine while it works.

use std::{collections::BTreeSet, sync::Arc};

use super::journal::Id;
use crate::{
    engine::{Command, Facts, Machine, Memory, OpId, Progress, SourceRecord, State, UploadRecord, WaitReason, Waiting, Wish},
    error::ErrorInfo,
    model::{Identity, ServiceName, Tick},
    source::{Source, SourceOffer},
    transport::CancelToken,
};

/// What it is doing, as far as threads and files go.
pub(super) enum Stage {
    /// Nothing is open. In line if it may go on by itself.
    Idle,
    /// Its journal is being opened.
    Loading,
    /// It works.
    Live(Box<Live>),
    /// Its journal is being closed.
    Closing,
}

/// What an upload at work needs.
pub(super) struct Live {
    pub(super) machine: Machine,
    pub(super) source: Option<(Arc<dyn Source>, Identity)>,
    pub(super) cancels: Vec<(OpId, CancelToken)>,
    pub(super) wake: Option<Tick>,
    pub(super) done: bool,
    /// Which opening of the source is waited for.
    pub(super) source_ask: u64,
    /// The host was asked for it, and must answer by then.
    pub(super) source_by: Option<Tick>,
    /// The host's own answer is being opened: a failure of that is final for this asking.
    pub(super) source_offered: bool,
}

impl Live {
    pub(super) fn new(machine: Machine) -> Live {
        Live {
            machine,
            source: None,
            cancels: vec![],
            wake: None,
            done: false,
            source_ask: 0,
            source_by: None,
            source_offered: false,
        }
    }
}

/// One upload.
pub(super) struct Row {
    pub(super) id: Id,
    pub(super) account: String,
    pub(super) service: ServiceName,
    pub(super) priority: i8,
    pub(super) created_unix_ms: i64,
    pub(super) key: String,
    /// How to come by the source, beside what the host gave in this process.
    pub(super) source: SourceRecord,
    /// What the host gave in this process.
    pub(super) offer: Option<SourceOffer>,
    pub(super) stage: Stage,
    /// It may go on by itself: it stands in line.
    pub(super) eligible: bool,
    /// It goes on by itself at that tick.
    pub(super) wake: Option<Tick>,
    /// What its last machine counted.
    pub(super) memory: Option<Memory>,
    /// Said to it while it was not at work.
    pub(super) commands: Vec<Command>,
    /// The services' hosts that it spoke to in this run.
    pub(super) hosts: BTreeSet<String>,
    /// The host has taken its ending.
    pub(super) forget: Option<crossbeam_channel::Sender<()>>,
    /// As published last.
    pub(super) state: State,
    pub(super) progress: Progress,
    pub(super) published: Tick,
}

impl Row {
    /// A row over what its journal says. The upload itself stays on the disk.
    pub(super) fn new(id: Id, facts: &Facts, unix_ms: i64) -> Row {
        let UploadRecord { key, target, source, priority, created_unix_ms, .. } = &facts.upload;
        let state = state_at_rest(facts, unix_ms);
        Row {
            id,
            account: target.account().to_owned(),
            service: target.service(),
            priority: *priority,
            created_unix_ms: *created_unix_ms,
            key: key.clone(),
            source: source.clone(),
            offer: None,
            stage: Stage::Idle,
            eligible: matches!(state, State::Queued) || needs_abort(facts),
            wake: None,
            memory: None,
            commands: vec![],
            hosts: BTreeSet::from([crate::model::http::host_of(target.endpoint()).to_owned()]),
            forget: None,
            progress: progress_at_rest(facts),
            state,
            published: Tick(0),
        }
    }

    /// True when it could be given a machine now.
    pub(super) fn may_load(&self, now: Tick) -> bool {
        matches!(self.stage, Stage::Idle)
            && self.wake.is_none_or(|wake| wake <= now)
            && (!self.commands.is_empty() || self.eligible)
    }

    /// Puts it in line again if it waits for one of these.
    pub(super) fn again_if(&mut self, reasons: &[WaitReason]) {
        let waits = matches!(&self.state, State::Waiting { waiting } if reasons.contains(&waiting.reason));
        // One whose journal is just being closed too: its machine is gone and hears nothing any more.
        if waits && matches!(self.stage, Stage::Idle | Stage::Closing) {
            self.eligible = true;
            self.wake = None;
        }
    }

    pub(super) fn live(&mut self) -> Option<&mut Live> {
        match &mut self.stage {
            Stage::Live(live) => Some(live),
            _ => None,
        }
    }
}

fn needs_abort(facts: &Facts) -> bool {
    facts.ending == Some(crate::engine::Ending::Cancelled(crate::engine::Remote::AbortPending))
}

/// Where an upload stands that nobody works on.
pub(super) fn state_at_rest(facts: &Facts, unix_ms: i64) -> State {
    use crate::engine::Ending;
    match (&facts.ending, facts.wish) {
        (Some(Ending::Completed(receipt)), _) => State::Completed { receipt: receipt.clone() },
        (Some(Ending::Failed(error)), _) => State::Failed { error: error.clone() },
        (Some(Ending::Cancelled(remote)), _) => State::Cancelled { remote: *remote },
        (None, Wish::Pause) => State::Paused,
        (None, _) if facts.conflict_asked => State::Waiting {
            waiting: Waiting {
                reason: WaitReason::Conflict,
                since_unix_ms: unix_ms,
                retry_in_ms: None,
                error: Some(ErrorInfo::new(
                    crate::error::Code::NameConflict,
                    "the name is taken; nothing has to be sent again once that is answered",
                )),
                choices: crate::service::open(&facts.upload.target)
                    .map(|service| service.capabilities().conflict_choices.to_vec())
                    .unwrap_or_default(),
                needs_host: true,
            },
        },
        (None, _) => State::Queued,
    }
}

/// How far an upload is that nobody works on.
pub(super) fn progress_at_rest(facts: &Facts) -> Progress {
    Progress {
        bytes_total: facts.plan.map_or(0, |plan| plan.size_bytes),
        bytes_hashed: facts.bytes_hashed(),
        bytes_acknowledged: facts.bytes_proven,
        bytes_shown: facts.bytes_proven,
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
