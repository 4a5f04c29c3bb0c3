//! The disk thread: what is done to journals, in order. Nothing of a host's runs on it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{
    LogLevel,
    board::Board,
    journal::{Id, Journal, OpenFault, Recovery, StateDir, Sync},
    logger::Logger,
    mailbox::Mailbox,
    message::{Loaded, Message, Removed, Said},
    outlet::Outlet,
    pool::Pool,
    sources::{TempCopy, When},
    unix_ms,
};
use crate::{
    channel::Sender,
    engine::{Command, CommitId, Facts, Record, at_rest},
    error::{Code, ErrorInfo},
};

/// One thing to do on the disk.
pub(super) enum Job {
    /// Locks and reads a journal.
    Load { row: usize, id: Id },
    /// Appends records.
    Append { row: usize, id: Id, records: Vec<(CommitId, Record)> },
    /// Closes a journal and drops its lock.
    Close { row: usize, id: Id },
    /// Keeps what was said of uploads at rest, one after the other, without a machine.
    Say { all: Vec<(usize, Id, Vec<Command>)> },
    /// Removes a journal that is closed, and takes its snapshot down; `superseded`: another upload took it over, the host's temporary copy included.
    Remove { row: usize, id: Id, board: Arc<Board>, outlet: Arc<Outlet>, gone: Sender<()>, superseded: bool },
}

/// A journal at work.
struct Open {
    journal: Journal,
    /// After a failure nothing of that round is appended any more: the machine sends it all again, in order, in the next one.
    failed_round: Option<u32>,
}

/// The journals that are open, whichever thread serves them.
#[derive(Default)]
pub(super) struct Journals {
    open: Mutex<HashMap<Id, Open>>,
    closed: AtomicBool,
    /// That there are no locks here was said.
    unlocked_said: AtomicBool,
}

impl Journals {
    fn open(&self) -> MutexGuard<'_, HashMap<Id, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of all of them, at once or when the disk thread is through with the one it has: whoever opens the directory next finds them free. Never blocks.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let open = match self.open.try_lock() {
            Ok(mut open) => std::mem::take(&mut *open),
            // Whoever has them looks whether they are closed when he is through.
            Err(_) => return,
        };
        drop(open);
    }

    fn close_if_closed(&self) {
        if self.closed.load(Ordering::SeqCst) {
            let open = std::mem::take(&mut *self.open());
            drop(open);
        }
    }

    /// Opening may have had to do something, or found that it can't keep others away.
    fn note(&self, id: Id, recovery: Recovery, logger: &Logger) {
        if recovery.cut_bytes > 0 {
            let bytes = recovery.cut_bytes;
            logger.log(LogLevel::Info, "journal", || format!("{id}: a torn end of {bytes} bytes was cut off"));
        }
        if recovery.unlocked && !self.unlocked_said.swap(true, Ordering::SeqCst) {
            let what = "the state directory is on a file system without locks: nothing keeps a second process away";
            logger.log(LogLevel::Warn, "journal", || what.to_owned());
        }
    }
}

/// The pool of one.
pub(super) fn pool(
    dir: Arc<StateDir>,
    mailbox: Arc<Mailbox>,
    journals: Arc<Journals>,
    logger: Logger,
) -> Arc<Pool<Job>> {
    Arc::new_cyclic(|pool: &std::sync::Weak<Pool<Job>>| {
        let again = pool.clone();
        Pool::new("partway-disk", 1, move || {
            let (dir, mailbox, journals, again) = (dir.clone(), mailbox.clone(), journals.clone(), again.clone());
            let logger = logger.clone();
            Box::new(move |job| {
                let later = serve(job, &dir, &mailbox, &journals, &logger);
                journals.close_if_closed();
                if let (Some(later), Some(pool)) = (later, again.upgrade()) {
                    pool.submit(later);
                }
            })
        })
    })
}

