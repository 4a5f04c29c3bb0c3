//! Torn ends are cut; damage is set aside; neither harms another upload.

use super::super::scan::{ScanFault, scan};
use super::*;

/// Puts `bytes` in the place of the journal of `id(1)` and opens it.
fn open_with(dir: &StateDir, bytes: &[u8]) -> Result<(Vec<Record>, u64), OpenFault> {
    fs::write(dir.journal_path(id(1)), bytes).expect("written");
    dir.open_journal(id(1)).map(|(_, records, recovery)| (records, recovery.cut_bytes))
}

fn start_of_last_line(bytes: &[u8]) -> usize {
    bytes[..bytes.len() - 1].iter().rposition(|&b| b == b'\n').expect("several lines") + 1
}

#[test]
fn a_torn_last_line_costs_that_record_only() {
    let (_temp, dir) = state_dir();
    let path = journal_of(&dir, id(1), 3);
    let whole = fs::read(&path).expect("there");
    let last = start_of_last_line(&whole);
    for end in last..whole.len() {
        let torn = &whole[..end];
        fs::write(&path, torn).expect("written");
        assert_eq!(dir.read::<Record>(id(1)), Ok(expected(2)), "torn at {end}");
        assert_eq!(fs::read(&path).expect("there"), torn, "reading changed the file");
        assert_eq!(open_with(&dir, torn), Ok((expected(2), (end - last) as u64)), "torn at {end}");
        assert_eq!(fs::read(&path).expect("there"), whole[..last]);
        let (mut journal, ..) = dir.open_journal::<Record>(id(1)).expect("opened");
        journal.append(&part(2), Sync::Process).expect("appended");
        assert_eq!(fs::read(&path).expect("there"), whole, "appending goes on where it was cut");
    }
}

#[test]
fn what_a_loss_of_power_leaves_is_cut() {
    let (_temp, dir) = state_dir();
    let path = journal_of(&dir, id(1), 3);
    let whole = fs::read(&path).expect("there");
    let last = start_of_last_line(&whole);
    for tail in [&[0; 4096][..], b"\n", b"\n\n\n", &[0xff; 100], b"garbage\nmore\ngarbage"] {
        let bytes = [&whole[..last], tail].concat();
        assert_eq!(open_with(&dir, &bytes), Ok((expected(2), tail.len() as u64)));
        // A line that is only begun, and then nothing that was written by us.
        let bytes = [&whole[..last + 12], tail].concat();
        assert_eq!(open_with(&dir, &bytes), Ok((expected(2), tail.len() as u64 + 12)));
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    let (temp, dir) = state_dir();
    let path = journal_of(&dir, id(1), 3);
    let whole = fs::read(&path).expect("there");
    let last = start_of_last_line(&whole);
    let copy = temp.path().join("copy");
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            fs::write(&copy, &bytes).expect("written");
            match scan(&fs::File::open(&copy).expect("opened"), id(1), |records| records.collect::<Vec<Record>>()) {
                Ok(scan) => {
                    assert!(at >= last, "byte {at} bit {bit} was overlooked");
                    assert_eq!((scan.records, scan.good_bytes), (expected(2), last as u64));
                }
                Err(ScanFault::Corrupt) => assert!(at < last, "byte {at} bit {bit} cost everything"),
                Err(_) => panic!("byte {at} bit {bit}: no such fault"),
            }
        }
    }
}

#[test]
fn damage_is_set_aside_and_others_are_left_alone() {
    let (_temp, dir) = state_dir();
    let whole = fs::read(journal_of(&dir, id(1), 3)).expect("there");
    let other = journal_of(&dir, id(2), 2);
    let others = fs::read(&other).expect("there");
    let last = start_of_last_line(&whole);
    let mut kept = 0;
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        match open_with(&dir, &bytes) {
            Ok((records, cut)) => {
                assert!(at >= last);
                assert_eq!((records, cut), (expected(2), (whole.len() - last) as u64));
            }
            Err(OpenFault::Corrupt { kept_as }) => {
                assert!(at < last);
                kept += 1;
                assert_eq!(kept_as, format!("{}.journal.corrupt-{kept}", id(1)));
                assert_eq!(fs::read(dir.path().join(kept_as)).expect("kept"), bytes);
                assert_eq!(dir.list(), Ok(vec![id(2)]));
                assert!(!dir.lock_path(id(1)).exists());
            }
            Err(fault) => panic!("byte {at}: {fault:?}"),
        }
        assert_eq!(fs::read(&other).expect("there"), others);
    }
    assert_eq!(kept, last);
}

