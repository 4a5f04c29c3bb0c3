//! What a target may be.

use super::{koo, target, with_caller};
use crate::{
    error::Code,
    model::{Conflict, KooDriveTarget, PartPlan, Target, http::Request},
    service::{self, Content, Service, koodrive::KooDrive},
};

fn refused(target: KooDriveTarget, canary: &str) {
    let Err(error) = KooDrive::open(target) else { panic!("{canary:?} was taken") };
    assert!(canary.len() < 3 || !error.to_string().contains(canary), "{error}");
    assert_eq!(error.code, Code::InvalidArgument);
}

fn inspect(target: KooDriveTarget) -> Request {
    with_caller(|c| koo(target).inspect(c, &super::session()))
}

#[test]
fn it_is_opened_by_its_target() {
    let capabilities = *service::open(&Target::KooDrive(target())).expect("open").capabilities();
    assert!(capabilities.midstates && !capabilities.lists_parts && !capabilities.probes && !capabilities.aborts);
    assert!(service::open(&Target::KooDrive(KooDriveTarget::default())).is_err());
    let plan = PartPlan::new(200 << 30, None, &capabilities.parts).expect("a plan");
    assert_eq!((plan.part_size_bytes, plan.parts_total()), (21_474_880, 10_000));
    assert!(PartPlan::new((200 << 30) + 1, None, &capabilities.parts).is_err());
    assert!(PartPlan::new(100 << 20, Some(4 << 20), &capabilities.parts).is_err());
}

#[test]
fn endpoints_are_scheme_and_authority() {
    let rows = [
        ("https://h", "https://h/koodrive"),
        ("https://h:443/", "https://h/koodrive"),
        ("http://h:80", "http://h/koodrive"),
        ("http://h:443", "http://h:443/koodrive"),
        ("https://[::1]:8443", "https://[::1]:8443/koodrive"),
    ];
    for (endpoint, wanted) in rows {
        let request = inspect(KooDriveTarget { endpoint: endpoint.to_owned(), ..target() });
        assert!(request.url.expose().starts_with(wanted), "{endpoint}");
    }
    for endpoint in
        ["", "canary", "ftp://canary", "https://", "https://canary/path", "https://canary@host", "https://canary\r\nst"]
    {
        refused(KooDriveTarget { endpoint: endpoint.to_owned(), ..target() }, "canary");
    }
}

#[test]
fn names_are_what_the_service_takes() {
    for name in ["a", "照片.jpg", ".a", "...", "a\\b", "a b", &"é".repeat(250)] {
        koo(KooDriveTarget { name: name.to_owned(), ..target() });
    }
    for name in
        ["", ".", "..", "a/b", "a<b", "a>b", "a|b", "a:b", "a\"b", "a*b", "a?b", "a\nb", "a\u{85}b", &"é".repeat(251)]
    {
        refused(KooDriveTarget { name: name.to_owned(), ..target() }, name);
    }
}

#[test]
fn ids_can_be_sent() {
    refused(KooDriveTarget { container: String::new(), ..target() }, "");
    let evil = || "canary\r\nX-Evil: 1".to_owned();
    refused(KooDriveTarget { container: evil(), ..target() }, "canary");
    refused(KooDriveTarget { parent: evil(), ..target() }, "canary");
    refused(KooDriveTarget { parent: "..".to_owned(), ..target() }, "");
    refused(KooDriveTarget { user_id: Some(evil()), ..target() }, "canary");
    refused(KooDriveTarget { shared_folder: Some(evil()), ..target() }, "canary");
    refused(KooDriveTarget { language: Some("é".to_owned()), ..target() }, "");
    let none = || Some(String::new());
    let bare = inspect(target());
    let empty = inspect(KooDriveTarget { user_id: none(), shared_folder: none(), language: none(), ..target() });
    assert_eq!(bare.headers, empty.headers);
}

#[test]
fn the_root_is_the_parent_unless_said() {
    let body = |target: KooDriveTarget| {
        let plan = PartPlan { size_bytes: 1, part_size_bytes: 10 << 20 };
        let request = with_caller(|c| koo(target).begin(c, &plan, &Conflict::Rename, &Content::default(), false));
        format!("{:?}", request.body)
    };
    assert_eq!(body(target()), body(KooDriveTarget { parent: "root".to_owned(), ..target() }));
    assert_ne!(body(target()), body(KooDriveTarget { parent: "F1".to_owned(), ..target() }));
}