fn serve(job: Job, dir: &StateDir, mailbox: &Mailbox, journals: &Journals, logger: &Logger) -> Option<Job> {
    match job {
        Job::Load { row, id } => {
            let loaded = match dir.open_folded(id, |records| Facts::new(records)) {
                Ok((journal, Ok(facts), recovery)) => {
                    journals.note(id, recovery, logger);
                    journals.open().insert(id, Open { journal, failed_round: None });
                    Loaded::Ready(Box::new(facts))
                }
                Ok((_, Err(error), _)) => Loaded::Lost(error),
                Err(fault) => not_loaded(fault),
            };
            mailbox.post(Message::Loaded { row, loaded });
        }
        Job::Append { row, id, records } => {
            let results = append(&mut journals.open(), id, records);
            if !results.is_empty() {
                mailbox.post(Message::Appended { row, results });
            }
        }
        Job::Close { row, id } => {
            let journal = journals.open().remove(&id);
            drop(journal);
            mailbox.post(Message::Closed { row });
        }
        Job::Say { mut all } => {
            let rest = all.split_off(all.len().min(SAY_AT_ONCE));
            say_all(dir, mailbox, all);
            // Behind what came meanwhile: what uploads at work write does not wait for all of these.
            return (!rest.is_empty()).then_some(Job::Say { all: rest });
        }
        Job::Remove { row, id, board, outlet, gone, superseded } => {
            let copy = if superseded { None } else { copy_of(dir, id) };
            // A journal that can't be removed is still there, and its upload with it: the ending is told once more, never lost.
            let removed = match dir.remove(id) {
                Ok(()) => {
                    if board.remove(id.as_str()) {
                        outlet.forgotten(id.as_str());
                    }
                    Removed::Gone(copy)
                }
                Err(_) => Removed::Not,
            };
            let is_gone = matches!(removed, Removed::Gone(_));
            mailbox.post(Message::Removed { row, removed });
            if is_gone {
                gone.send(());
            }
        }
    }
    None
}

/// Journals that are open at once while what was said is kept.
const SAY_AT_ONCE: usize = 32;

/// Keeps what was said of several uploads. All of it is written before any of it is synced: a disk brings the whole to rest at the price of one.
fn say_all(dir: &StateDir, mailbox: &Mailbox, all: Vec<(usize, Id, Vec<Command>)>) {
    let written: Vec<_> = all
        .into_iter()
        .map(|(row, id, commands)| {
            let said = say(dir, id, &commands);
            (row, id, commands, said)
        })
        .collect();
    let ends = |said: &Result<(Box<Facts>, Journal), Said>| matches!(said, Ok((facts, _)) if facts.ending.is_some());
    let unnamed = written.iter().any(|(_, id, _, said)| ends(said) && !dir.has_settled_name(*id));
    let named = if unnamed { dir.settle_names() } else { Ok(()) };
    for (row, id, commands, said) in written {
        let said = match said {
            Ok((facts, journal)) => {
                // An ending is told only when it outlives the power.
                let ended = facts.ending.is_some();
                let kept = if ended { named.clone().and_then(|()| dir.settle(id)) } else { Ok(()) };
                drop(journal);
                kept.map_or_else(|error| Said::Not(Loaded::Refused(error)), |()| Said::Kept(facts))
            }
            Err(said) => said,
        };
        mailbox.post(Message::Said { row, commands, said });
    }
}

/// Locks a journal and appends what was said; nothing of it is synced.
fn say(dir: &StateDir, id: Id, commands: &[Command]) -> Result<(Box<Facts>, Journal), Said> {
    let opened = dir.open_folded(id, |records| Facts::new(records));
    let (mut journal, facts, _) = opened.map_err(|fault| Said::Not(not_loaded(fault)))?;
    let mut facts = facts.map_err(|error| Said::Not(Loaded::Lost(error)))?;
    for command in commands {
        for record in at_rest(&facts, command, unix_ms()).ok_or(Said::NeedsMachine)? {
            // What is kept already stays: to say it again does no harm.
            fits(&journal, &record)
                .and_then(|()| journal.append(&record, Sync::Process))
                .map_err(|error| Said::Not(Loaded::Refused(error)))?;
            facts.apply(record);
        }
    }
    Ok((Box::new(facts), journal))
}

fn not_loaded(fault: OpenFault) -> Loaded {
    match fault {
        fault @ OpenFault::InUse { .. } => Loaded::Elsewhere(fault.into()),
        OpenFault::Io(error) => Loaded::Refused(error),
        OpenFault::Gone => Loaded::Gone,
        fault => Loaded::Lost(fault.into()),
    }
}

/// The host's temporary copy that goes with a journal.
fn copy_of(dir: &StateDir, id: Id) -> Option<TempCopy> {
    let facts = dir.fold(id, |records| Facts::new(records)).ok()?.ok()?;
    TempCopy::of(&facts, None, When::Forgotten)
}

