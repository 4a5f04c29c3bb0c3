//! What one run is made of, drawn from its seed: each run has its own mix of faults, some none of a kind, so that no fault hides another.

use fastrand::Rng;
use partway::model::{InstantMode, SmhMode};

use super::cloud::Which;

/// Chances are per mille.
#[derive(Clone, Debug)]
pub struct Options {
    pub uploads: usize,
    pub sizes_bytes: Vec<u64>,
    pub part_size_bytes: u64,
    /// What a file is made of, and what goes to the socket at a time.
    pub block_bytes: u64,
    pub parallel_parts: u32,
    pub parallel_uploads: usize,
    /// How long it is unsafe out there.
    pub storm_ms: u64,
    /// How long a block takes at most.
    pub block_ms: u64,
    // How it is uploaded.
    pub service: Which,
    pub mode: SmhMode,
    pub instant: InstantMode,
    pub verify_source: bool,
    /// Another program began it.
    pub adopted: bool,
    /// The cut that is asked for; else what the service's default or an adopted session says.
    pub wanted_part_bytes: Option<u64>,
    // The service.
    /// It has the content of the first upload already.
    pub known: bool,
    pub codes_are_texts: bool,
    pub dates_are_checked: bool,
    pub private: bool,
    pub lease_ms: u64,
    /// Leases die after that share of their life.
    pub lease_real_percent: u64,
    /// What was done already, or is not, is told one way or the other.
    pub answers_twice: bool,
    pub parents_missing: bool,
    pub name_taken: bool,
    pub conflict: u32,
    pub on_change_restarts: bool,
    // The network, a request.
    pub unreached: u32,
    pub cut: u32,
    pub lost_answer: u32,
    pub stalled: u32,
    pub late: u32,
    pub duplicated: u32,
    pub malformed: u32,
    pub early_refusal_cuts: bool,
    // The service's words, a request.
    pub error_passing: u32,
    pub error_stuck: u32,
    pub error_gone: u32,
    pub error_final: u32,
    pub damaged: u32,
    pub rotten: u32,
    pub integrity: u32,
    // The world, now and then.
    pub weather: u32,
    pub tokens_die: bool,
    pub tasks_forgotten: bool,
    pub parts_lost: bool,
    pub service_clock_jumps: bool,
    pub phone_clock_jumps: bool,
    pub sleeps: bool,
    pub network_flaps: bool,
    pub source_touched: bool,
    pub source_changed: bool,
    /// Also without a trace, in a part that was hashed and not sent yet. Never drawn: named stories have it.
    pub source_changed_unseen: bool,
    /// So long after it was started it gives up. Never drawn: named stories have it.
    pub give_up_after_ms: Option<u64>,
    pub source_resized: bool,
    pub source_gone: bool,
    // The host.
    pub hand: bool,
    pub cancels: bool,
    pub host_slow: u32,
    pub host_has_none: u32,
    // The device.
    pub disk_full: u32,
    pub disk_echo: u32,
    pub crash_between_steps: u32,
    pub crashes: bool,
    pub power_goes: bool,
}

