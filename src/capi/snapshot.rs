//! Everything about one upload at one moment, given out.

use std::collections::BTreeMap;

use super::{
    error::{error_view, partway_error_t},
    kept::{Keep, free_view, share_view, view},
    sized::no_padding,
    text::partway_text_t,
    word,
};
use crate::{
    client::{Snapshot, State, Waiting},
    model::Receipt,
};

/// A name and its value.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct partway_pair_t {
    /// The name.
    pub name: partway_text_t,
    /// The value.
    pub value: partway_text_t,
}

no_padding!(partway_pair_t { name, value });

/// A named wait. Found in a snapshot.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct partway_waiting_t {
    /// Its size in the library; fields beyond it are not there.
    pub struct_size: usize,
    /// For what, PARTWAY_WAITING_….
    pub reason: u32,
    /// The answers that a conflict can have, PARTWAY_CHOICE_…, or-ed together.
    pub choices: u32,
    /// True: waiting alone will hardly help. You or a person have to do something.
    pub needs_host: bool,
    /// Not used.
    pub reserved: [u8; 7],
    /// Since when, by the device's clock, in milliseconds since 1970.
    pub since_unix_ms: i64,
    /// When it is tried again without anybody's help, in milliseconds from the snapshot; PARTWAY_NONE: not by itself.
    pub retry_in_ms: u64,
    /// What led to it; NULL: no error.
    pub error: *const partway_error_t,
    /// How much of the source you said is prepared, 0 to 1; below 0: you did not say.
    pub prepared: f64,
}

no_padding!(partway_waiting_t {
    struct_size,
    reason,
    choices,
    needs_host,
    reserved,
    since_unix_ms,
    retry_in_ms,
    error,
    prepared
});

/// The finished object, as the service told it. Found in a snapshot.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct partway_receipt_t {
    /// Its size in the library; fields beyond it are not there.
    pub struct_size: usize,
    /// The size of the object.
    pub size_bytes: u64,
    /// Its final name, after conflict handling.
    pub name: partway_text_t,
    /// Its final path from the root, the name last; NULL when the service gives none.
    pub path: *const partway_text_t,
    /// How many names the path has.
    pub path_count: usize,
    /// The service's id of it.
    pub file_id: partway_text_t,
    /// SHA-256 of the content, lower-case hex.
    pub sha256: partway_text_t,
    /// CRC-64/XZ of the content, decimal.
    pub crc64: partway_text_t,
    /// The version to name when it is to be replaced later only if nobody else did.
    pub version: partway_text_t,
    /// The service's id of the request that made it.
    pub request_id: partway_text_t,
    /// The service's own last answer, whole.
    pub service_json: partway_text_t,
    /// True: the service had the content already.
    pub instant: bool,
    /// True: a file of the same name was replaced.
    pub overwritten: bool,
    /// Not used.
    pub reserved: [u8; 6],
}

no_padding!(partway_receipt_t {
    struct_size,
    size_bytes,
    name,
    path,
    path_count,
    file_id,
    sha256,
    crc64,
    version,
    request_id,
    service_json,
    instant,
    overwritten,
    reserved
});