/// A journal that was filled by whatever it was still takes what a host wants of the upload, and its end.
fn fits(journal: &Journal, record: &Record) -> Result<(), ErrorInfo> {
    if journal.has_room() || matches!(record, Record::Wish { .. } | Record::Ending { .. }) {
        return Ok(());
    }
    Err(ErrorInfo::new(Code::JournalUnwritable, "the journal is as long as it may be"))
}

/// Appends what there is room for, all of it at once. Of a part that is only being tried nobody waits to hear that it is kept.
fn append(
    journals: &mut HashMap<Id, Open>,
    id: Id,
    records: Vec<(CommitId, Record)>,
) -> Vec<(CommitId, Result<(), ErrorInfo>)> {
    let fail = |error: &ErrorInfo| records.iter().map(|(commit, _)| (*commit, Err(error.clone()))).collect();
    let Some(open) = journals.get_mut(&id) else {
        return fail(&ErrorInfo::new(Code::Bug, "a record for a journal that is not open"));
    };
    let last_round = records.iter().map(|(commit, _)| commit.round).max();
    // After a failed sync a handle is worth nothing any more: the journal is opened anew, and stays locked meanwhile.
    if open.journal.is_poisoned()
        && let Err(error) = open.journal.reopen()
    {
        open.failed_round = last_round;
        return fail(&error);
    }
    let (failed_round, journal) = (open.failed_round, &mut open.journal);
    let mut results: Vec<_> = records
        .iter()
        .map(|(commit, record)| {
            let result = if failed_round == Some(commit.round) {
                Err(ErrorInfo::new(Code::JournalUnwritable, "a record before this one could not be kept"))
            } else {
                fits(journal, record)
            };
            (*commit, result)
        })
        .collect();
    let fitting = results.iter().zip(&records).filter(|((_, result), _)| result.is_ok());
    if let Err(error) = journal.append_all(fitting.map(|(_, (_, record))| (record, record.sync()))) {
        open.failed_round = last_round;
        results.iter_mut().filter(|(_, result)| result.is_ok()).for_each(|(_, result)| *result = Err(error.clone()));
    }
    let awaited = |record: &Record, result: &Result<(), ErrorInfo>| result.is_err() || !is_unawaited(record);
    let kept = results.into_iter().zip(&records);
    kept.filter(|((_, result), (_, record))| awaited(record, result)).map(|(result, _)| result).collect()
}

