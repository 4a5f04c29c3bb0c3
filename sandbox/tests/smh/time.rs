//! The service's clock.

use std::time::{Duration, SystemTime};

use partway_sandbox::ExpiredAnswer;

use crate::support::{Client, cloud, text};

#[test]
fn the_clock_moves_date_and_expiration() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let day = Duration::from_secs(86_400);
    cloud.set_clock_offset_ms(86_400_000);
    let reply = client.file("POST", "x?multipart", None);
    let date = httpdate::parse_http_date(reply.header("date").expect("a date")).expect("a date");
    let ahead = date.duration_since(SystemTime::now()).expect("ahead");
    assert!(ahead > day - Duration::from_secs(10) && ahead < day + Duration::from_secs(10), "{ahead:?}");
    let expiration = httpdate::fmt_http_date(date + Duration::from_secs(600));
    let said = text(&reply.json()["expiration"]);
    let (day_of_month, time) = (&expiration[5..7], &expiration[17..22]);
    assert_eq!((&said[8..10], &said[11..16]), (day_of_month, time), "{said} {expiration}");
}

#[test]
fn signatures_end() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    cloud.set_clock_offset_ms(599_000);
    assert_eq!(client.part(&info, 1, b"x").status, 200);
    cloud.set_clock_offset_ms(600_001);
    let expired = client.part(&info, 1, b"x");
    expired.says(403, "AccessDenied");
    assert!(expired.body.contains("<Message>Request has expired</Message>"), "{expired:?}");
    for (switch, status, code) in [
        (ExpiredAnswer::ExpiredToken400, 400, "ExpiredToken"),
        (ExpiredAnswer::ExpiredToken403, 403, "ExpiredToken"),
        (ExpiredAnswer::RequestTimeTooSkewed, 403, "RequestTimeTooSkewed"),
    ] {
        cloud.set_switches(|s| s.expired_answer = switch);
        client.part(&info, 1, b"x").says(status, code);
    }
    let renewed = client.file("POST", &format!("{}?renew", text(&info["confirmKey"])), None).json();
    assert_eq!(client.part(&renewed, 1, b"x").status, 200);
}

#[test]
fn a_signature_from_the_future_is_skewed() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    cloud.set_clock_offset_ms(-3_600_000);
    client.part(&info, 1, b"x").says(403, "RequestTimeTooSkewed");
}

#[test]
fn dates_can_be_left_out() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    cloud.set_switches(|s| s.omit_date = true);
    assert_eq!(client.file("POST", "x?multipart", None).header("date"), None);
}

#[test]
fn a_short_life_is_exact() {
    let cloud = cloud();
    cloud.set_switches(|s| s.link_ttl_ms = 250);
    let client = Client::new(&cloud);
    let info = client.begin("x");
    cloud.set_clock_offset_ms(251);
    client.part(&info, 1, b"x").says(403, "AccessDenied");
}
