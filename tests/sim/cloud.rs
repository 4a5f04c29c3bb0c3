//! What the scenario knows of a service: it keeps real state, and it reads the product's own requests. One file a service.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, UNIX_EPOCH},
};

use partway::{
    engine::OpKind,
    model::{
        Target,
        http::{Answer, Request},
    },
};

use super::{content::Stretch, koodrive::KooDrive, options::Options, refusals::Refusals, smh::Smh};

/// No output of the product may hold it.
pub const CANARY: &str = "CANARY";
const BASE_UNIX_MS: i64 = 1_760_000_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Smh,
    KooDrive,
}

#[derive(Clone, Debug)]
pub struct Object {
    pub content: Stretch,
    pub created_unix_ms: i64,
    pub upload: Option<usize>,
}

/// What every service keeps.
#[derive(Debug, Default)]
pub struct Base {
    pub clock_offset_ms: i64,
    pub lease_ms: u64,
    pub lease_real_percent: u64,
    /// When they die of idleness.
    pub tokens: BTreeMap<String, u64>,
    pub objects: BTreeMap<String, Object>,
    /// Every object that an upload made, in order.
    pub made: Vec<(usize, Object)>,
    /// Something that the service forbids and the product must never do.
    pub breach: Option<String>,
    serial: u64,
}

impl Base {
    pub fn new(options: &Options) -> Base {
        Base { lease_ms: options.lease_ms, lease_real_percent: options.lease_real_percent, ..Base::default() }
    }

    pub fn unix_ms(&self, tick: u64) -> i64 {
        BASE_UNIX_MS + tick as i64 + self.clock_offset_ms
    }

    pub fn serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// A new token; the old ones live on.
    pub fn mint(&mut self) -> String {
        let token = format!("token-{}-{CANARY}", self.serial());
        self.tokens.insert(token.clone(), u64::MAX);
        token
    }

    /// Puts an object where it goes; an upload made it.
    pub fn make(&mut self, tick: u64, upload: usize, place: &str, content: Stretch) -> Object {
        let object = Object { content, created_unix_ms: self.unix_ms(tick), upload: Some(upload) };
        self.made.push((upload, object.clone()));
        self.objects.insert(place.to_owned(), object.clone());
        object
    }

    /// The name itself, or the first of its kind that is free.
    pub fn free_place(&self, place: &str) -> String {
        let bare = place.trim_end_matches(".bin");
        let names = (0..).map(|n| if n == 0 { place.to_owned() } else { format!("{bare} ({n}).bin") });
        names.into_iter().find(|name| !self.objects.contains_key(name)).unwrap_or_default()
    }

    pub fn dated(&self, tick: u64, mut answer: Answer) -> Answer {
        let at = UNIX_EPOCH + Duration::from_millis(self.unix_ms(tick) as u64);
        answer.headers.push(("date".into(), httpdate::fmt_http_date(at)));
        answer
    }
}

pub trait Cloud {
    fn base(&self) -> &Base;
    fn base_mut(&mut self) -> &mut Base;
    fn target(&self, row: usize) -> Target;
    /// Where an upload of that row goes.
    fn place(&self, row: usize) -> String;
    /// The service has that content already, of somebody else.
    fn knows(&mut self, content: &Stretch);
    /// Another program began an upload, and sent these parts of it.
    fn begun_elsewhere(&mut self, row: usize, parts: BTreeMap<u32, Stretch>) -> Option<String>;
    /// Its words when it refuses.
    fn refusals(&self) -> &'static Refusals;
    fn error(&self, status: u16, code: &str) -> Answer;
    /// A part was taken.
    fn stored(&self, body: &Stretch) -> Answer;
    /// The signature that a part's request goes out with.
    fn signature_of(&self, request: &Request) -> Option<u64>;
    /// What the storage refuses before it wants the body.
    fn refuses_early(&self, tick: u64, request: &Request) -> Option<Answer>;
    /// Takes one whole request in.
    fn take(&mut self, tick: u64, request: &Request, body: &Stretch) -> Answer;
    /// Uploads that are not over: their handles and rows.
    fn open(&self) -> Vec<(String, usize)>;
    /// The same with those that are.
    fn all(&self) -> Vec<(String, usize)>;
    fn forget(&mut self, handle: &str);
    /// The numbers of its parts.
    fn parts(&self, handle: &str) -> BTreeSet<u32>;
    fn lose(&mut self, handle: &str, part: u32);
    /// True when the answer tells the phone that nothing of that kind which it sent before made an object, or that one is there.
    fn settles(&self, kind: OpKind, answer: &Answer) -> bool;
    /// The parts that an answer lists, with what stands for their MD5.
    fn listed(&self, answer: &Answer) -> Vec<(u32, String)>;
    /// True for a begin that may make the object.
    fn may_make(&self, request: &Request) -> bool;
    /// True for a begin that makes no second object, whatever became of an earlier one.
    fn makes_no_second(&self, request: &Request) -> bool;

    fn serve(&mut self, tick: u64, request: &Request, body: &Stretch) -> Answer {
        let answer = self.take(tick, request, body);
        self.base().dated(tick, answer)
    }
}

pub fn build(options: &Options) -> Box<dyn Cloud> {
    match options.service {
        Which::Smh => Box::new(Smh::new(options)),
        Which::KooDrive => Box::new(KooDrive::new(options)),
    }
}

/// The row in `…u7.bin` or `…u7 (1).bin`.
pub fn row_of(place: &str) -> usize {
    let name = place.rsplit('/').next().unwrap_or_default();
    let digits: String = name.chars().skip(1).take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}
