//! The phone's disk: one journal an upload, in the product's own lines. A write that returned outlives the process, a sync outlives the power.

use partway::{
    engine::{CommitId, Event, Record, Sync},
    error::{Code, ErrorInfo},
    runtime::journal::{Id, codec},
};

use super::{cloud::CANARY, world::World};

pub struct Disk {
    pub id: Id,
    pub text: Vec<u8>,
    pub synced: usize,
}

impl Disk {
    pub fn new(id: Id, first: &Record) -> Disk {
        let text = codec::create(id, std::slice::from_ref(first)).expect("a first record");
        Disk { id, synced: text.len(), text }
    }

    /// What is there outlives the power.
    pub fn settle(&mut self) {
        self.synced = self.text.len();
    }

    /// As a process finds it; the torn end is cut off.
    pub fn load(&mut self) -> Option<Vec<Record>> {
        let (records, good) = codec::read(self.id, &self.text)?;
        self.text.truncate(good);
        self.synced = self.synced.min(good);
        Some(records)
    }
}

impl World {
    /// A record goes to the disk, behind those before it.
    pub fn submit(&mut self, row: usize, commit: CommitId, record: Record) {
        let takes = self.rng.u64(1..12) + if record.sync() == Sync::Power { self.rng.u64(1..40) } else { 0 };
        self.disk_free_at = self.disk_free_at.max(self.tick) + takes;
        let wait = self.disk_free_at - self.tick;
        self.after(wait, super::world::Due::Append { row, commit, record });
    }

    pub fn append(&mut self, row: usize, commit: CommitId, record: Record) {
        let full = self.chance(self.options.disk_full);
        let echo = self.chance(self.options.disk_echo);
        if !full || echo {
            self.write(row, &record);
        }
        if full || echo {
            self.note(|_| format!("u{row} {commit:?} FAILED{}", if echo { ", though it is there" } else { "" }));
            self.oracles.of[row].echoed |= echo;
            let error = ErrorInfo::new(Code::DiskFull, "the disk is full");
            return self.event(row, Event::CommitFailed(commit, error));
        }
        if record.sync() == Sync::Power {
            let disk = &mut self.disks[row];
            disk.synced = disk.text.len();
        }
        self.event(row, Event::Committed(commit));
    }

    fn write(&mut self, row: usize, record: &Record) {
        let disk = &mut self.disks[row];
        let from = disk.text.len();
        codec::append(record, &mut disk.text).expect("a line");
        let leaks = disk.text[from..].windows(CANARY.len()).any(|text| text == CANARY.as_bytes());
        if leaks {
            self.violated(format!("a secret is in the journal of u{row}"));
        }
        self.kept(row, record);
    }

    /// A crash: of the writes under way some first ones came through, and the next one in half.
    pub fn lose(&mut self, writing: Vec<(usize, Record)>, power: bool) {
        let whole = self.rng.usize(0..=writing.len());
        for (index, (row, record)) in writing.iter().enumerate().take(whole + 1) {
            if index < whole {
                self.write(*row, record);
            } else {
                let mut line = vec![];
                codec::append(record, &mut line).expect("a line");
                let half = self.rng.usize(0..line.len());
                self.disks[*row].text.extend_from_slice(&line[..half]);
            }
        }
        for row in 0..self.disks.len() {
            let disk = &mut self.disks[row];
            if power && disk.text.len() > disk.synced {
                let cut = self.rng.usize(disk.synced..=disk.text.len());
                disk.text.truncate(cut);
            }
        }
    }
}
