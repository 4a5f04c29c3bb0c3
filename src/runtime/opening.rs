//! Sources: whose turn it is to have one open, and the asking for it.

use std::{path::PathBuf, sync::Arc};

use super::{
    LogLevel, SourceAsk,
    credentials::ASK_MS_MAX,
    driver::Driver,
    host::{SourceNews, SourceQuestion},
    message::Message,
    row::{SourcePlace, Stage},
    sources::Job,
};
use crate::{
    engine::{Command, Event, WaitReason},
    error::{Code, ErrorInfo},
    model::Identity,
    source::{Source, SourceOffer, SourceWhat},
};

impl Driver {
    /// A machine wants its source: at once, or when a place is free.
    pub(super) fn want_source(&mut self, number: usize) {
        let Some(live) = self.rows.get_mut(&number).and_then(|row| row.live()) else { return };
        match live.place {
            SourcePlace::Taken => self.open_source(number),
            SourcePlace::Wanted => {}
            SourcePlace::None => {
                live.place = SourcePlace::Wanted;
                self.lend_source_places();
            }
        }
    }

    /// Those in line get the places that are free, the most urgent first.
    pub(super) fn lend_source_places(&mut self) {
        let places = |driver: &Driver, wanted: SourcePlace| {
            let of = |number: &usize| match &driver.rows.get(number)?.stage {
                Stage::Live(live) if live.place == wanted => Some(*number),
                _ => None,
            };
            driver.live.keys().filter_map(of).collect::<Vec<usize>>()
        };
        let mut line = places(self, SourcePlace::Wanted);
        if line.is_empty() {
            return;
        }
        let free = (self.limits.open_sources as usize).saturating_sub(places(self, SourcePlace::Taken).len());
        line.sort_by_key(|number| {
            self.rows.get(number).map(|row| (std::cmp::Reverse(row.priority), row.created_unix_ms))
        });
        for number in line.into_iter().take(free) {
            if let Some(live) = self.rows.get_mut(&number).and_then(|row| row.live()) {
                live.place = SourcePlace::Taken;
            }
            self.open_source(number);
        }
    }

    fn open_source(&mut self, number: usize) {
        let Some(row) = self.rows.get_mut(&number) else { return };
        let offer = row.offer.as_deref().cloned();
        let Some(live) = row.live() else { return };
        live.source_ask += 1;
        live.source_offered = false;
        live.source_by = None;
        live.prepared = None;
        let path = live.machine.facts().upload.source.path.clone();
        let (ask, open) = (live.source_ask, live.source.take());
        let what = match (offer, path) {
            (Some(what), _) => what,
            (None, Some(path)) => SourceWhat::Path { path: PathBuf::from(path), delete_at_end: false },
            (None, None) => SourceWhat::Later,
        };
        match (what, open) {
            // A host's reader can't have been put in another's place, as a file can.
            (SourceWhat::Reader { .. }, Some((source, _))) => {
                self.sources.submit(Job::Look { row: number, ask, source });
            }
            (what, _) => self.sources.submit(Job::Open { row: number, ask, what }),
        }
    }

    pub(super) fn opened(&mut self, number: usize, ask: u64, result: Result<(Arc<dyn Source>, Identity), ErrorInfo>) {
        let now = self.clock.tick();
        let Some(row) = self.rows.get_mut(&number) else { return };
        // What an earlier asking brought is about another opening.
        let Some(live) = row.live().filter(|live| live.source_ask == ask) else { return };
        match result {
            Ok((source, identity)) => {
                live.source = Some((source, identity.clone()));
                live.source_by = None;
                live.prepared = None;
                self.event(number, Event::Source(Ok(identity)));
            }
            Err(error) => {
                let asked = live.source_offered;
                let may_ask =
                    self.outlet.has_sources() && matches!(error.code, Code::SourceNotFound | Code::SourceDenied);
                if asked || !may_ask {
                    live.source_by = None;
                    row.offer = None;
                    return self.event(number, Event::Source(Err(error)));
                }
                // What was given in this process did not help: the host may know more.
                live.source_by = Some(now.after_ms(ASK_MS_MAX));
                let upload = &live.machine.facts().upload;
                let question = SourceQuestion {
                    upload_id: upload.id.clone(),
                    key: upload.key.clone(),
                    token: upload.source.token.clone(),
                    tags: upload.tags.clone(),
                    why: error,
                };
                row.offer = None;
                let id = row.id;
                self.logger.log(LogLevel::Debug, "source", || format!("{id}: the host is asked for it"));
                let mailbox = self.mailbox.clone();
                let reply = Box::new(move |news| mailbox.post(Message::Source { row: number, ask, news }));
                self.outlet.ask_source(SourceAsk::new(question, reply));
            }
        }
    }

    /// The host said something of a source; after its time was up, too.
    pub(super) fn source_news(&mut self, number: usize, ask: u64, news: SourceNews) {
        let now = self.clock.tick();
        let Some(row) = self.rows.get_mut(&number) else { return };
        let in_time = row.live().is_some_and(|live| live.source_ask == ask && live.source_by.is_some());
        match news {
            SourceNews::Preparing(fraction) => {
                if let Some(live) = row.live().filter(|_| in_time) {
                    live.prepared = Some(fraction);
                    live.source_by = Some(now.after_ms(ASK_MS_MAX));
                }
            }
            SourceNews::Answer(Ok(offer)) => self.supplied(number, ask, offer, in_time),
            SourceNews::Answer(Err(error)) if in_time => {
                if let Some(live) = row.live() {
                    live.source_by = None;
                    live.prepared = None;
                }
                self.event(number, Event::Source(Err(error)));
            }
            SourceNews::Answer(Err(_)) => {}
        }
    }

    fn supplied(&mut self, number: usize, ask: u64, offer: SourceOffer, in_time: bool) {
        if !in_time {
            let waits = self.rows.get_mut(&number);
            if let Some(row) = waits {
                row.again_if(&[WaitReason::Source]);
            }
            self.dirty = true;
            return self.attach(number, offer);
        }
        let record = super::said::record_of(&offer);
        let Some(row) = self.rows.get_mut(&number) else { return };
        row.offer = (!matches!(offer.what, SourceWhat::Later)).then(|| Box::new(offer.what.clone()));
        let Some(live) = row.live() else { return };
        live.source_offered = true;
        self.sources.submit(Job::Open { row: number, ask, what: offer.what });
        // For the next process; the opening under way is not disturbed by it.
        if let Some(record) = record {
            self.event(number, Event::Command(Command::SourceIs(Box::new(record))));
        }
    }
}
