//! What a target may be.

use super::{smh, target};
use crate::{
    error::Code,
    model::SmhTarget,
    service::{Service, smh::Smh},
};

fn refused(target: SmhTarget, canary: &str) -> Code {
    let Err(error) = Smh::open(target) else { panic!("{canary:?} was taken") };
    assert!(canary.len() <= "https://".len() || !error.to_string().contains(canary), "{error}");
    error.code
}

#[test]
fn endpoints_are_scheme_and_authority() {
    for endpoint in ["https://h", "http://h:80/", "https://a-b.c_d:65535", "https://[::1]", "http://[fe80::1]:8080/"] {
        smh(SmhTarget { endpoint: endpoint.to_owned(), ..target() });
    }
    for endpoint in [
        "",
        "h",
        "ftp://host",
        "https://",
        "https:///",
        "https://:443",
        "https://host//",
        "https://host/path",
        "https://host?query",
        "https://host#fragment",
        "https://user@host",
        "https://user:secret@host",
        "https://host:0",
        "https://host:65536",
        "https://host:+1",
        "https://host:",
        "https://host:1:2",
        "https://ho st",
        "https://host\r\nX: y",
        "https://host\u{7f}",
        "https://höst",
        "https://[::1",
        "https://[::1]x",
        "https://[host]",
        "https://...",
    ] {
        assert_eq!(refused(SmhTarget { endpoint: endpoint.to_owned(), ..target() }, endpoint), Code::InvalidArgument);
    }
}

#[test]
fn paths_name_a_file() {
    for path in ["a", "/a", "//a/b", "照片/一 二.jpg", "a/...", &format!("{}/b", "é".repeat(255))] {
        smh(SmhTarget { path: path.to_owned(), ..target() });
    }
    for path in
        ["", "/", "//", "a/", "a//b", ".", "a/../b", "a/./b", "..", "a\nb", "a/b\u{0}", "a\u{85}b", &"é".repeat(256)]
    {
        assert_eq!(refused(SmhTarget { path: path.to_owned(), ..target() }, path), Code::InvalidArgument, "{path:?}");
    }
}

#[test]
fn the_rest_is_checked_too() {
    let text = |text: &str| text.to_owned();
    let meta = |key: &str, value: &str| SmhTarget { meta: [(text(key), text(value))].into(), ..target() };
    let refusals = [
        SmhTarget { library: text(""), ..target() },
        SmhTarget { library: text(".."), ..target() },
        SmhTarget { library: text("a\rb"), ..target() },
        SmhTarget { space: text("."), ..target() },
        SmhTarget { space: text("a\nb"), ..target() },
        SmhTarget { user_id: Some(text("a\nb")), ..target() },
        SmhTarget { traffic_limit_bytes_per_s: Some(102_399), ..target() },
        SmhTarget { traffic_limit_bytes_per_s: Some(104_857_601), ..target() },
        meta("", "v"),
        meta("a b", "v"),
        meta("a:", "v"),
        meta("ä", "v"),
        meta("k", "a\r\nb"),
        meta("k", "a\u{0}b"),
    ];
    for target in refusals {
        assert_eq!(refused(target, ""), Code::InvalidArgument);
    }
    smh(SmhTarget { traffic_limit_bytes_per_s: Some(102_400), ..target() });
    smh(SmhTarget { traffic_limit_bytes_per_s: Some(104_857_600), ..target() });
    smh(meta("k", "ä"));
}

#[test]
fn only_a_parent_below_the_root_can_be_created() {
    let creates = |target: SmhTarget| smh(target).capabilities().creates_parents;
    assert!(creates(target()));
    assert!(!creates(SmhTarget { create_parents: false, ..target() }));
    assert!(!creates(SmhTarget { path: "/top.bin".to_owned(), ..target() }));
}
