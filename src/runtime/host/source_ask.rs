//! The question for a source.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use crate::{error::ErrorInfo, source::SourceOffer};

/// Opens sources. Called on one thread of ours; it may answer there or later.
pub trait SourceProvider: Send + Sync {
    /// Answer `ask`, now or later. Without an answer, and without news of [`preparing`](SourceAsk::preparing), for 60 s the upload waits, named so; a
    /// later answer still counts.
    fn open(&self, ask: SourceAsk);
}

/// What a host says to an ask.
pub(crate) enum SourceNews {
    /// It comes: so far, 0 to 1.
    Preparing(f32),
    /// The answer. An error may name when to ask again.
    Answer(Result<SourceOffer, ErrorInfo>),
}

type Reply = Box<dyn Fn(SourceNews) + Send>;

/// What an ask tells of its upload.
pub(crate) struct SourceQuestion {
    pub(crate) upload_id: String,
    pub(crate) key: String,
    pub(crate) token: Vec<u8>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) why: ErrorInfo,
}

/// A question for a source. It is ours until [`open`](SourceProvider::open) is called, then the host's: answered once, from any thread; a second answer
/// does nothing. Dropped unanswered it counts as [`gone`](SourceAsk::gone). No answer blocks.
pub struct SourceAsk {
    question: SourceQuestion,
    reply: Mutex<Option<Reply>>,
}

impl SourceAsk {
    pub(crate) fn new(question: SourceQuestion, reply: Reply) -> Self {
        Self { question, reply: Mutex::new(Some(reply)) }
    }

    /// Of which upload. **now**
    pub fn upload_id(&self) -> &str {
        &self.question.upload_id
    }

    /// The host's own name for it. **now**
    pub fn key(&self) -> &str {
        &self.question.key
    }

    /// The host's own word for the source. **now**
    pub fn token(&self) -> &[u8] {
        &self.question.token
    }

    /// The host's own notes of the upload. **now**
    pub fn tags(&self) -> &BTreeMap<String, String> {
        &self.question.tags
    }

    /// Why it could not be opened without the host. **now**
    pub fn why(&self) -> &ErrorInfo {
        &self.question.why
    }

    /// Here it is. Another identity with the same bytes goes on where the upload was. **now**
    pub fn supply(&self, source: SourceOffer) {
        self.answer(Ok(source));
    }

    /// It comes, such as from the cloud: so much of it is here, 0 to 1. Shown in snapshots; the next 60 s begin. **now**
    pub fn preparing(&self, fraction: f32) {
        let reply = self.reply.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reply) = reply.as_ref() {
            reply(SourceNews::Preparing(if fraction.is_finite() { fraction.clamp(0.0, 1.0) } else { 0.0 }));
        }
    }

    /// Not now: the upload waits, to be asked for again after so long, or else until
    /// [`Client::attach_source`](crate::client::Client::attach_source) or a resume. **now**
    pub fn later(&self, retry_in_ms: Option<u64>) {
        self.answer(Err(ErrorInfo { retry_after_ms: retry_in_ms, ..self.question.why.clone() }));
    }

    /// It can't be had: the upload waits for [`Client::attach_source`](crate::client::Client::attach_source) or a resume. **now**
    pub fn gone(&self) {
        self.later(None);
    }

    fn answer(&self, result: Result<SourceOffer, ErrorInfo>) {
        let reply = self.reply.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(reply) = reply {
            reply(SourceNews::Answer(result));
        }
    }
}

impl Drop for SourceAsk {
    fn drop(&mut self) {
        self.gone();
    }
}
