//! A service in a closure, and what goes with it.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU32, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};

use partway::{
    client::{
        Client, Config, Credential, CredentialAsk, CredentialProvider, HostReader, Listener, Network, Snapshot, Source,
        SourceWhat, State, UploadRequest,
    },
    error::{Code, ErrorInfo},
    model::{
        KooDriveTarget, SmhMode, SmhTarget, Target,
        http::{Answer, Body, Method, Request, TransportFault},
    },
    transport::{CancelToken, Lane, Lanes, RequestBody},
};

use crate::common::PATIENCE_MS;

pub(crate) type Answered = Result<Answer, TransportFault>;
type Handler = dyn Fn(&Request, &mut dyn RequestBody, &CancelToken) -> Answered + Send + Sync;

struct Service(Arc<Handler>);

impl Lanes for Service {
    fn lane(&self) -> Box<dyn Lane> {
        Box::new(Service(self.0.clone()))
    }
}

impl Lane for Service {
    fn execute(&mut self, request: &Request, body: &mut dyn RequestBody, cancel: &CancelToken) -> Answered {
        (self.0)(request, body, cancel)
    }
}

/// Never without a credential, and another one each time.
#[derive(Default)]
struct Always(AtomicU32);

impl CredentialProvider for Always {
    fn provide(&self, ask: CredentialAsk) {
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        ask.supply(Credential::token(format!("Bearer {number}")));
    }
}

/// A client over a service that is this closure; `dir` is the test's own directory.
pub(crate) fn config(
    dir: &Path,
    service: impl Fn(&Request, &mut dyn RequestBody, &CancelToken) -> Answered + Send + Sync + 'static,
) -> Config {
    let mut config = Config::new(dir.join("state"), Arc::<Always>::default());
    config.lanes = Some(Arc::new(Service(Arc::new(service))));
    config
}

pub(crate) fn open(config: Config) -> Client {
    Client::open(config).expect("the client opens")
}

pub(crate) fn smh(path: &str) -> Target {
    Target::Smh(SmhTarget {
        endpoint: "https://api.example.com".into(),
        account: "me".into(),
        library: "smh1".into(),
        space: "-".into(),
        path: path.into(),
        mode: SmhMode::Multipart,
        ..SmhTarget::default()
    })
}

pub(crate) fn koodrive(name: &str) -> Target {
    Target::KooDrive(KooDriveTarget {
        endpoint: "https://koo.example.com".into(),
        account: "me".into(),
        container: "c1".into(),
        parent: "root".into(),
        name: name.into(),
        ..KooDriveTarget::default()
    })
}

/// To SMH, under its own name.
pub(crate) fn request(name: &str, source: Source) -> UploadRequest {
    UploadRequest::new(name, smh(name), source)
}

pub(crate) fn reader(reader: Arc<dyn HostReader>) -> Source {
    Source { what: SourceWhat::Reader { reader }, token: vec![] }
}

pub(crate) fn file(dir: &Path, size_bytes: usize) -> PathBuf {
    let path = dir.join("file");
    std::fs::write(&path, vec![7; size_bytes]).unwrap();
    path
}

// ---- answers

pub(crate) fn answer(status: u16, body: &str) -> Answered {
    let headers = vec![("content-type".into(), "application/json".into())];
    Ok(Answer { status, headers, body: body.as_bytes().to_vec() })
}

pub(crate) fn answer_with(status: u16, body: &str, header: (&str, &str)) -> Answered {
    let mut answer = answer(status, body)?;
    answer.headers.push((header.0.into(), header.1.into()));
    Ok(answer)
}

pub(crate) fn cut() -> Answered {
    Err(TransportFault::Cut { error: ErrorInfo::new(Code::ConnectionCut, "the answer was lost"), reused: false })
}

pub(crate) fn unreached() -> Answered {
    Err(TransportFault::Unreached(ErrorInfo::new(Code::ConnectFailed, "nobody answers")))
}

pub(crate) fn url(request: &Request) -> &str {
    request.url.expose()
}

pub(crate) fn text(request: &Request) -> String {
    match &request.body {
        Body::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    }
}

pub(crate) fn is_part(request: &Request) -> bool {
    url(request).contains("cos.example.com")
}

pub(crate) fn is_begin(request: &Request) -> bool {
    !is_part(request) && url(request).contains("multipart")
}

pub(crate) fn is_confirm(request: &Request) -> bool {
    request.method == Method::Post && url(request).contains("confirm")
}

/// Takes the whole body.
pub(crate) fn take(body: &mut dyn RequestBody) -> Answered {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match body.read(&mut buffer) {
            Ok(0) => return answer(200, ""),
            Ok(_) => {}
            Err(error) => return Err(TransportFault::Source(error)),
        }
    }
}

/// An SMH that has nothing against anything.
pub(crate) fn good(request: &Request, body: &mut dyn RequestBody, _: &CancelToken) -> Answered {
    if is_part(request) {
        take(body)
    } else if is_confirm(request) {
        answer(200, r#"{"path":["y.bin"],"name":"y.bin","type":"file"}"#)
    } else if is_begin(request) {
        answer(
            201,
            r#"{"domain":"cos.example.com","path":"/x/y.bin","uploadId":"1754","headers":{"Authorization":"q"},
                "confirmKey":"6bdfd20dfb10","expiration":"2051-07-24T10:34:32.000Z"}"#,
        )
    } else if request.method == Method::Delete {
        answer(204, "")
    } else if request.method == Method::Head {
        answer(404, "")
    } else {
        answer(200, r#"{"confirmed":false,"path":["a"],"type":"file"}"#)
    }
}

// ---- waiting

/// Closed until it is opened, then open for all.
#[derive(Default)]
pub(crate) struct Gate {
    open: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    pub(crate) fn new() -> Arc<Gate> {
        Arc::default()
    }

    pub(crate) fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.changed.notify_all();
    }

    pub(crate) fn pass(&self) {
        let open = self.open.lock().unwrap();
        let patience = Duration::from_millis(PATIENCE_MS);
        let (open, _) = self.changed.wait_timeout_while(open, patience, |open| !*open).unwrap();
        assert!(*open, "nobody opened the gate");
    }
}

/// Returns once the request is told to end.
pub(crate) fn until_cancelled(cancel: &CancelToken) {
    let gate = Gate::new();
    let opened = gate.clone();
    cancel.on_cancel(move || opened.open());
    gate.pass();
}

/// The next thing; none of it fails the test.
pub(crate) fn next<T>(of: &Receiver<T>) -> T {
    of.recv_timeout(Duration::from_millis(PATIENCE_MS)).expect("it never came")
}

/// What still comes within that time.
pub(crate) fn within<T>(of: &Receiver<T>, ms: u64) -> Vec<T> {
    let end = Instant::now() + Duration::from_millis(ms);
    std::iter::from_fn(|| of.recv_timeout(end.saturating_duration_since(Instant::now())).ok()).collect()
}

/// Passes on the endings that it is told.
pub(crate) struct Endings(Mutex<Sender<State>>);

impl Endings {
    pub(crate) fn channel() -> (Arc<Endings>, Receiver<State>) {
        let (told, endings) = channel();
        (Arc::new(Endings(Mutex::new(told))), endings)
    }
}

impl Listener for Endings {
    fn on_changes(&self, changes: &[Snapshot]) {
        for snapshot in changes.iter().filter(|snapshot| snapshot.state.ended()) {
            let _ = self.0.lock().unwrap().send(snapshot.state.clone());
        }
    }
}

pub(crate) fn network(online: bool, generation: u64) -> Network {
    if online { Network::online(generation) } else { Network::offline(generation) }
}
