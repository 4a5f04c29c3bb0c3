use proptest::prelude::*;
use sha2::digest::common::hazmat::SerializableState as _;

use super::*;

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

/// The digest by the other implementation, from a midstate and what follows it.
fn by_crate(midstate: &Midstate, rest: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    // h and the number of blocks, little endian; then the buffer: no bytes in it, and its position (block-buffer's own form).
    let mut state = sha2::Sha256::new().serialize();
    for (bytes, word) in state.as_chunks_mut::<4>().0.iter_mut().zip(midstate.h) {
        *bytes = word.to_le_bytes();
    }
    state[32..40].copy_from_slice(&(midstate.offset / 64).to_le_bytes());
    let mut digest = sha2::Sha256::deserialize(&state).expect("a state");
    digest.update(rest);
    digest.finalize().into()
}

#[test]
fn known_digests() {
    assert_eq!(Sha256::new().finish_hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(hex::encode(&Sha256::of(b"abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn vector_a() {
    let bytes = content(20_971_520);
    let midstates = [
        [3421553783, 3807075027, 1869373043, 2340992472, 2724404595, 3434595078, 1034840972, 91544355],
        [1744763919, 1351919588, 2915394129, 3958360420, 846895982, 2808795539, 1859941231, 608676324],
        [2280063797, 3668803770, 1733653544, 3263184129, 3980569700, 3653570809, 860164225, 1017836532],
    ];
    let mut digest = Sha256::new();
    for (part, expected) in bytes.chunks(5_242_880).zip(midstates) {
        digest.update(part);
        let midstate = digest.midstate().expect("a boundary");
        assert_eq!(midstate.h, expected);
        let mut rest = Sha256::from_midstate(&midstate).expect("a boundary");
        rest.update(&bytes[midstate.offset as usize..]);
        assert_eq!(rest.finish_hex(), "99254018a4506cae413a471f8b9d968a1ab1771565f3247b6e1c3f927e9a572f");
    }
    assert_eq!(digest.midstate().map(|midstate| midstate.bit_count_words()), Some((125829120, 0)));

    let mut wrong = digest.midstate().expect("a boundary");
    wrong.h[0] ^= 1;
    let mut rest = Sha256::from_midstate(&wrong).expect("a boundary");
    rest.update(&bytes[15_728_640..]);
    assert_eq!(rest.finish_hex(), "ad51a49a6ad28d8dbf2a6200c2fe95af15aaac8dbd952f327d17869a35db1ef9");
    assert_eq!(
        hex::encode(&Sha256::of(&bytes[..1024])),
        "2bce1ba628720664be4b9fdd77aae0678e5f0f3f02fc6ff641ec879094f6a404"
    );
}

#[test]
fn vector_b() {
    let bytes = content(320);
    assert_eq!(hex::encode(&Sha256::of(&bytes)), "7f2fcab03c5e118e07abe79b7db86af8a7e78d2e312b68e58e1d262c7de84f39");
    let mut digest = Sha256::new();
    digest.update(&bytes[..128]);
    assert_eq!(
        digest.midstate().expect("a boundary").h,
        [1496470445, 4216111128, 3194033045, 1214138305, 1515923229, 4220363087, 3908534196, 3495865532]
    );
    digest.update(&bytes[128..256]);
    assert_eq!(
        digest.midstate().expect("a boundary").h,
        [3988410824, 3511626862, 814913539, 1355693776, 3223782481, 2126284843, 2048371916, 785544109]
    );
}

/// koodrive §3.4: which eight bytes prove possession follows from digests of the credential.
#[test]
fn proof_codes() {
    let a = content(20_971_520);
    let user = "1505084218764547200";
    let token = "Bearer 10f88d07fa44791e9ff0123456789abcdef0123456789abcd";
    for (origin, file, expected_start, expected) in [
        (user, a.as_slice(), 12113135, "eb36ddc5406663660adbdccb90115388538cb2e34486030c60056dfb3a1bbfbe"),
        (user, &content(320), 175, "50d65fd024f5425a7f1e11ff51235881d4f76b65eac7d1084430356a652ffb3c"),
        (user, b"hello", 0, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
        (token, &a, 18164925, "310924e1f56757cc34fea81acd536c6d37b3be0adb0f385e5af15e07a3092cdc"),
    ] {
        let seed = hex::encode(&Sha256::of(origin.as_bytes()));
        let digest = Sha256::of(seed.as_bytes());
        let number = u64::from_be_bytes(digest[24..].try_into().expect("eight bytes")) & (u64::MAX >> 1);
        let start = (number % file.len() as u64) as usize;
        assert_eq!(start, expected_start);
        let end = file.len().min(start + 8);
        assert_eq!(hex::encode(&Sha256::of(&file[start..end])), expected);
    }
}

#[test]
fn the_bit_count_has_a_high_word_from_512_mib_on() {
    for (offset, low, high) in [
        (5242880, 41943040, 0),
        (531628032, 4253024256, 0),
        (536870912, 0, 1),
        (542113792, 41943040, 1),
        (4294967296, 0, 8),
        (214727393280, 4127195136, 399),
    ] {
        assert_eq!(Midstate { offset, h: INITIAL }.bit_count_words(), (low, high), "{offset}");
    }
}

#[test]
fn lengths_beyond_512_mib_and_4_gib_end_up_in_the_digest() {
    for offset in [0, 536_870_912 - 64, 536_870_912, 542_113_792, 4_294_967_296, 214_727_393_280, 1 << 60] {
        let midstate = Midstate { offset, h: [1, 2, 3, 4, 5, 6, 7, 8] };
        for rest in [0, 1, 55, 56, 63, 64, 65, 200] {
            let rest = content(rest);
            let mut digest = Sha256::from_midstate(&midstate).expect("a boundary");
            digest.update(&rest);
            assert_eq!(digest.finish(), by_crate(&midstate, &rest), "{offset} + {}", rest.len());
        }
    }
}

#[test]
fn a_state_that_does_not_fit_is_refused() {
    assert_eq!(Sha256::from_midstate(&Midstate { offset: 65, h: INITIAL }), None);
    for (len_bytes, pending) in [(0, "00"), (1, ""), (1, "0"), (1, "zz"), (65, "0000"), (64, "00")] {
        let state = Sha256State { h: INITIAL, len_bytes, pending: pending.to_owned() };
        assert_eq!(Sha256::try_from(state), Err(StateInvalid), "{len_bytes} {pending:?}");
    }
    assert!(serde_json::from_str::<Sha256>(r#"{"h":[1,2,3,4,5,6,7,8],"len_bytes":3,"pending":"00"}"#).is_err());
}

proptest! {
    #[test]
    fn any_split_journalled_at_every_cut_is_the_whole(len in 0usize..2000, cuts in prop::collection::vec(0usize..2000, 0..8)) {
        use sha2::Digest as _;
        let bytes = content(len);
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(len)).collect();
        cuts.sort_unstable();
        let mut running = Sha256::new();
        let mut at = 0;
        for cut in cuts.into_iter().chain([len]) {
            running.update(&bytes[at..cut]);
            at = cut;
            prop_assert_eq!(running.len_bytes(), cut as u64);
            prop_assert_eq!(running.midstate().is_some(), cut % 64 == 0);
            let journalled = serde_json::to_string(&running).expect("text");
            running = serde_json::from_str(&journalled).expect("the same");
        }
        let expected: [u8; 32] = sha2::Sha256::digest(&bytes).into();
        prop_assert_eq!(running.finish(), expected);
    }
}

/// A sparse file of that size, read and hashed; in the middle the pass is journalled and goes on from that.
fn of_sparse(size: u64) -> String {
    use std::io::Read as _;
    let mut file = tempfile::tempfile().expect("a file");
    file.set_len(size).expect("a sparse file");
    let mut buf = vec![0; 1 << 20];
    let mut digest = Sha256::new();
    loop {
        let count = file.read(&mut buf).expect("a read");
        if count == 0 {
            break;
        }
        digest.update(&buf[..count]);
        if digest.len_bytes() == ((size / 2) >> 20) << 20 {
            digest = serde_json::from_str(&serde_json::to_string(&digest).expect("text")).expect("the same");
        }
    }
    assert_eq!(digest.len_bytes(), size);
    digest.finish_hex()
}

/// By `head -c 629145600 /dev/zero | sha256sum`.
#[test]
fn a_file_whose_bit_count_has_a_high_word() {
    assert_eq!(of_sparse(600 << 20), "987523e7780392e283b404990c4e84e580bc75c451138b0c86c4f81c296eeebe");
}

/// By `head -c 5368709120 /dev/zero | sha256sum`.
#[test]
#[ignore = "hashes 5 GiB; run with --release"]
fn a_file_beyond_4_gib() {
    assert_eq!(of_sparse(5 << 30), "7f06c62352aebd8125b2a1841e2b9e1ffcbed602f381c3dcb3200200e383d1d5");
}

/// From the state at 512 MiB and beyond it goes on to the digest of the whole.
#[test]
fn midstates_past_512_mib_go_on() {
    let zeros = vec![0; 8 << 20];
    let mut digest = Sha256::new();
    let mut midstates = vec![];
    for _ in 0..66 {
        midstates.extend(digest.midstate());
        digest.update(&zeros);
    }
    let whole = digest.finish();
    for midstate in midstates.iter().rev().take(4) {
        assert_eq!(midstate.bit_count_words().1, u32::from(midstate.offset >= 512 << 20));
        let mut rest = Sha256::from_midstate(midstate).expect("a boundary");
        let left = (66 * (8 << 20) - midstate.offset) as usize;
        rest.update(&vec![0; left]);
        assert_eq!(rest.finish(), whole);
        assert_eq!(by_crate(midstate, &vec![0; left]), whole, "by the other implementation of lengths");
    }
}

/// Best of many short runs: other work on this machine can make some of them slow, not all.
fn best_bytes_per_s(len: usize, runs: u32, mut hash: impl FnMut(&[u8])) -> f64 {
    let bytes = content(len);
    let best = (0..runs).map(|_| {
        let since = std::time::Instant::now();
        hash(&bytes);
        since.elapsed()
    });
    len as f64 / best.min().expect("a run").as_secs_f64().max(1e-9)
}

/// Without them no processor comes near: it takes ten cycles and more a byte, with them about two.
#[test]
#[cfg(target_arch = "x86_64")]
fn the_sha_instructions_are_used_where_they_exist() {
    if !std::arch::is_x86_feature_detected!("sha") {
        eprintln!("SKIPPED: this processor has no SHA instructions");
        return;
    }
    let rate = best_bytes_per_s(256 << 10, 400, |bytes| {
        std::hint::black_box(Sha256::of(bytes));
    });
    assert!(rate > 800e6, "{:.0} MB/s: that is the pace of plain code", rate / 1e6);
    eprintln!("SHA-256: {:.0} MB/s", rate / 1e6);
}