/// True for what nobody waits for: that a part is being tried tells the next process what may be sent again, what is waited for tells it why nothing was
/// sent, and neither holds anything up in this one.
pub(super) fn is_unawaited(record: &Record) -> bool {
    matches!(record, Record::Try { .. } | Record::Waits(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::Ending, engine::Wish, runtime::journal::FILE_BYTES_MAX, runtime::journal::RESERVED_BYTES};

    fn id() -> Id {
        Id::parse("01M7WDNRZR1VYK827PWWTC5XX8").expect("an id")
    }

    fn upload() -> Record {
        let target = serde_json::json!({ "service": "smh", "endpoint": "https://api.example.com", "account": "me", "library": "l", "path": "a" });
        let record = serde_json::json!({ "r": "upload", "id": id().as_str(), "key": "k", "created_unix_ms": 0, "target": target, "source": {} });
        serde_json::from_value(record).expect("a record")
    }

    /// A journal that is open for appending.
    fn opened() -> (tempfile::TempDir, StateDir, HashMap<Id, Open>) {
        let temp = tempfile::tempdir().expect("a directory");
        let dir = StateDir::open(temp.path().join("state")).expect("a state directory");
        dir.create_all(&[(id(), vec![upload()])]).expect("created");
        let (journal, ..) = dir.open_journal::<Record>(id()).expect("opened");
        (temp, dir, HashMap::from([(id(), Open { journal, failed_round: None })]))
    }

    fn commits(round: u32, records: impl IntoIterator<Item = Record>) -> Vec<(CommitId, Record)> {
        records.into_iter().zip(1..).map(|(record, number)| (CommitId { round, number }, record)).collect()
    }

    fn part(part_number: u32) -> Record {
        Record::Part { part_number, crc64: 7 }
    }

    fn kept(results: &[(CommitId, Result<(), ErrorInfo>)]) -> Vec<(u64, bool)> {
        results.iter().map(|(commit, result)| (commit.number, result.is_ok())).collect()
    }

    #[test]
    fn records_of_one_turn_are_one_write_and_nobody_hears_of_a_try() {
        let (_temp, dir, mut journals) = opened();
        let all = commits(0, [part(1), Record::Try { part_number: 2 }, part(3)]);
        assert_eq!(kept(&append(&mut journals, id(), all)), [(1, true), (3, true)]);
        assert!(append(&mut journals, id(), commits(0, [Record::Try { part_number: 4 }])).is_empty());
        assert_eq!(dir.read::<Record>(id()).expect("readable").len(), 5);
    }

    /// It was opened anew under another lock, by then perhaps another process's, and the round that had failed was forgotten: what came behind the hole was kept.
    #[test]
    fn a_journal_that_is_opened_anew_stays_locked_and_remembers_what_failed() {
        let (temp, dir, mut journals) = opened();
        assert_eq!(kept(&append(&mut journals, id(), commits(0, [part(1)]))), [(1, true)]);
        let open = journals.get_mut(&id()).expect("open");
        open.journal.poison();
        open.failed_round = Some(3);
        // Half a line that could not be taken back.
        let path = temp.path().join("state").join(format!("{}.journal", id()));
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).expect("opened");
        std::io::Write::write_all(&mut file, b"0123abcd {\"r\":\"part\"").expect("written");
        assert_eq!(kept(&append(&mut journals, id(), commits(3, [part(2)]))), [(1, false)], "behind what failed");
        assert!(dir.open_journal::<Record>(id()).is_err(), "it is locked");
        assert_eq!(kept(&append(&mut journals, id(), commits(4, [part(2)]))), [(1, true)]);
        assert_eq!(dir.read::<Record>(id()).expect("whole").len(), 3);
        // Something that we wrote is gone: whatever happened there, nothing is written behind it.
        journals.get_mut(&id()).expect("open").journal.poison();
        std::fs::OpenOptions::new().write(true).open(&path).and_then(|file| file.set_len(100)).expect("cut");
        assert_eq!(kept(&append(&mut journals, id(), commits(5, [part(3)]))), [(1, false)]);
        assert!(dir.open_journal::<Record>(id()).is_err(), "it is still locked");
    }

    /// A journal that was full took no end, nor a wish for one.
    #[test]
    fn a_full_journal_still_takes_the_last_words() {
        let (_temp, dir, mut journals) = opened();
        let open = journals.get_mut(&id()).expect("open");
        open.journal.pretend_bytes(FILE_BYTES_MAX - RESERVED_BYTES);
        let ending = Record::Ending { ending: Ending::Cancelled(crate::engine::Remote::Aborted), unix_ms: 1 };
        let all = commits(0, [part(1), Record::Wish { wish: Wish::Cancel }, part(2), ending]);
        assert_eq!(kept(&append(&mut journals, id(), all)), [(1, false), (2, true), (3, false), (4, true)]);
        assert_eq!(dir.read::<Record>(id()).expect("readable").len(), 3);
    }

    /// It was thrown away: on such a file system two processes could work on one upload, and nobody knew.
    #[test]
    fn that_there_are_no_locks_is_said_once() {
        struct Lines(std::sync::mpsc::Sender<String>);
        impl crate::runtime::LogSink for Lines {
            fn log(&self, level: LogLevel, target: &str, line: &str) {
                let _ = self.0.send(format!("{level:?} {target} {}", line.contains("locks")));
            }
        }
        let (said, lines) = std::sync::mpsc::channel();
        let logger = Logger::new(Some(Arc::new(Lines(said))), LogLevel::Info);
        let journals = Journals::default();
        let unlocked = Recovery { cut_bytes: 0, unlocked: true };
        journals.note(id(), unlocked, &logger);
        journals.note(id(), Recovery { cut_bytes: 7, ..unlocked }, &logger);
        logger.log(LogLevel::Info, "end", String::new);
        let lines: Vec<String> = lines.iter().take(3).collect();
        assert_eq!(lines, ["Warn journal true", "Info journal false", "Info end false"]);
    }

    #[test]
    fn a_client_that_closes_lets_go_of_its_journals_whoever_is_at_work() {
        let (_temp, dir, open) = opened();
        let journals = Journals::default();
        *journals.open() = open;
        let working = journals.open();
        journals.close();
        assert!(dir.open_journal::<Record>(id()).is_err(), "the disk thread is not through");
        drop(working);
        journals.close_if_closed();
        assert!(dir.open_journal::<Record>(id()).is_ok());
    }
}
