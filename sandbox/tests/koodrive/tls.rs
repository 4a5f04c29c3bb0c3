//! HTTPS: links are of the scheme that the API is of.

use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::support::{Client, cloud_with, url_of};

#[test]
fn an_upload_over_tls_trusts_the_given_authority() {
    let cloud = cloud_with(|c| c.tls = true);
    let authority = Certificate::from_pem(cloud.ca_pem().expect("an authority").as_bytes()).expect("a certificate");
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[authority])).build();
    let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).tls_config(tls).build().into();
    let client = Client { agent, ..Client::new(&cloud) };
    let created = client.create_small("x", 5);
    assert!(url_of(&created, 1).starts_with("https://"));
    client.put(&url_of(&created, 1), b"hello").status_is(200);
    client.complete(&created).good();
    assert_eq!(cloud.objects().len(), 1);
}
