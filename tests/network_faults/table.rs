//! Which faults there are, at which phases, how each is brought about, and which cells can't be.

use partway_sandbox::{Door, Pace, Step, Strike, Way};

use crate::stage::{PART_BYTES, Service};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    ConnectApi,
    ConnectData,
    HandshakeApi,
    HandshakeData,
    BeginRequest,
    BeginAnswer,
    RenewRequest,
    RenewAnswer,
    PartEarly,
    PartMiddle,
    PartLast,
    PartAnswer,
    ListRequest,
    ListAnswer,
    CompleteRequest,
    CompleteAnswer,
    AbortRequest,
    AbortAnswer,
}

pub(crate) const PHASES: &[Phase] = &[
    Phase::ConnectApi,
    Phase::ConnectData,
    Phase::HandshakeApi,
    Phase::HandshakeData,
    Phase::BeginRequest,
    Phase::BeginAnswer,
    Phase::RenewRequest,
    Phase::RenewAnswer,
    Phase::PartEarly,
    Phase::PartMiddle,
    Phase::PartLast,
    Phase::PartAnswer,
    Phase::ListRequest,
    Phase::ListAnswer,
    Phase::CompleteRequest,
    Phase::CompleteAnswer,
    Phase::AbortRequest,
    Phase::AbortAnswer,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Latency,
    Jitter,
    Bandwidth,
    Trickle,
    Reset,
    Close,
    HalfClose,
    Blackhole,
    Corrupt,
    CutInHead,
    CutInBody,
    /// Closed while it was idle, and that is seen.
    IdleClosed,
    /// Reset by the next request that takes it.
    IdleReset,
    Refused,
    NeverConnects,
    ClosedAtOnce,
    ResetAtOnce,
    Swallowed,
}

pub(crate) const FAULTS: &[Fault] = &[
    Fault::Latency,
    Fault::Jitter,
    Fault::Bandwidth,
    Fault::Trickle,
    Fault::Reset,
    Fault::Close,
    Fault::HalfClose,
    Fault::Blackhole,
    Fault::Corrupt,
    Fault::CutInHead,
    Fault::CutInBody,
    Fault::IdleClosed,
    Fault::IdleReset,
    Fault::Refused,
    Fault::NeverConnects,
    Fault::ClosedAtOnce,
    Fault::ResetAtOnce,
    Fault::Swallowed,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plane {
    Api,
    Data,
}

/// Where a request stands still until the fault has been brought about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// So many bytes of its body were read.
    Body(u64),
    /// It was processed.
    Answer,
    /// It was processed, and so many bytes of its answer were sent.
    Half(u64),
}

/// How a cell is brought about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Those who connect find this, until the upload waits for it to end.
    Door(Plane, Door),
    /// The first connection is struck as it is secured.
    Handshake(Plane, Strike),
    /// The first connection is slow.
    SlowStart(Plane, Pace),
    /// The request stands still, its connection is struck; it is lost.
    Struck(At, Strike),
    /// The request stands still; its connection is struck when the next bytes go that way; it goes on.
    Corrupted(At, Way),
    /// The request stands still, its connection becomes slow; it goes on.
    Slowed(At, Pace),
    /// The idle connection on which the request is to go is struck, at once or when it goes.
    Idle { at_once: bool, strike: Strike },
    /// The connection that is made for the request is struck when its first bytes after the handshake go.
    Fresh(Strike),
}

pub(crate) const LATENCY: Pace = Pace { latency_ms: 30, jitter_ms: 0, bytes_per_s: 0, trickled_bytes: 0 };
pub(crate) const JITTER: Pace = Pace { latency_ms: 0, jitter_ms: 40, bytes_per_s: 0, trickled_bytes: 0 };
pub(crate) const BANDWIDTH: Pace = Pace { latency_ms: 0, jitter_ms: 0, bytes_per_s: 4 << 20, trickled_bytes: 0 };
pub(crate) const TRICKLE: Pace = Pace { latency_ms: 0, jitter_ms: 0, bytes_per_s: 0, trickled_bytes: 150 };

/// Bytes of an answer that end within its head, and within its body, whatever the request.
const IN_HEAD: u64 = 25;
const IN_BODY: u64 = 300;

impl Phase {
    /// The request that it is about, of the upload's second part where it is a part's.
    pub(crate) fn step(self) -> Option<Step> {
        match self {
            Phase::ConnectApi | Phase::ConnectData | Phase::HandshakeApi | Phase::HandshakeData => None,
            Phase::BeginRequest | Phase::BeginAnswer => Some(Step::Begin),
            Phase::RenewRequest | Phase::RenewAnswer => Some(Step::Renew),
            Phase::PartEarly | Phase::PartMiddle | Phase::PartLast | Phase::PartAnswer => Some(Step::Part),
            Phase::ListRequest | Phase::ListAnswer => Some(Step::Task),
            Phase::CompleteRequest | Phase::CompleteAnswer => Some(Step::Confirm),
            Phase::AbortRequest | Phase::AbortAnswer => Some(Step::Cancel),
        }
    }

