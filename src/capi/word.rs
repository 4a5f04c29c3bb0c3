//! The closed lists, as numbers. A number is never reused, and 0 is "none" wherever there can be none.

use std::{
    collections::BTreeMap,
    ffi::{CString, c_char},
    sync::{Mutex, PoisonError},
};

use super::status::{PARTWAY_NONE, misuse};
use crate::{
    client::{How, KooDriveEdition, LogLevel, NetworkPolicy, Phase, Remote, SignOut, State, WaitReason, Why},
    error::{Code, ErrorInfo},
    model::{Conflict, ConflictChoice, InstantMode, OnChange, ServiceName, SmhMode},
};

/// Service: Tencent Smart Media Hosting.
pub const PARTWAY_SERVICE_SMH: u32 = 1;
/// Service: Huawei KooDrive.
pub const PARTWAY_SERVICE_KOODRIVE: u32 = 2;

/// State: in line.
pub const PARTWAY_STATE_QUEUED: u32 = 1;
/// State: at work; see the phase.
pub const PARTWAY_STATE_ACTIVE: u32 = 2;
/// State: something outside must change first; see the waiting.
pub const PARTWAY_STATE_WAITING: u32 = 3;
/// State: you said so.
pub const PARTWAY_STATE_PAUSED: u32 = 4;
/// State, an ending: the object exists; see the receipt.
pub const PARTWAY_STATE_COMPLETED: u32 = 5;
/// State, an ending: it will not; see the error.
pub const PARTWAY_STATE_FAILED: u32 = 6;
/// State, an ending: you did not want it any more; see what could be undone.
pub const PARTWAY_STATE_CANCELLED: u32 = 7;

/// Phase: one that this header does not know.
pub const PARTWAY_PHASE_OTHER: u32 = 255;
/// Phase: comparing what was sent with a source that may be another one.
pub const PARTWAY_PHASE_VERIFYING: u32 = 1;
/// Phase: hashing ahead of sending.
pub const PARTWAY_PHASE_HASHING: u32 = 2;
/// Phase: opening a session at the service, or finding the one from before.
pub const PARTWAY_PHASE_STARTING: u32 = 3;
/// Phase: sending.
pub const PARTWAY_PHASE_UPLOADING: u32 = 4;
/// Phase: getting fresh links.
pub const PARTWAY_PHASE_RENEWING: u32 = 5;
/// Phase: having the object made.
pub const PARTWAY_PHASE_COMPLETING: u32 = 6;
/// Phase: finding out what became of a request whose answer was lost.
pub const PARTWAY_PHASE_RECONCILING: u32 = 7;

/// Waiting for something that this header does not know.
pub const PARTWAY_WAITING_OTHER: u32 = 255;
/// Waiting: the device is offline.
pub const PARTWAY_WAITING_NETWORK: u32 = 1;
/// Waiting: the network there is may not be used.
pub const PARTWAY_WAITING_NETWORK_POLICY: u32 = 2;
/// Waiting: for the next try.
pub const PARTWAY_WAITING_RETRY: u32 = 3;
/// Waiting: for a credential.
pub const PARTWAY_WAITING_CREDENTIAL: u32 = 4;
/// Waiting: for the source.
pub const PARTWAY_WAITING_SOURCE: u32 = 5;
/// Waiting: for an answer to a conflict; see the choices.
pub const PARTWAY_WAITING_CONFLICT: u32 = 6;
/// Waiting: the operating system has it.
pub const PARTWAY_WAITING_HANDED_OFF: u32 = 7;
/// Waiting: for space on the device.
pub const PARTWAY_WAITING_DISK: u32 = 8;
/// Waiting: the client is held.
pub const PARTWAY_WAITING_HELD: u32 = 9;
/// Waiting: another process has it.
pub const PARTWAY_WAITING_ELSEWHERE: u32 = 10;

