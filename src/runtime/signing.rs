//! Requests that the host signs. They wait here, on no worker, until it answers: from any thread, now or later.

use std::sync::{Mutex, PoisonError};

use super::{driver::Driver, message::Message};
use crate::{
    engine::{Event, OpId, WaitReason},
    error::{Code, ErrorInfo},
    model::{
        ServiceName, SortedMap, Tick,
        http::{Request, Sent, ToSign, TransportFault},
    },
    transport::CancelToken,
};

/// An ask that nobody answers for so long lets its upload wait by name. The request is dated, so a later answer is not used; but it tells that somebody
/// signs again, and the upload goes on.
const ASK_MS_MAX: u64 = 60_000;

/// Signs requests in an application's name, for credentials of the kind [`AppSigner`](super::Credential::AppSigner). Called on one thread of ours; it
/// may answer there or later.
pub trait Signer: Send + Sync {
    /// Answer `ask`, now or later. Without an answer for 60 s the upload waits for a credential, named so.
    fn sign(&self, ask: SignAsk);
}

type SignReply = Box<dyn FnOnce(Option<String>) + Send>;

/// A request to be signed: answer it once, from any thread. Dropped unanswered it counts as [`refuse`](SignAsk::refuse).
pub struct SignAsk {
    account: String,
    service: ServiceName,
    to_sign: ToSign,
    reply: Mutex<Option<SignReply>>,
}

impl SignAsk {
    fn new(account: String, service: ServiceName, to_sign: ToSign, reply: SignReply) -> SignAsk {
        SignAsk { account, service, to_sign, reply: Mutex::new(Some(reply)) }
    }

    /// Whose.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// For which service.
    pub fn service(&self) -> ServiceName {
        self.service
    }

    /// In which application's name.
    pub fn app_id(&self) -> &str {
        &self.to_sign.app_id
    }

    /// The request in its canonical form, for a signer that wants to see what it signs (koodrive §8.2). UTF-8; it names the user.
    pub fn canonical_request(&self) -> &str {
        &self.to_sign.canonical_request
    }

    /// What the application's secret is applied to. KooDrive: the signature is the lower-case hex of HMAC-SHA256 over these bytes, the secret being the
    /// key (koodrive §8.2).
    pub fn string_to_sign(&self) -> &str {
        &self.to_sign.string_to_sign
    }

    /// The signature, as it goes into the header: 1 to 1,024 visible ASCII characters without a comma.
    pub fn supply(self, signature: impl Into<String>) {
        self.answer(Some(signature.into()));
    }

    /// It is not signed: the upload waits for a credential until [`Client::set_credential`](crate::client::Client::set_credential), a resume, or a
    /// quarter of an hour later.
    pub fn refuse(self) {
        self.answer(None);
    }

    fn answer(&self, signature: Option<String>) {
        let reply = self.reply.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(reply) = reply {
            reply(signature);
        }
    }
}

impl Drop for SignAsk {
    fn drop(&mut self) {
        self.answer(None);
    }
}

/// One request that waits for its signature.
pub(super) struct Parked {
    row: usize,
    op: OpId,
    request: Request,
    cancel: CancelToken,
    by: Tick,
}

/// Those of one client, by the number of the ask.
#[derive(Default)]
pub(super) struct Signing {
    parked: SortedMap<u64, Parked>,
    asks: u64,
}

impl Signing {
    fn park(&mut self, parked: Parked) -> u64 {
        self.asks += 1;
        self.parked.insert(self.asks, parked);
        self.asks
    }

    fn take_if(&mut self, which: impl Fn(&Parked) -> bool) -> Vec<Parked> {
        let asks: Vec<u64> = self.parked.iter().filter(|(_, parked)| which(parked)).map(|(ask, _)| *ask).collect();
        asks.iter().filter_map(|ask| self.parked.remove(ask)).collect()
    }

    /// Those of an upload that nobody drives any more.
    pub(super) fn forget(&mut self, row: usize) {
        self.take_if(|parked| parked.row == row);
    }

    /// When the next ask has waited long enough.
    pub(super) fn next_expiry(&self) -> Option<Tick> {
        self.parked.values().map(|parked| parked.by).min()
    }
}

impl Driver {
    /// Has the host sign a request. It leaves once that is done.
    pub(super) fn ask_to_sign(&mut self, row: usize, op: OpId, request: Request, cancel: CancelToken, now: Tick) {
        let Some(to_sign) = request.to_sign.as_deref().cloned() else { return };
        let parked = Parked { row, op, request, cancel, by: now.after_ms(ASK_MS_MAX) };
        if !self.outlet.has_signer() {
            return self.unsigned(parked, "the client was opened without a signer");
        }
        let ask = self.signing.park(parked);
        let Some(entry) = self.rows.get(&row) else { return };
        let (account, service) = (entry.account.to_string(), entry.service);
        let (mailbox, of) = (self.mailbox.clone(), account.clone());
        let reply = Box::new(move |signature| mailbox.post(Message::Signed { account: of, ask, signature }));
        self.outlet.ask_sign(SignAsk::new(account, service, to_sign, reply));
    }

    /// The host answered; perhaps too late, perhaps for what nobody wants any more.
    pub(super) fn signed(&mut self, account: &str, ask: u64, signature: Option<String>) {
        match (self.signing.parked.remove(&ask), signature) {
            (Some(mut parked), Some(signature)) => match parked.request.sign(&signature) {
                true => self.dispatch(parked.row, parked.op, parked.request, parked.cancel),
                false => self.unsigned(parked, "what the host gave can't be a signature"),
            },
            (Some(parked), None) => self.unsigned(parked, "the host did not sign the request"),
            (None, Some(_)) => {
                for row in self.rows.iter_mut().map(|(_, row)| row).filter(|row| &*row.account == account) {
                    row.again_if(&[WaitReason::Credential]);
                }
            }
            (None, None) => {}
        }
    }

    /// Asks that nobody answered in time.
    pub(super) fn expire_signing(&mut self, now: Tick) {
        for parked in self.signing.take_if(|parked| parked.by <= now) {
            self.unsigned(parked, "the host did not sign the request in time");
        }
    }

    /// It is not wanted any more, if it is here.
    pub(super) fn stop_signing(&mut self, row: usize, op: OpId) {
        for parked in self.signing.take_if(|parked| parked.row == row && parked.op == op) {
            self.unsigned(parked, "the request is not wanted any more");
        }
    }

    /// It never had a worker: only its machine has to hear of it.
    fn unsigned(&mut self, parked: Parked, why: &str) {
        let Parked { row, op, .. } = parked;
        let fault = TransportFault::Unsigned(ErrorInfo::new(Code::CredentialRefused, why));
        self.ended(row, op);
        self.event(row, Event::Answered { op, result: Err(fault), sent: Sent::default() });
    }
}