impl Options {
    pub fn draw(rng: &mut Rng) -> Options {
        let mut some = |most: u32| if rng.bool() { 0 } else { rng.u32(1..=most) };
        let [unreached, cut, lost_answer, stalled] = [some(80), some(80), some(120), some(30)];
        let [late, duplicated, malformed] = [some(60), some(60), some(40)];
        let [error_passing, error_stuck, error_gone] = [some(100), some(12), some(8)];
        let [damaged, disk_full, disk_echo] = [some(40), some(50), some(20)];
        let [host_slow, host_has_none] = [some(300), some(100)];
        let mut rarely = |one_in: u32, most: u32| if rng.u32(0..one_in) == 0 { rng.u32(1..=most) } else { 0 };
        let [error_final, rotten, crash_between_steps] = [rarely(12, 6), rarely(8, 40), rarely(3, 25)];
        let integrity = if rng.u32(0..12) == 0 { [200, 1_000][rng.usize(0..2)] } else { 0 };
        let weather = if rng.u32(0..6) == 0 { 0 } else { rng.u32(200..4_000) };
        let service = if rng.bool() { Which::Smh } else { Which::KooDrive };
        let (part_size_bytes, block_bytes, parts_max) = match (service, rng.u32(0..5)) {
            (Which::Smh, 0) => (2 << 20, 512 << 10, 9),
            (Which::Smh, _) => (1 << 20, 256 << 10, 9),
            // Large enough for hashing to run into its bound.
            (Which::KooDrive, 0) => (24 << 20, 6 << 20, 7),
            (Which::KooDrive, _) => (5 << 20, 1 << 20, 6),
        };
        let mode = match rng.u32(0..8) {
            0 => SmhMode::Auto,
            1 => SmhMode::Simple,
            2 => SmhMode::Form,
            _ => SmhMode::Multipart,
        };
        let instant = [InstantMode::Off, InstantMode::Auto, InstantMode::Always][rng.usize(0..3)];
        let adopted = service == Which::Smh && mode == SmhMode::Multipart && rng.u32(0..5) == 0;
        let uploads = rng.usize(1..=3);
        let sizes_bytes = (0..uploads)
            .map(|_| match rng.u32(0..10) {
                0 => rng.u64(0..2),
                1 => part_size_bytes * rng.u64(1..4),
                _ => rng.u64(1..part_size_bytes * parts_max),
            })
            .collect();
        Options {
            uploads,
            sizes_bytes,
            part_size_bytes,
            block_bytes,
            service,
            mode,
            instant,
            verify_source: rng.u32(0..4) == 0,
            adopted,
            wanted_part_bytes: if adopted && rng.bool() { None } else { Some(part_size_bytes) },
            known: rng.u32(0..3) == 0,
            codes_are_texts: rng.bool(),
            dates_are_checked: rng.bool(),
            parallel_parts: rng.u32(1..=4),
            parallel_uploads: rng.usize(1..=2),
            storm_ms: rng.u64(5_000..90_000),
            block_ms: rng.u64(20..800),
            private: rng.u32(0..3) == 0,
            lease_ms: if rng.bool() { rng.u64(4_000..30_000) } else { 1_800_000 },
            lease_real_percent: if rng.u32(0..3) == 0 { rng.u64(20..100) } else { 100 },
            answers_twice: rng.bool(),
            parents_missing: rng.u32(0..4) == 0,
            name_taken: rng.u32(0..4) == 0,
            conflict: rng.u32(0..3),
            on_change_restarts: rng.bool(),
            unreached,
            cut,
            lost_answer,
            stalled,
            late,
            duplicated,
            malformed,
            early_refusal_cuts: rng.bool(),
            error_passing,
            error_stuck,
            error_gone,
            error_final,
            damaged,
            rotten,
            integrity,
            weather,
            tokens_die: rng.bool(),
            tasks_forgotten: rng.u32(0..4) == 0,
            parts_lost: rng.u32(0..3) == 0,
            service_clock_jumps: rng.u32(0..3) == 0,
            phone_clock_jumps: rng.u32(0..3) == 0,
            sleeps: rng.u32(0..4) == 0,
            network_flaps: rng.u32(0..3) == 0,
            source_touched: rng.u32(0..3) == 0,
            source_changed: rng.u32(0..4) == 0,
            source_changed_unseen: false,
            give_up_after_ms: None,
            source_resized: rng.u32(0..6) == 0,
            source_gone: rng.u32(0..5) == 0,
            hand: rng.bool(),
            cancels: rng.u32(0..4) == 0,
            host_slow,
            host_has_none,
            disk_full,
            disk_echo,
            crash_between_steps,
            crashes: rng.bool(),
            power_goes: rng.bool(),
        }
    }
}
