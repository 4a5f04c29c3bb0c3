//! The client. What each function costs: "No I/O" may be called on any thread, the main thread too; "Writes" syncs a file and "Blocks" waits, so neither
//! belongs there.

use std::sync::Arc;

use super::{
    Change, ConflictChoice, Credential, Explanation, Idle, Limits, NativeConfig, NativeError, Network, Problem,
    RemoteLook, SecretText, Select, SignOut, Snapshot, Source, StartResult, Started, UploadRequest,
    number::{floored, unsigned_or_none},
};
use crate::client::{self, Client};

/// One a state directory and process. Freeing it ends what is under way and cancels nothing.
#[derive(uniffi::Object)]
pub struct NativeClient {
    client: Client,
}

fn counted(count: u32) -> i32 {
    super::number::int(count)
}

#[uniffi::export]
impl NativeClient {
    /// Opens the state directory, recovers what is in it and, unless told otherwise, goes on. Writes.
    #[uniffi::constructor]
    pub fn open(config: NativeConfig) -> Result<Arc<NativeClient>, NativeError> {
        Ok(Arc::new(NativeClient { client: Client::open(config.try_into()?)? }))
    }

    /// Holds, then ends. `true`: everything came to rest, and no callback runs or will. `false`: something was cut off after `timeout_ms`, or a callback does
    /// not return; the journals are whole either way. Blocks.
    pub fn shutdown(&self, timeout_ms: i64) -> bool {
        self.client.close(floored(timeout_ms))
    }

    /// Journals that could not be read at open. No I/O.
    pub fn problems(&self) -> Vec<Problem> {
        self.client.problems().iter().cloned().map(Into::into).collect()
    }

    /// Starts an upload, or finds the one of that key; one that failed or was cancelled is begun again with what it had proven, as the request says now.
    /// When it returns the upload survives a kill. Writes.
    pub fn start(&self, request: UploadRequest) -> Result<Started, NativeError> {
        Ok(self.client.start(request.try_into()?)?.into())
    }

    /// The same for many, each journal is synced, their directory once for the lot. One that is refused harms no other. Writes.
    pub fn start_all(&self, requests: Vec<UploadRequest>) -> Vec<StartResult> {
        let requests: Vec<Result<client::UploadRequest, NativeError>> =
            requests.into_iter().map(TryInto::try_into).collect();
        let fine = requests.iter().filter_map(|request| request.as_ref().ok()).cloned().collect();
        let mut started = self.client.start_all(fine).into_iter();
        let result = |request: Result<client::UploadRequest, NativeError>| match request {
            Err(NativeError::Failed { info }) => Some(StartResult::Refused { error: info }),
            Ok(_) => started.next().map(|result| match result {
                Ok(started) => StartResult::Started { started: started.into() },
                Err(error) => StartResult::Refused { error: error.into() },
            }),
        };
        requests.into_iter().filter_map(result).collect()
    }

    /// Stays until resumed, also over restarts. How many it was said to. No I/O.
    pub fn pause(&self, which: Select) -> i32 {
        counted(self.client.pause(&which.into()))
    }

    /// Goes on; also "try now" for what waits. How many it was said to. No I/O.
    pub fn resume(&self, which: Select) -> i32 {
        counted(self.client.resume(&which.into()))
    }

    /// Ends; the ending tells what the service could undo. An object that exists already makes it completed. How many it was said to. No I/O.
    pub fn cancel(&self, which: Select) -> i32 {
        counted(self.client.cancel(&which.into()))
    }

    /// "I have stored the ending": removes ended uploads. How many are gone. Writes.
    pub fn forget(&self, which: Select) -> i32 {
        counted(self.client.forget(&which.into()))
    }

    /// Begins a failed or cancelled upload again: a new id, the same key, everything that was proven. The old one is gone. Writes.
    pub fn retry(&self, id: String) -> Result<Started, NativeError> {
        Ok(self.client.retry(&id)?.into())
    }

    /// Changes what is given. How many it was said to. No I/O.
    pub fn change(&self, which: Select, change: Change) -> Result<i32, NativeError> {
        Ok(counted(self.client.change(&which.into(), &change.try_into()?)?))
    }

    /// Answers an open conflict. Nothing is sent again. No I/O.
    pub fn answer_conflict(&self, id: String, choice: ConflictChoice) -> Result<(), NativeError> {
        Ok(self.client.answer_conflict(&id, choice.into())?)
    }