/// What a cancel undid: the service gave everything up.
pub const PARTWAY_REMOTE_ABORTED: u32 = 1;
/// What a cancel undid: the service was not reached yet; it is tried again.
pub const PARTWAY_REMOTE_ABORT_PENDING: u32 = 2;
/// What a cancel undid: there was nothing.
pub const PARTWAY_REMOTE_NOTHING_THERE: u32 = 3;
/// What a cancel undid: the service has no way to do it.
pub const PARTWAY_REMOTE_CANNOT_ABORT: u32 = 4;

/// What a start led to: a new upload.
pub const PARTWAY_HOW_NEW: u32 = 1;
/// What a start led to: the key was known, and the upload of that key goes on.
pub const PARTWAY_HOW_ALREADY_THERE: u32 = 2;
/// What a start led to: a new upload that took over what an ended one had proven; that one is gone.
pub const PARTWAY_HOW_CONTINUED: u32 = 3;

/// Why a credential is asked for: there is none yet.
pub const PARTWAY_WHY_FIRST: u32 = 1;
/// Why a credential is asked for: the service refused the last one.
pub const PARTWAY_WHY_REFUSED: u32 = 2;
/// Why a credential is asked for: the one in use will soon be over; uploads go on with it meanwhile.
pub const PARTWAY_WHY_EXPIRING: u32 = 3;

/// After a sign-out: the uploads of the account wait for its next credential.
pub const PARTWAY_SIGN_OUT_HOLD: u32 = 1;
/// After a sign-out: the uploads of the account are cancelled.
pub const PARTWAY_SIGN_OUT_CANCEL: u32 = 2;

/// Which networks may be used: every one. The default.
pub const PARTWAY_NETWORK_POLICY_ANY: u32 = 1;
/// Which networks may be used: none of a foreign operator.
pub const PARTWAY_NETWORK_POLICY_NO_ROAMING: u32 = 2;
/// Which networks may be used: none whose bytes cost something.
pub const PARTWAY_NETWORK_POLICY_UNMETERED: u32 = 3;

/// How much a line of the log matters: something is broken.
pub const PARTWAY_LOG_ERROR: u32 = 1;
/// How much a line of the log matters: something needs somebody, or an upload failed. The default.
pub const PARTWAY_LOG_WARN: u32 = 2;
/// How much a line of the log matters: uploads come, change and end.
pub const PARTWAY_LOG_INFO: u32 = 3;
/// How much a line of the log matters: asks and their answers, the network, limits.
pub const PARTWAY_LOG_DEBUG: u32 = 4;

/// When the name is taken: wait for an answer; no byte is sent again.
pub const PARTWAY_CONFLICT_ASK: u32 = 1;
/// When the name is taken: take another one. The default.
pub const PARTWAY_CONFLICT_RENAME: u32 = 2;
/// When the name is taken: replace the file.
pub const PARTWAY_CONFLICT_OVERWRITE: u32 = 3;
/// When the name is taken: make nothing beside or over what is there. The upload waits for an answer, as with PARTWAY_CONFLICT_ASK; the services' own words
/// for the two differ.
pub const PARTWAY_CONFLICT_REFUSE: u32 = 4;
/// When the name is taken: keep what is there if it has the same content, else take another name.
pub const PARTWAY_CONFLICT_KEEP_IF_SAME: u32 = 5;

/// An answer to a conflict, a bit of the choices: take another name.
pub const PARTWAY_CHOICE_RENAME: u32 = 1;
/// An answer to a conflict, a bit of the choices: replace the file.
pub const PARTWAY_CHOICE_OVERWRITE: u32 = 2;
/// An answer to a conflict, a bit of the choices: keep what is there if it has the same content.
pub const PARTWAY_CHOICE_KEEP_IF_SAME: u32 = 4;
/// An answer to a conflict, a bit of the choices: cancel the upload.
pub const PARTWAY_CHOICE_CANCEL: u32 = 8;