#[test]
fn damage_is_not_mended_by_reading() {
    let (_temp, dir) = state_dir();
    let path = journal_of(&dir, id(1), 3);
    let mut bytes = fs::read(&path).expect("there");
    bytes[3] ^= 1;
    fs::write(&path, &bytes).expect("written");
    assert_eq!(dir.read::<Record>(id(1)), Err(ReadFault::Corrupt));
    assert_eq!(fs::read(&path).expect("there"), bytes);
}

#[test]
fn what_cannot_be_a_torn_append_is_damage() {
    let (_temp, dir) = state_dir();
    let path = journal_of(&dir, id(1), 1);
    let whole = fs::read(&path).expect("there");
    let lines: Vec<&[u8]> = whole.split_inclusive(|&b| b == b'\n').collect();
    let two_lines_in_one = [&whole[..whole.len() - 1], b"x", lines[2]].concat();
    let long_tail = [&whole[..], &vec![b'x'; LINE_BYTES_MAX + 1]].concat();
    let cases: [&[u8]; 8] = [
        b"",
        b"\n",
        lines[0],
        &whole[..lines[0].len() + 5],
        &whole[..10],
        &[lines[1], lines[2]].concat(),
        &two_lines_in_one,
        &long_tail,
    ];
    for (n, bytes) in cases.iter().enumerate() {
        assert!(matches!(open_with(&dir, bytes), Err(OpenFault::Corrupt { .. })), "case {n}");
    }
    // Another upload's journal under our name.
    journal_of(&dir, id(2), 1);
    let stranger = fs::read(dir.journal_path(id(2))).expect("there");
    assert!(matches!(open_with(&dir, &stranger), Err(OpenFault::Corrupt { .. })));
    // Longer than any journal may be; sparse, so it costs nothing.
    fs::write(&path, &whole).expect("written");
    fs::OpenOptions::new().write(true).open(&path).and_then(|file| file.set_len(FILE_BYTES_MAX + 1)).expect("grown");
    assert!(matches!(dir.open_journal::<Record>(id(1)), Err(OpenFault::Corrupt { .. })));
}

#[test]
fn a_newer_version_is_left_as_it_is() {
    let (_temp, dir) = state_dir();
    let mut newer_header = Vec::new();
    line::encode(&serde_json::json!({"partway_journal": 2, "id": id(1).as_str(), "new": [1]}), &mut newer_header)
        .expect("a line");
    newer_header.extend_from_slice(b"whatever version 2 may write");
    let mut newer_record = fs::read(journal_of(&dir, id(1), 1)).expect("there");
    line::encode(&serde_json::json!({"Unheard": {"of": 1}}), &mut newer_record).expect("a line");
    for (bytes, found) in [(newer_header, 2), (newer_record, 1)] {
        assert_eq!(open_with(&dir, &bytes), Err(OpenFault::Version { found }));
        assert_eq!(dir.read::<Record>(id(1)), Err(ReadFault::Version { found }));
        assert_eq!(fs::read(dir.journal_path(id(1))).expect("there"), bytes);
        assert_eq!(dir.list(), Ok(vec![id(1)]));
    }
}

#[test]
fn a_record_that_quotes_a_line_is_no_line() {
    let (_temp, dir) = state_dir();
    let path = journal_of(&dir, id(1), 1);
    let whole = fs::read(&path).expect("there");
    let quoted = String::from_utf8(whole.clone()).expect("text");
    let (mut journal, ..) = dir.open_journal::<Record>(id(1)).expect("opened");
    journal.append(&Record::Plan { parts: 1, name: quoted }, Sync::Process).expect("appended");
    drop(journal);
    let mut bytes = fs::read(&path).expect("there");
    bytes[whole.len()] ^= 1;
    assert_eq!(open_with(&dir, &bytes).expect("cut").0, expected(1));
}