    fn plane(self) -> Plane {
        match self {
            Phase::ConnectData | Phase::HandshakeData => Plane::Data,
            _ if self.step() == Some(Step::Part) => Plane::Data,
            _ => Plane::Api,
        }
    }

    fn at(self) -> At {
        match self {
            Phase::PartMiddle => At::Body(PART_BYTES / 2),
            Phase::PartLast => At::Body(PART_BYTES - 1),
            Phase::BeginAnswer
            | Phase::RenewAnswer
            | Phase::PartAnswer
            | Phase::ListAnswer
            | Phase::CompleteAnswer
            | Phase::AbortAnswer => At::Answer,
            _ => At::Body(0),
        }
    }

    /// Its bytes go to the service.
    fn is_request(self) -> bool {
        self.step().is_some() && self.at() != At::Answer
    }
}

/// How the cell is brought about, or why it can't be.
pub(crate) fn plan(service: Service, phase: Phase, fault: Fault) -> Result<Plan, &'static str> {
    use {Fault as F, Phase as P};
    if phase.step() == Some(Step::Cancel) && service == Service::KooDrive {
        return Err("the service has no abort");
    }
    let (plane, at) = (phase.plane(), phase.at());
    let connects = matches!(phase, P::ConnectApi | P::ConnectData);
    let secures = matches!(phase, P::HandshakeApi | P::HandshakeData);
    let strike = match fault {
        F::Reset => Strike::Reset,
        F::Close => Strike::Close,
        F::HalfClose => Strike::HalfClose,
        F::Blackhole => Strike::Blackhole,
        F::Corrupt => Strike::Corrupt,
        F::Latency | F::Jitter | F::Bandwidth | F::Trickle => {
            let pace = match fault {
                F::Latency => LATENCY,
                F::Jitter => JITTER,
                F::Bandwidth => BANDWIDTH,
                _ => TRICKLE,
            };
            return match () {
                () if connects => Err("a connect has no bytes that could be slow; the handshake's row has the first"),
                () if secures => Ok(Plan::SlowStart(plane, pace)),
                () => Ok(Plan::Slowed(at, pace)),
            };
        }
        F::CutInHead | F::CutInBody if at != At::Answer => {
            return Err("only an answer has a head and a body to be cut in");
        }
        F::CutInHead => return Ok(Plan::Struck(At::Half(IN_HEAD), Strike::Close)),
        F::CutInBody if matches!(phase, P::PartAnswer | P::AbortAnswer) => return Err("that answer has no body"),
        F::CutInBody => return Ok(Plan::Struck(At::Half(IN_BODY), Strike::Close)),
        F::IdleClosed | F::IdleReset => {
            return match phase {
                P::RenewRequest | P::PartEarly | P::CompleteRequest => {
                    let at_once = fault == F::IdleClosed;
                    Ok(Plan::Idle { at_once, strike: if at_once { Strike::Close } else { Strike::Reset } })
                }
                P::BeginRequest => Err("it is the first request of its connection"),
                P::ListRequest => {
                    Err("the connection of the lost answer before it is gone: it is the first of its own")
                }
                P::AbortRequest => {
                    Err("a cancel drops the connections of the worker it stops: the abort is the first of its own")
                }
                _ => Err("a connection is idle only before a request"),
            };
        }
        F::Refused | F::NeverConnects | F::ClosedAtOnce | F::ResetAtOnce | F::Swallowed => {
            let door = match fault {
                F::Refused => Door::Refuses,
                F::NeverConnects => Door::NeverAnswers,
                F::ClosedAtOnce => Door::Closes,
                F::ResetAtOnce => Door::Resets,
                _ => Door::Swallows,
            };
            return if connects { Ok(Plan::Door(plane, door)) } else { Err("it is of connecting alone") };
        }
    };
    match (strike, phase) {
        _ if connects => Err("nothing is there yet to be struck; doors are what a connect meets"),
        _ if secures => Ok(Plan::Handshake(plane, strike)),
        (Strike::Corrupt, P::BeginRequest | P::ListRequest | P::AbortRequest) => Ok(Plan::Fresh(strike)),
        (Strike::Corrupt, P::RenewRequest | P::CompleteRequest) => Ok(Plan::Idle { at_once: false, strike }),
        (Strike::Corrupt, P::PartLast) => Err("all of it has left; what comes after it is the answer's row"),
        (Strike::Corrupt, _) if phase.is_request() => Ok(Plan::Corrupted(at, Way::ToServer)),
        (Strike::Corrupt, _) => Ok(Plan::Corrupted(at, Way::ToClient)),
        _ => Ok(Plan::Struck(at, strike)),
    }
}
