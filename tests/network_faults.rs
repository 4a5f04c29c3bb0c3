//! Real sockets that fail: each fault at each phase of an upload, TLS from end to end through a proxy that does it. After the fault is gone the upload
//! completes, with exactly one object that is the file.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

#[path = "network_faults/cell.rs"]
mod cell;
#[path = "network_faults/ipv6.rs"]
mod ipv6;
#[path = "network_faults/stage.rs"]
mod stage;
#[path = "network_faults/table.rs"]
mod table;

use std::sync::atomic::{AtomicUsize, Ordering};

use stage::Service;
use table::{FAULTS, Fault, PHASES, Phase, plan};

/// Cells at once: they wait more than they work.
const AT_ONCE: usize = 12;

#[test]
fn smh() {
    run(Service::Smh);
}

#[test]
fn koodrive() {
    run(Service::KooDrive);
}

/// A cell that is taken out of the table is noticed.
#[test]
fn the_table_is_whole() {
    let cells = |service| {
        let plans = PHASES.iter().flat_map(|phase| FAULTS.iter().map(move |fault| plan(service, *phase, *fault)));
        plans.filter(Result::is_ok).count()
    };
    assert_eq!((cells(Service::Smh), cells(Service::KooDrive)), (169, 150));
}

/// Every cell of a service is run, or its plan says why it can't be.
fn run(service: Service) {
    let cells: Vec<(Phase, Fault)> =
        PHASES.iter().flat_map(|phase| FAULTS.iter().map(|fault| (*phase, *fault))).collect();
    let (next, ran) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failed: Vec<String> = std::thread::scope(|scope| {
        let work = || {
            let mut failed = vec![];
            while let Some((phase, fault)) = cells.get(next.fetch_add(1, Ordering::SeqCst)) {
                let Ok(plan) = plan(service, *phase, *fault) else { continue };
                ran.fetch_add(1, Ordering::SeqCst);
                let cell = || cell::run(service, *phase, *fault, &plan);
                if let Err(why) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(cell)) {
                    let text = why.downcast_ref::<String>().cloned();
                    let text = text.or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                    failed.push(format!("{phase:?} x {fault:?}: {}", text.unwrap_or_default()));
                }
            }
            failed
        };
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(failed.is_empty(), "{} cells of {ran:?} failed:\n{}", failed.len(), failed.join("\n\n"));
}