    /// Gives an upload its source again. The same bytes go on where it was. No I/O.
    pub fn attach_source(&self, id: String, source: Source) -> Result<(), NativeError> {
        Ok(self.client.attach_source(&id, source.try_into()?)?)
    }

    /// One upload. No I/O.
    pub fn snapshot(&self, id: String) -> Option<Snapshot> {
        self.client.snapshot(&id).map(Into::into)
    }

    /// The upload of a key. No I/O.
    pub fn find(&self, key: String) -> Option<Snapshot> {
        self.client.find(&key).map(Into::into)
    }

    /// Those that fit, oldest first; ended ones that were not forgotten too. No I/O.
    pub fn list(&self, which: Select) -> Vec<Snapshot> {
        self.client.list(&which.into()).into_iter().map(Into::into).collect()
    }

    /// Waits for the ending; the present snapshot at time-out. Blocks.
    pub fn wait(&self, id: String, timeout_ms: Option<i64>) -> Result<Snapshot, NativeError> {
        Ok(self.client.wait(&id, unsigned_or_none("timeout_ms", timeout_ms)?)?.into())
    }

    /// Waits for a snapshot that is newer than `revision`; none at time-out. Blocks.
    pub fn wait_change(&self, id: String, revision: i64, timeout_ms: i64) -> Option<Snapshot> {
        self.client.wait_change(&id, floored(revision), floored(timeout_ms)).map(Into::into)
    }

    /// What blocks it, when it is tried next, how often it was. No I/O.
    pub fn explain(&self, id: String) -> Option<Explanation> {
        self.client.explain(&id).map(Into::into)
    }

    /// What happened to it, as JSON for a bug report; no name, path, key, tag, token or URL is in it. Reads a file.
    pub fn timeline_json(&self, id: String) -> Option<String> {
        self.client.timeline_json(&id)
    }

    /// Asks the service for its own view of it; nothing of the upload changes. Blocks for the host's credential and for the answers.
    pub fn look_remote(&self, id: String) -> Result<RemoteLook, NativeError> {
        Ok(self.client.look_remote(&id)?.into())
    }

    /// A credential, unasked, such as after a log-in; ends the waits for it. No I/O.
    pub fn set_credential(&self, account: String, credential: Credential) -> Result<(), NativeError> {
        self.client.set_credential(&account, credential.try_into()?);
        Ok(())
    }

    /// Nobody is signed in to the account any more: before this returns its credential is wiped from where it was kept for further requests, and what is under
    /// way for it is told to end. A request that is on its way still carries it until it has ended. Writes.
    pub fn sign_out(&self, account: String, then: SignOut) {
        self.client.sign_out(&account, then.into());
    }

    /// What the host knows of the network. No I/O.
    pub fn set_network(&self, network: Network) {
        self.client.set_network(network.into());
    }

    /// New bounds: what begins from here on keeps to them, what is under way is not stopped. A rate holds at once. No I/O.
    pub fn set_limits(&self, limits: Limits) {
        self.client.set_limits(limits.into());
    }

    /// Another proxy, `http://[user:password@]host:port`, or none. Refused for a text that is none, and when the host carries requests itself. No I/O.
    pub fn set_proxy(&self, proxy: Option<SecretText>) -> Result<(), NativeError> {
        Ok(self.client.set_proxy(proxy.as_ref().map(|proxy| proxy.0.expose()))?)
    }

    /// Goes on after `hold`, or after an open without autostart. No I/O.
    pub fn go(&self) {
        self.client.go();
    }

    /// The same for these alone: the others stay as they are until `go`. No I/O.
    pub fn go_only(&self, ids: Vec<String>) {
        self.client.go_only(&ids);
    }

    /// No request in flight, all durable, no lock, no socket when it returns, unless `timeout_ms` was too short. Blocks.
    pub fn hold(&self, timeout_ms: i64) -> Idle {
        self.client.hold(floored(timeout_ms)).into()
    }

    /// Waits until nothing works. Blocks.
    pub fn wait_idle(&self, timeout_ms: Option<i64>) -> Idle {
        self.client.wait_idle(timeout_ms.map(floored)).into()
    }

    /// What a scheduler needs to know. No I/O.
    pub fn idle(&self) -> Idle {
        self.client.idle().into()
    }
}