/// Everything about one upload at one moment. Read only, never changes, may be read by several threads at once.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct partway_snapshot_t {
    /// Its size in the library; fields beyond it are not there.
    pub struct_size: usize,
    /// Grows with every change within one process: a late callback can be told from a new one.
    pub revision: u64,
    /// 26 characters.
    pub id: partway_text_t,
    /// Your own name for it.
    pub key: partway_text_t,
    /// Your own grouping.
    pub group: partway_text_t,
    /// The account whose credential it uses.
    pub account: partway_text_t,
    /// Where to, for people: never for a log.
    pub destination: partway_text_t,
    /// Your own notes, by name.
    pub tags: *const partway_pair_t,
    /// How many.
    pub tags_count: usize,
    /// PARTWAY_SERVICE_….
    pub service: u32,
    /// Which networks it may use, PARTWAY_NETWORK_POLICY_….
    pub network_policy: u32,
    /// Where it stands, PARTWAY_STATE_….
    pub state: u32,
    /// At what, while it is active, PARTWAY_PHASE_…; else 0.
    pub phase: u32,
    /// What a cancel could undo, once it is cancelled, PARTWAY_REMOTE_…; else 0.
    pub remote: u32,
    /// Not used.
    pub reserved: u32,
    /// For what it waits; NULL unless it is waiting.
    pub waiting: *const partway_waiting_t,
    /// The object; NULL unless it is completed.
    pub receipt: *const partway_receipt_t,
    /// Why it failed; NULL unless it did.
    pub error: *const partway_error_t,
    /// When it was started, by the device's clock, in milliseconds since 1970.
    pub created_unix_ms: i64,
    /// When its state changed last, by the device's clock, in milliseconds since 1970.
    pub changed_unix_ms: i64,
    /// Bytes of the file; 0 until it was opened.
    pub bytes_total: u64,
    /// Bytes taken by the digest pass, where one runs.
    pub bytes_hashed: u64,
    /// Bytes that the service has for certain.
    pub bytes_acknowledged: u64,
    /// For a bar: acknowledged and in flight; never falls, never above the total.
    pub bytes_shown: u64,
    /// Bytes given to the network in this run.
    pub bytes_sent: u64,
    /// Those of them for stretches that were sent before.
    pub bytes_resent: u64,
    /// Bytes a second, over the last seconds; 0 while nothing is sent.
    pub rate_bytes_per_s: u64,
    /// How long the rest will take at that rate, in milliseconds; PARTWAY_NONE: it can't be said.
    pub eta_ms: u64,
    /// Parts that the service has for certain.
    pub parts_done: u32,
    /// Parts in all.
    pub parts_total: u32,
    /// Requests of this run.
    pub requests: u64,
    /// Failures of this run that led to another try.
    pub retries: u64,
}

no_padding!(partway_snapshot_t {
    struct_size,
    revision,
    id,
    key,
    group,
    account,
    destination,
    tags,
    tags_count,
    service,
    network_policy,
    state,
    phase,
    remote,
    reserved,
    waiting,
    receipt,
    error,
    created_unix_ms,
    changed_unix_ms,
    bytes_total,
    bytes_hashed,
    bytes_acknowledged,
    bytes_shown,
    bytes_sent,
    bytes_resent,
    rate_bytes_per_s,
    eta_ms,
    parts_done,
    parts_total,
    requests,
    retries
});

pub(super) fn pairs(of: &BTreeMap<String, String>, keep: &mut Keep) -> Vec<partway_pair_t> {
    of.iter().map(|(name, value)| partway_pair_t { name: keep.text(name), value: keep.text(value) }).collect()
}

fn waiting_view(waiting: &Waiting, keep: &mut Keep) -> partway_waiting_t {
    let error = waiting.error.as_ref().map(|error| error_view(error, keep));
    partway_waiting_t {
        struct_size: size_of::<partway_waiting_t>(),
        reason: word::number(word::REASONS, &waiting.reason, word::PARTWAY_WAITING_OTHER),
        choices: waiting.choices.iter().fold(0, |bits, choice| bits | word::number(word::CHOICES, choice, 0)),
        needs_host: waiting.needs_host,
        reserved: [0; 7],
        since_unix_ms: waiting.since_unix_ms,
        retry_in_ms: word::or_none(waiting.retry_in_ms),
        error: error.map_or(std::ptr::null(), |error| keep.one(error)),
        prepared: waiting.prepared.map_or(-1.0, f64::from),
    }
}

fn receipt_view(receipt: &Receipt, keep: &mut Keep) -> partway_receipt_t {
    let path: Option<Vec<partway_text_t>> =
        receipt.path.as_ref().map(|names| names.iter().map(|name| keep.text(name)).collect());
    partway_receipt_t {
        struct_size: size_of::<partway_receipt_t>(),
        size_bytes: receipt.size_bytes,
        name: keep.text(&receipt.name),
        path_count: path.as_ref().map_or(0, Vec::len),
        path: path.map_or(std::ptr::null(), |path| keep.all(path)),
        file_id: keep.some_text(receipt.file_id.as_deref()),
        sha256: keep.some_text(receipt.sha256.as_deref()),
        crc64: keep.some_text(receipt.crc64.as_deref()),
        version: keep.some_text(receipt.version.as_deref()),
        request_id: keep.some_text(receipt.request_id.as_deref()),
        service_json: keep.some_text(receipt.service_json.as_deref()),
        instant: receipt.instant,
        overwritten: receipt.overwritten,
        reserved: [0; 6],
    }
}

