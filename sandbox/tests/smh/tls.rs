//! HTTPS with the sandbox's own authority.

use partway_sandbox::{How, Rule, Step};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::support::{Client, bytes, cloud_with};

#[test]
fn an_upload_over_tls_trusts_the_given_authority() {
    let cloud = cloud_with(|c| c.tls = true);
    assert!(cloud.api_url().starts_with("https://") && cloud.control_url().starts_with("http://"));
    let authority = Certificate::from_pem(cloud.ca_pem().expect("an authority").as_bytes()).expect("a certificate");
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[authority])).build();
    let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).tls_config(tls).build().into();
    let client = Client { agent, ..Client::new(&cloud) };
    let content = bytes(300_000);
    client.upload("x", &content);
    assert_eq!(cloud.object("-", "x").map(|o| o.size), Some(300_000));
    cloud.add_rule(Rule::new(Step::Head, How::Reset));
    assert!(client.try_api("HEAD", "file/smh-sandbox/-/x", None).is_err());

    let stranger = Client::new(&cloud);
    assert!(stranger.try_api("HEAD", "file/smh-sandbox/-/x", None).is_err(), "the authority is not the world's");
}
