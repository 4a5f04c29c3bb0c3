//! What is said to uploads.

use super::{Change, Client, Conflict, ConflictChoice, Select, Snapshot, Source, State, start::policy_can_be_met};
use crate::{
    engine::{Command, Tuning},
    error::{Code, ErrorInfo},
};

impl Client {
    /// Stays until resumed, also over restarts. How many it was said to; idempotent in every state. **now**
    pub fn pause(&self, which: &Select) -> u32 {
        self.command(which, Command::Pause)
    }

    /// Goes on; also "try now" for what waits. **now**
    pub fn resume(&self, which: &Select) -> u32 {
        self.command(which, Command::Resume)
    }

    /// Ends; the ending tells what the service could undo. A cancel is a wish: an object that exists already makes it completed. **now**
    pub fn cancel(&self, which: &Select) -> u32 {
        self.command(which, Command::Cancel)
    }

    /// "I have stored the ending": removes ended uploads. How many are gone. **disk**
    pub fn forget(&self, which: &Select) -> u32 {
        let ended: Vec<String> = self
            .list(which)
            .into_iter()
            .filter(|snapshot| snapshot.state.ended())
            .map(|snapshot| snapshot.id)
            .collect();
        if ended.is_empty() { 0 } else { self.inner.runtime.forget(ended) }
    }

    /// Changes what is given, for this process and the next. How many it was said to. A network policy is refused by a client that was never told of a
    /// network. **now**
    pub fn change(&self, which: &Select, change: &Change) -> Result<u32, ErrorInfo> {
        policy_can_be_met(change.network.unwrap_or_default(), self.network_is_told())?;
        if change.parallel_parts == Some(0) {
            return Err(ErrorInfo::new(Code::InvalidArgument, "at least one part at a time"));
        }
        let ids = self.ids(which);
        let tuning = Tuning {
            priority: change.priority,
            network: change.network,
            rate_bytes_per_s: change.rate_bytes_per_s,
            parallel_parts: change.parallel_parts,
        };
        let commands = [
            (!tuning.is_empty()).then_some(Command::Tune(tuning)),
            change.conflict.clone().map(Command::Conflict),
            change.on_change.map(Command::OnChange),
        ];
        for command in commands.into_iter().flatten() {
            self.inner.runtime.command(ids.clone(), command);
        }
        Ok(ids.len() as u32)
    }

    /// Answers an open conflict. Nothing is sent again. Refused when the upload does not wait for that answer. **now**
    pub fn answer_conflict(&self, id: &str, choice: ConflictChoice) -> Result<(), ErrorInfo> {
        let snapshot = self.known(id)?;
        let State::Waiting { waiting } = &snapshot.state else {
            return Err(ErrorInfo::new(Code::WrongState, "the upload does not wait for an answer"));
        };
        if !waiting.choices.contains(&choice) {
            return Err(ErrorInfo::new(Code::WrongState, "that is not one of the choices of this conflict"));
        }
        let command = match choice {
            ConflictChoice::Rename => Command::Conflict(Conflict::Rename),
            ConflictChoice::Overwrite => Command::Conflict(Conflict::Overwrite { if_version: None }),
            ConflictChoice::KeepIfSame => Command::Conflict(Conflict::KeepIfSame),
            ConflictChoice::Cancel => Command::Cancel,
        };
        self.inner.runtime.command(vec![id.to_owned()], command);
        Ok(())
    }

    /// Gives an upload its source again; a path and a token are kept for the next process as well. The same bytes go on where it was. **now**
    pub fn attach_source(&self, id: &str, source: Source) -> Result<(), ErrorInfo> {
        self.known(id)?;
        self.inner.runtime.attach(id.to_owned(), source);
        Ok(())
    }

    fn command(&self, which: &Select, command: Command) -> u32 {
        let ids = self.ids(which);
        let count = ids.len() as u32;
        self.inner.runtime.command(ids, command);
        count
    }

    /// Those that have not ended.
    fn ids(&self, which: &Select) -> Vec<String> {
        self.list(which).into_iter().filter(|snapshot| !snapshot.state.ended()).map(|snapshot| snapshot.id).collect()
    }

    pub(super) fn known(&self, id: &str) -> Result<Snapshot, ErrorInfo> {
        self.watch().known(id)
    }
}