fn snapshot_view(snapshot: &Snapshot, keep: &mut Keep) -> partway_snapshot_t {
    let tags = pairs(&snapshot.tags, keep);
    let mut view = partway_snapshot_t {
        struct_size: size_of::<partway_snapshot_t>(),
        revision: snapshot.revision,
        id: keep.text(&snapshot.id),
        key: keep.text(&snapshot.key),
        group: keep.some_text(snapshot.group.as_deref()),
        account: keep.text(&snapshot.account),
        destination: keep.text(&snapshot.destination),
        tags_count: tags.len(),
        tags: keep.all(tags),
        service: word::number(word::SERVICES, &snapshot.service, 0),
        network_policy: word::number(word::POLICIES, &snapshot.network, 0),
        state: word::state_number(&snapshot.state),
        phase: 0,
        remote: 0,
        reserved: 0,
        waiting: std::ptr::null(),
        receipt: std::ptr::null(),
        error: std::ptr::null(),
        created_unix_ms: snapshot.created_unix_ms,
        changed_unix_ms: snapshot.changed_unix_ms,
        bytes_total: snapshot.progress.bytes_total,
        bytes_hashed: snapshot.progress.bytes_hashed,
        bytes_acknowledged: snapshot.progress.bytes_acknowledged,
        bytes_shown: snapshot.progress.bytes_shown,
        bytes_sent: snapshot.progress.bytes_sent,
        bytes_resent: snapshot.progress.bytes_resent,
        rate_bytes_per_s: snapshot.progress.rate_bytes_per_s,
        eta_ms: word::or_none(snapshot.progress.eta_ms),
        parts_done: snapshot.progress.parts_done,
        parts_total: snapshot.progress.parts_total,
        requests: snapshot.progress.requests,
        retries: snapshot.progress.retries,
    };
    match &snapshot.state {
        State::Active { phase } => view.phase = word::number(word::PHASES, phase, word::PARTWAY_PHASE_OTHER),
        State::Waiting { waiting } => {
            let waiting = waiting_view(waiting, keep);
            view.waiting = keep.one(waiting);
        }
        State::Completed { receipt } => {
            let receipt = receipt_view(receipt, keep);
            view.receipt = keep.one(receipt);
        }
        State::Failed { error } => {
            let error = error_view(error, keep);
            view.error = keep.one(error);
        }
        State::Cancelled { remote } => view.remote = word::number(word::REMOTES, remote, 0),
        State::Queued | State::Paused => {}
    }
    view
}

/// Hands a snapshot over to C.
pub(super) fn snapshot_given(snapshot: &Snapshot) -> *mut partway_snapshot_t {
    view(|keep| snapshot_view(snapshot, keep))
}

/// Keeps a snapshot beyond the callback or the list that it was found in. Nothing is copied.
///
/// Memory: free the result with partway_snapshot_free; NULL gives NULL. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_snapshot_copy(snapshot: *const partway_snapshot_t) -> *mut partway_snapshot_t {
    if snapshot.is_null() {
        return std::ptr::null_mut();
    }
    // SAFETY: each snapshot that is given out is from `snapshot_given`, also those in lists and callbacks.
    unsafe { share_view(snapshot) }
}

/// Frees a snapshot that was given to you, not one that you found in a callback or a list. NULL is nothing.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_snapshot_free(snapshot: *mut partway_snapshot_t) {
    // SAFETY: passed on.
    unsafe { free_view(snapshot) }
}

/// True once the upload has its one ending: completed, failed or cancelled. False for NULL.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_snapshot_ended(snapshot: *const partway_snapshot_t) -> bool {
    // SAFETY: the header asks for NULL or a live snapshot.
    unsafe { snapshot.as_ref() }.is_some_and(|snapshot| snapshot.state >= word::PARTWAY_STATE_COMPLETED)
}