/// When the bytes changed since the upload began: wait for the old ones; what was sent is kept. The default.
pub const PARTWAY_ON_CHANGE_FAIL: u32 = 1;
/// When the bytes changed since the upload began: begin over with the new ones.
pub const PARTWAY_ON_CHANGE_RESTART: u32 = 2;

/// Whether the service may recognise the content: hash first only when that is quick. The default.
pub const PARTWAY_INSTANT_AUTO: u32 = 1;
/// Whether the service may recognise the content: hash first if a hit needs it.
pub const PARTWAY_INSTANT_ALWAYS: u32 = 2;
/// Whether the service may recognise the content: never.
pub const PARTWAY_INSTANT_OFF: u32 = 3;

/// How SMH takes the bytes: as suits the size. The default.
pub const PARTWAY_SMH_MODE_AUTO: u32 = 1;
/// How SMH takes the bytes: one request.
pub const PARTWAY_SMH_MODE_SIMPLE: u32 = 2;
/// How SMH takes the bytes: one form.
pub const PARTWAY_SMH_MODE_FORM: u32 = 3;
/// How SMH takes the bytes: in parts.
pub const PARTWAY_SMH_MODE_MULTIPART: u32 = 4;

/// Which edition of KooDrive answers: China, and the international one since 2025. The default.
pub const PARTWAY_KOODRIVE_EDITION_CURRENT: u32 = 1;
/// Which edition of KooDrive answers: the international one by its text of July 2024.
pub const PARTWAY_KOODRIVE_EDITION_INTERNATIONAL_2024: u32 = 2;
/// Which edition of KooDrive answers: an operator's.
pub const PARTWAY_KOODRIVE_EDITION_CARRIER: u32 = 3;

pub(super) const EDITIONS: &[(u32, KooDriveEdition)] = &[
    (PARTWAY_KOODRIVE_EDITION_CURRENT, KooDriveEdition::Current),
    (PARTWAY_KOODRIVE_EDITION_INTERNATIONAL_2024, KooDriveEdition::International2024),
    (PARTWAY_KOODRIVE_EDITION_CARRIER, KooDriveEdition::Carrier),
];

pub(super) const SERVICES: &[(u32, ServiceName)] =
    &[(PARTWAY_SERVICE_SMH, ServiceName::Smh), (PARTWAY_SERVICE_KOODRIVE, ServiceName::KooDrive)];

pub(super) const CONFLICTS: &[(u32, Conflict)] = &[
    (PARTWAY_CONFLICT_ASK, Conflict::Ask),
    (PARTWAY_CONFLICT_RENAME, Conflict::Rename),
    (PARTWAY_CONFLICT_OVERWRITE, Conflict::Overwrite { if_version: None }),
    (PARTWAY_CONFLICT_REFUSE, Conflict::Refuse),
    (PARTWAY_CONFLICT_KEEP_IF_SAME, Conflict::KeepIfSame),
];

pub(super) const CHOICES: &[(u32, ConflictChoice)] = &[
    (PARTWAY_CHOICE_RENAME, ConflictChoice::Rename),
    (PARTWAY_CHOICE_OVERWRITE, ConflictChoice::Overwrite),
    (PARTWAY_CHOICE_KEEP_IF_SAME, ConflictChoice::KeepIfSame),
    (PARTWAY_CHOICE_CANCEL, ConflictChoice::Cancel),
];

pub(super) const ON_CHANGES: &[(u32, OnChange)] =
    &[(PARTWAY_ON_CHANGE_FAIL, OnChange::Fail), (PARTWAY_ON_CHANGE_RESTART, OnChange::Restart)];

pub(super) const INSTANTS: &[(u32, InstantMode)] = &[
    (PARTWAY_INSTANT_AUTO, InstantMode::Auto),
    (PARTWAY_INSTANT_ALWAYS, InstantMode::Always),
    (PARTWAY_INSTANT_OFF, InstantMode::Off),
];

