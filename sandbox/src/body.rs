//! The body of a request as it comes in, at the pace and to the end that a fault sets.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};

use crate::hostile::Script;
use crate::shared::Shared;

/// Why a request ends without an answer of its handler.
#[derive(Debug)]
pub(crate) enum End {
    /// A fault takes the connection.
    Script(Script),
    /// The client went away, or broke the framing.
    Gone,
    /// The client sent nothing for too long.
    Silent,
}

/// Where reading waits until a rule is removed.
#[derive(Debug)]
pub(crate) struct Hold {
    pub(crate) after: u64,
    pub(crate) rule: u64,
    /// The request's, in the log.
    pub(crate) seq: u64,
    pub(crate) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Body {
    incoming: Incoming,
    read: Arc<AtomicU64>,
    timeout: Duration,
    over: bool,
    /// Read before anything went wrong with the request.
    ahead: VecDeque<Bytes>,
    /// Bytes a second.
    pub(crate) pace: Option<u64>,
    /// After so many bytes, this.
    pub(crate) stop: Option<(u64, Option<Script>)>,
    /// After so many bytes, until this rule is removed.
    pub(crate) hold: Option<Hold>,
    /// The bit that is flipped on the way in.
    pub(crate) flip: Option<u64>,
}

impl Body {
    pub(crate) fn new(incoming: Incoming, read: Arc<AtomicU64>, timeout: Duration) -> Self {
        Self {
            incoming,
            read,
            timeout,
            over: false,
            ahead: VecDeque::new(),
            pace: None,
            stop: None,
            hold: None,
            flip: None,
        }
    }

    /// Whether all of it was read.
    pub(crate) fn is_over(&self) -> bool {
        self.over || (self.ahead.is_empty() && self.incoming.is_end_stream())
    }

    /// The next bytes; `None` at the end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, End> {
        let before = self.read.load(Ordering::Relaxed);
        self.stop_at(before)?;
        if let Some(hold) = self.hold.take_if(|hold| before >= hold.after) {
            hold.shared.released(hold.rule, hold.seq).await;
        }
        let Some(data) = self.next().await? else {
            self.over = true;
            return Ok(None);
        };
        let after = before + data.len() as u64;
        self.stop_at(after)?;
        self.read.store(after, Ordering::Relaxed);
        if let Some(rate) = self.pace {
            tokio::time::sleep(Duration::from_secs_f64(data.len() as f64 / rate.max(1) as f64)).await;
        }
        Ok(Some(self.flipped(data, before)))
    }

    /// What comes next, untouched.
    async fn next(&mut self) -> Result<Option<Bytes>, End> {
        if let Some(data) = self.ahead.pop_front() {
            return Ok(Some(data));
        }
        self.arrive().await
    }

    async fn arrive(&mut self) -> Result<Option<Bytes>, End> {
        loop {
            match tokio::time::timeout(self.timeout, self.incoming.frame()).await {
                Err(_) => return Err(End::Silent),
                Ok(None) => return Ok(None),
                Ok(Some(Err(_))) => return Err(End::Gone),
                Ok(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => return Ok(Some(data)),
                    _ => continue,
                },
            }
        }
    }

    /// Its bytes, which stay to be read; no more than `max` of them and a little.
    pub(crate) async fn peek(&mut self, max: usize) -> Result<Vec<u8>, End> {
        let mut all = Vec::new();
        while all.len() < max {
            let Some(data) = self.arrive().await? else { break };
            all.extend_from_slice(&data);
            self.ahead.push_back(data);
        }
        Ok(all)
    }

    fn stop_at(&mut self, read: u64) -> Result<(), End> {
        match &mut self.stop {
            Some((after, script)) if read >= *after => {
                self.read.store(*after, Ordering::Relaxed);
                Err(End::Script(script.take().unwrap_or(Script::Close)))
            }
            _ => Ok(()),
        }
    }

    fn flipped(&mut self, data: Bytes, offset: u64) -> Bytes {
        let Some(bit) = self.flip else { return data };
        let Some(at) = (bit / 8).checked_sub(offset).and_then(|at| usize::try_from(at).ok()) else { return data };
        let mut data = BytesMut::from(data);
        if let Some(byte) = data.get_mut(at) {
            *byte ^= 1 << (bit % 8);
            self.flip = None;
        }
        data.freeze()
    }

    /// All of it, if it is no longer than `max`.
    pub(crate) async fn whole(&mut self, max: usize) -> Result<Option<Vec<u8>>, End> {
        let mut all = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if all.len() + chunk.len() > max {
                return Ok(None);
            }
            all.extend_from_slice(&chunk);
        }
        Ok(Some(all))
    }

    /// Reads it to its end.
    pub(crate) async fn skip(&mut self) -> Result<(), End> {
        while self.chunk().await?.is_some() {}
        Ok(())
    }
}
