//! A server that says exactly what a test wants.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread::{self, JoinHandle},
    time::Duration,
};

/// A connection as the server sees it.
pub(super) struct Peer<S = TcpStream> {
    pub(super) stream: S,
    pub(super) from: Option<SocketAddr>,
}

impl<S: Read + Write> Peer<S> {
    /// The request's head.
    pub(super) fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).expect("a whole head");
            head.push(byte[0]);
        }
        String::from_utf8(head).expect("text")
    }

    /// So many bytes of the body.
    pub(super) fn body(&mut self, len: usize) -> Vec<u8> {
        let mut body = vec![0; len];
        self.stream.read_exact(&mut body).expect("a whole body");
        body
    }

    /// Sends the text; a client that left is no failure.
    pub(super) fn say(&mut self, text: &str) -> bool {
        self.stream.write_all(text.as_bytes()).is_ok()
    }

    /// Waits until the client has closed; what it sent until then.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset is an end, too.
        let _ = self.stream.read_to_end(&mut rest);
        rest
    }
}

/// Accepts connections for a test.
pub(super) struct Listener(TcpListener);

impl Listener {
    pub(super) fn accept(&self) -> Peer {
        let (stream, from) = self.0.accept().expect("a client");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
        Peer { stream, from: Some(from) }
    }
}

/// Serves in a thread; its address as `http://…` and what the thread found out.
pub(super) fn serve<T: Send + 'static>(work: impl FnOnce(Listener) -> T + Send + 'static) -> (String, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    (url, thread::spawn(move || work(Listener(listener))))
}

/// Serves one request with that answer, then closes when the client does.
pub(super) fn answer(text: &'static str) -> (String, JoinHandle<String>) {
    serve(move |listener| {
        let mut peer = listener.accept();
        let head = peer.head();
        peer.say(text);
        peer.rest();
        head
    })
}