pub(super) const SMH_MODES: &[(u32, SmhMode)] = &[
    (PARTWAY_SMH_MODE_AUTO, SmhMode::Auto),
    (PARTWAY_SMH_MODE_SIMPLE, SmhMode::Simple),
    (PARTWAY_SMH_MODE_FORM, SmhMode::Form),
    (PARTWAY_SMH_MODE_MULTIPART, SmhMode::Multipart),
];

pub(super) const WHYS: &[(u32, Why)] =
    &[(PARTWAY_WHY_FIRST, Why::First), (PARTWAY_WHY_REFUSED, Why::Refused), (PARTWAY_WHY_EXPIRING, Why::Expiring)];

pub(super) const SIGN_OUTS: &[(u32, SignOut)] =
    &[(PARTWAY_SIGN_OUT_HOLD, SignOut::Hold), (PARTWAY_SIGN_OUT_CANCEL, SignOut::Cancel)];

pub(super) const POLICIES: &[(u32, NetworkPolicy)] = &[
    (PARTWAY_NETWORK_POLICY_ANY, NetworkPolicy::Any),
    (PARTWAY_NETWORK_POLICY_NO_ROAMING, NetworkPolicy::NoRoaming),
    (PARTWAY_NETWORK_POLICY_UNMETERED, NetworkPolicy::Unmetered),
];

pub(super) const LOG_LEVELS: &[(u32, LogLevel)] = &[
    (PARTWAY_LOG_ERROR, LogLevel::Error),
    (PARTWAY_LOG_WARN, LogLevel::Warn),
    (PARTWAY_LOG_INFO, LogLevel::Info),
    (PARTWAY_LOG_DEBUG, LogLevel::Debug),
];

pub(super) const REMOTES: &[(u32, Remote)] = &[
    (PARTWAY_REMOTE_ABORTED, Remote::Aborted),
    (PARTWAY_REMOTE_ABORT_PENDING, Remote::AbortPending),
    (PARTWAY_REMOTE_NOTHING_THERE, Remote::NothingThere),
    (PARTWAY_REMOTE_CANNOT_ABORT, Remote::CannotAbort),
];

pub(super) const PHASES: &[(u32, Phase)] = &[
    (PARTWAY_PHASE_VERIFYING, Phase::Verifying),
    (PARTWAY_PHASE_HASHING, Phase::Hashing),
    (PARTWAY_PHASE_STARTING, Phase::Starting),
    (PARTWAY_PHASE_UPLOADING, Phase::Uploading),
    (PARTWAY_PHASE_RENEWING, Phase::Renewing),
    (PARTWAY_PHASE_COMPLETING, Phase::Completing),
    (PARTWAY_PHASE_RECONCILING, Phase::Reconciling),
];

pub(super) const REASONS: &[(u32, WaitReason)] = &[
    (PARTWAY_WAITING_NETWORK, WaitReason::Network),
    (PARTWAY_WAITING_NETWORK_POLICY, WaitReason::NetworkPolicy),
    (PARTWAY_WAITING_RETRY, WaitReason::Retry),
    (PARTWAY_WAITING_CREDENTIAL, WaitReason::Credential),
    (PARTWAY_WAITING_SOURCE, WaitReason::Source),
    (PARTWAY_WAITING_CONFLICT, WaitReason::Conflict),
    (PARTWAY_WAITING_HANDED_OFF, WaitReason::HandedOff),
    (PARTWAY_WAITING_DISK, WaitReason::Disk),
    (PARTWAY_WAITING_HELD, WaitReason::Held),
    (PARTWAY_WAITING_ELSEWHERE, WaitReason::Elsewhere),
];

/// The number of a value; `otherwise` for one that the table lacks, such as a later version's.
pub(super) fn number<T: PartialEq>(table: &[(u32, T)], value: &T, otherwise: u32) -> u32 {
    table.iter().find(|(_, known)| known == value).map_or(otherwise, |(number, _)| *number)
}

