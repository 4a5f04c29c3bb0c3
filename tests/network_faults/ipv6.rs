//! A name whose first address is of IPv6 and dead, beside one of IPv4 that lives.

use std::net::{Ipv6Addr, SocketAddr};

use partway::{client::WaitReason, error::Code};
use partway_sandbox::{Door, FaultProxy};

use crate::{
    common::*,
    stage::{Service, Stage},
    table::Plane,
};

/// The stage, and what is at the same port of ::1.
fn stage(plane: Plane, door: Door) -> (Stage, FaultProxy) {
    for _ in 0..10 {
        let stage = Stage::new(Service::Smh);
        let proxy = stage.proxy(plane);
        let port = proxy.address().port();
        // Another process may have that port there.
        if let Ok(dead) = FaultProxy::start_at(SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port), proxy.address()) {
            dead.set_door(door).unwrap();
            return (stage, dead);
        }
    }
    panic!("no port that is free in both families");
}

#[test]
fn a_dead_ipv6_address_stops_nothing() {
    let mut cases = vec![];
    for plane in [Plane::Api, Plane::Data] {
        for door in [Door::Refuses, Door::NeverAnswers, Door::Closes, Door::Resets, Door::Swallows] {
            cases.push((plane, door));
        }
    }
    each(&cases, |(plane, door)| {
        let (stage, dead) = stage(*plane, *door);
        let client = stage.open_with_ipv6();
        let id = start(&client, stage.request());
        completed(&client, &id);
        stage.world.sole_object(&stage.file);
        stage.world.hold_promises(&stage.file);
        match door {
            // The race of connects decides, and nothing failed.
            Door::Refuses | Door::NeverAnswers => assert_eq!((stage.waits(), dead.accepted()), (vec![], 0)),
            // Some systems say so when they connect, some later.
            Door::Resets => assert!(stage.waits().len() <= 1, "{:?}", stage.waits()),
            // It accepts and is no use: that costs one try, and it is tried last from then on.
            _ => {
                assert_eq!(stage.waits(), [(WaitReason::Retry, Some(Code::ConnectFailed))]);
                assert_eq!(dead.accepted(), 1);
            }
        }
    });
}
