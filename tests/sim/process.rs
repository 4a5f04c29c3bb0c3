//! A process: uploads are started, journals are found, machines are made of them.

use std::collections::{BTreeMap, BTreeSet};

use partway::{
    engine::{Command, Ending, Event, Facts, Limits, Machine, Record, Remote, SourceRecord, State, UploadRecord, Wish},
    model::{Conflict, NetworkPolicy, OnChange, Target, http::host_of},
    runtime::{journal::Id, schedule::Schedule},
    service::{self, Session},
};

use super::{
    cloud::{Object, Which},
    disk::Disk,
    driver::{Live, Phone, Row, Stage},
    source::Source,
    world::World,
};

impl World {
    /// Uploads are started: durable before anything else happens.
    pub fn set_up(&mut self) {
        let options = self.options.clone();
        if options.known {
            let content = self.sources[0].content.clone();
            self.cloud.knows(&content);
        }
        for row in 0..options.uploads {
            if options.name_taken {
                let content = Source::new(90 + row, 1_000, options.block_bytes).content;
                let place = self.cloud.place(row);
                self.cloud.base_mut().objects.insert(place, Object { content, created_unix_ms: 0, upload: None });
            }
            let id = format!("{row:026}");
            let target = self.cloud.target(row);
            let upload = UploadRecord {
                id: id.clone(),
                key: format!("k{row}"),
                created_unix_ms: self.now().unix_ms + row as i64,
                adopted: self.begun_elsewhere(row, &target),
                target,
                source: SourceRecord::default(),
                group: None,
                tags: Default::default(),
                priority: 0,
                conflict: match (options.conflict, options.service) {
                    (0, _) => Conflict::Rename,
                    (1, _) => Conflict::Ask,
                    (_, Which::Smh) => Conflict::Overwrite { if_version: None },
                    (_, Which::KooDrive) => Conflict::KeepIfSame,
                },
                on_change: if options.on_change_restarts { OnChange::Restart } else { OnChange::Fail },
                instant: options.instant,
                verify_source: options.verify_source,
                part_size_bytes: options.wanted_part_bytes,
                network: NetworkPolicy::Any,
                rate_bytes_per_s: None,
                give_up_after_ms: options.give_up_after_ms,
                continues: None,
                parallel_parts: None,
            };
            self.disks.push(Disk::new(Id::parse(&id).expect("an id"), &Record::Upload(Box::new(upload))));
        }
    }

    /// Another program sent some of the parts, and not all of them are what the file holds.
    fn begun_elsewhere(&mut self, row: usize, target: &Target) -> Option<Session> {
        let (cut, content) = (self.options.part_size_bytes, self.sources[row].content.clone());
        if !self.options.adopted || content.len() <= cut {
            return None;
        }
        let mut parts = BTreeMap::new();
        for (index, offset) in (0..content.len()).step_by(cut as usize).enumerate() {
            let mut part = content.range(offset, cut.min(content.len() - offset))?;
            match self.rng.u32(0..8) {
                0 => part.0[0].id ^= 0x80,
                1..=4 => {}
                _ => continue,
            }
            parts.insert(index as u32 + 1, part);
        }
        let key = self.cloud.begun_elsewhere(row, parts)?;
        service::open(target).expect("a service").adopt(&key)
    }

    /// A process starts and finds what the disk has.
    pub fn boot(&mut self) {
        self.note(|_| "-- the process starts --".to_owned());
        self.oracles.of.iter_mut().for_each(super::oracles::Of::new_process);
        let mut rows = vec![];
        for row in 0..self.disks.len() {
            let Some(records) = self.disks[row].load() else {
                return self.violated(format!("u{row}: journal damaged"));
            };
            self.recall(row, &records);
            let facts = Facts::new(records).expect("facts");
            let hosts = BTreeSet::from([host_of(facts.upload.target.endpoint()).to_owned()]);
            let state = match (&facts.ending, facts.wish) {
                (Some(Ending::Completed(receipt)), _) => State::Completed { receipt: receipt.clone() },
                (Some(Ending::Failed(error)), _) => State::Failed { error: error.clone() },
                (Some(Ending::Cancelled(remote)), _) => State::Cancelled { remote: *remote },
                (None, Wish::Pause) => State::Paused,
                (None, _) => State::Queued,
            };
            if state.ended() {
                // As the product does before it tells of an ending that it found.
                self.disks[row].settle();
            }
            self.seen(row, &state, None);
            let pending = State::Cancelled { remote: Remote::AbortPending };
            let eligible = state == State::Queued || state == pending;
            rows.push(Row { stage: Stage::Idle, state, eligible, wake: None, commands: vec![], hosts, memory: None });
        }
        self.phone = Some(Phone {
            rows,
            schedule: Schedule::new(self.options.parallel_parts),
            parts: 0,
            controls: 0,
            held: false,
            online: None,
            network_generation: 0,
            secret: None,
            generation: 0,
            ask: None,
            asks: 0,
            asking: BTreeSet::new(),
        });
    }

    /// What a journal says becomes a machine.
    pub fn loaded(&mut self, row: usize) {
        let Some(records) = self.disks[row].load() else { return self.violated(format!("u{row}: journal damaged")) };
        // As the product does with every journal that it opens to go on.
        self.disks[row].settle();
        let facts = Facts::new(records).expect("facts");
        let service = service::open(&facts.upload.target).expect("a service");
        let (now, seed) = (self.now(), self.rng.u64(..));
        let limits = Limits { parallel_parts: self.options.parallel_parts };
        let Some(phone) = &mut self.phone else { return };
        let mut machine = Machine::new(facts, service, limits, seed, now);
        if let Some(memory) = phone.rows[row].memory.take() {
            machine.recall(memory);
        }
        if phone.held {
            machine.handle(now, Event::Command(Command::Hold));
        }
        machine.handle(now, Event::Network(phone.network()));
        for command in std::mem::take(&mut phone.rows[row].commands) {
            machine.handle(now, Event::Command(command));
        }
        let live = Live { machine, opened: None, flights: vec![], wake: None, done: false };
        phone.rows[row].stage = Stage::Live(Box::new(live));
        self.oracles.of[row].new_machine();
    }
}