/// The value of a number that C gave.
pub(super) fn value<T: Clone>(table: &[(u32, T)], number: i64, what: &str) -> Result<T, ErrorInfo> {
    let known = table.iter().find(|(known, _)| i64::from(*known) == number);
    known.map(|(_, value)| value.clone()).ok_or_else(|| misuse(&format!("{number} is no {what}")))
}

/// The number of a list that the header writes in its order, from 0.
pub(super) fn place<T: PartialEq>(all: &[T], value: T) -> u32 {
    all.iter().position(|known| *known == value).and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX)
}

/// A number that C gave, where PARTWAY_NONE is none.
pub(super) fn some(number: u64) -> Option<u64> {
    (number != PARTWAY_NONE).then_some(number)
}

pub(super) fn or_none(number: Option<u64>) -> u64 {
    number.unwrap_or(PARTWAY_NONE)
}

pub(super) fn how_number(how: &How) -> u32 {
    match how {
        How::New => PARTWAY_HOW_NEW,
        How::AlreadyThere => PARTWAY_HOW_ALREADY_THERE,
        How::Continued { .. } => PARTWAY_HOW_CONTINUED,
    }
}

pub(super) fn state_number(state: &State) -> u32 {
    match state {
        State::Queued => PARTWAY_STATE_QUEUED,
        State::Active { .. } => PARTWAY_STATE_ACTIVE,
        State::Waiting { .. } => PARTWAY_STATE_WAITING,
        State::Paused => PARTWAY_STATE_PAUSED,
        State::Completed { .. } => PARTWAY_STATE_COMPLETED,
        State::Failed { .. } => PARTWAY_STATE_FAILED,
        State::Cancelled { .. } => PARTWAY_STATE_CANCELLED,
    }
}

/// An error code by its number, if it is known.
pub(super) fn known_code(number: u32) -> Option<Code> {
    Code::ALL.iter().copied().find(|code| code.number() == number)
}

/// A word of ours with a NUL behind it, for ever. There are a few dozen.
pub(super) fn terminated(word: &'static str) -> *const c_char {
    static WORDS: Mutex<BTreeMap<&'static str, CString>> = Mutex::new(BTreeMap::new());
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    words.entry(word).or_insert_with(|| CString::new(word).unwrap_or_default()).as_ptr()
}

fn name_of<T>(table: &[(u32, T)], number: u32, name: impl Fn(&T) -> &'static str) -> *const c_char {
    let known = table.iter().find(|(known, _)| *known == number);
    terminated(known.map_or("other", |(_, value)| name(value)))
}

/// The word for a state, such as waiting.
///
/// Memory: static, NUL-terminated, never NULL. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub extern "C" fn partway_state_name(state: u32) -> *const c_char {
    terminated(match state {
        PARTWAY_STATE_QUEUED => "queued",
        PARTWAY_STATE_ACTIVE => "active",
        PARTWAY_STATE_WAITING => "waiting",
        PARTWAY_STATE_PAUSED => "paused",
        PARTWAY_STATE_COMPLETED => "completed",
        PARTWAY_STATE_FAILED => "failed",
        PARTWAY_STATE_CANCELLED => "cancelled",
        _ => "other",
    })
}

/// The word for a phase, such as uploading.
///
/// Memory: static, NUL-terminated, never NULL. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub extern "C" fn partway_phase_name(phase: u32) -> *const c_char {
    name_of(PHASES, phase, |phase| phase.name())
}

/// The word for what is waited for, such as credential.
///
/// Memory: static, NUL-terminated, never NULL. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub extern "C" fn partway_waiting_name(reason: u32) -> *const c_char {
    name_of(REASONS, reason, |reason| reason.name())
}

/// The word for a remedy, such as free_cloud_space: a key for your translations.
///
/// Memory: static, NUL-terminated, never NULL. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub extern "C" fn partway_remedy_name(remedy: u32) -> *const c_char {
    use crate::error::Remedy;
    let known = usize::try_from(remedy).ok().and_then(|at| Remedy::ALL.get(at));
    terminated(known.map_or("other", |remedy| remedy.name()))
}
