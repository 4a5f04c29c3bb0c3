//! A process: uploads are started, journals are found, machines are made of them.

use std::collections::BTreeSet;

use partway::{
    engine::{Command, Ending, Event, Facts, Limits, Machine, Record, Remote, SourceRecord, State, UploadRecord, Wish},
    model::{Conflict, InstantMode, NetworkPolicy, OnChange, SmhTarget, Target},
    runtime::{journal::Id, schedule::Schedule},
    service,
};

use super::{
    disk::Disk,
    driver::{Live, Phone, Row, Stage},
    smh::{API, Object},
    source::Source,
    world::World,
};

impl World {
    /// Uploads are started: durable before anything else happens.
    pub fn set_up(&mut self) {
        let options = self.options.clone();
        if !options.parents_missing {
            self.smh.dirs.insert("dir".to_owned());
        }
        for row in 0..options.uploads {
            let path = format!("dir/u{row}.bin");
            if options.name_taken {
                let content = Source::new(90 + row, 1_000).content;
                self.smh.objects.insert(path.clone(), Object { content, created_unix_ms: 0, upload: None });
            }
            let id = format!("{row:026}");
            let target = Target::Smh(SmhTarget {
                endpoint: API.to_owned(),
                account: "a".to_owned(),
                library: "lib".to_owned(),
                path,
                create_parents: true,
                private: options.private,
                ..SmhTarget::default()
            });
            let upload = UploadRecord {
                id: id.clone(),
                key: format!("k{row}"),
                created_unix_ms: row as i64,
                target,
                source: SourceRecord::default(),
                group: None,
                tags: Default::default(),
                priority: 0,
                conflict: match options.conflict {
                    0 => Conflict::Rename,
                    1 => Conflict::Ask,
                    _ => Conflict::Overwrite { if_version: None },
                },
                on_change: if options.on_change_restarts { OnChange::Restart } else { OnChange::Fail },
                instant: InstantMode::Off,
                verify_source: false,
                adopted: None,
                part_size_bytes: Some(options.part_size_bytes),
                network: NetworkPolicy::Any,
                rate_bytes_per_s: None,
                give_up_after_ms: None,
                continues: None,
                parallel_parts: None,
            };
            self.disks.push(Disk::new(Id::parse(&id).expect("an id"), &Record::Upload(Box::new(upload))));
        }
    }

    /// A process starts and finds what the disk has.
    pub fn boot(&mut self) {
        self.note(|_| "-- the process starts --".to_owned());
        let mut rows = vec![];
        for row in 0..self.disks.len() {
            let Some(records) = self.disks[row].load() else {
                return self.violated(format!("u{row}: journal damaged"));
            };
            self.recall(row, &records);
            let facts = Facts::new(records).expect("facts");
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
            rows.push(Row { stage: Stage::Idle, state, eligible, wake: None, commands: vec![] });
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
        let facts = Facts::new(records).expect("facts");
        let service = service::open(&facts.upload.target).expect("a service");
        let (now, seed) = (self.now(), self.rng.u64(..));
        let limits = Limits { parallel_parts: self.options.parallel_parts };
        let Some(phone) = &mut self.phone else { return };
        let mut machine = Machine::new(facts, service, limits, seed, now);
        if phone.held {
            machine.handle(now, Event::Command(Command::Hold));
        }
        machine.handle(now, Event::Network(phone.network()));
        for command in std::mem::take(&mut phone.rows[row].commands) {
            machine.handle(now, Event::Command(command));
        }
        let live = Live { machine, opened: None, flights: vec![], hosts: BTreeSet::new(), wake: None, done: false };
        phone.rows[row].stage = Stage::Live(Box::new(live));
        self.oracles.of[row].new_machine();
    }
}
