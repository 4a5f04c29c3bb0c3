//! TLS: whom we trust, and the handshake.
//!
//! ureq's own TLS takes either the bundled roots or a list of certificates; both together need a rustls configuration of our own.

use std::{io, net::TcpStream, sync::Arc, time::Instant};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore,
    client::WebPkiServerVerifier,
    crypto::{CryptoProvider, KeyProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    sign::SigningKey,
};

use super::{TransportFault, dial::Timed, fault::unreached, pins::Pinned};
use crate::error::{Code, ErrorInfo};

/// The bundled roots, the host's certificates, and the keys that it pins.
pub(super) fn client_config(extra_ca_pem: Option<&str>, pins: &[String]) -> Result<Arc<ClientConfig>, ErrorInfo> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(pem) = extra_ca_pem {
        add_pem(&mut roots, pem)?;
    }
    let own_defaults = || ErrorInfo::new(Code::Bug, "The TLS library refused its own defaults.");
    let provider = Arc::new(CryptoProvider { key_provider: &NoKeys, ..ring::default_provider() });
    let algorithms = provider.signature_verification_algorithms;
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|_| own_defaults())?;
    if pins.is_empty() {
        return Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()));
    }
    let roots = Arc::new(roots);
    let usual =
        WebPkiServerVerifier::builder_with_provider(roots.clone(), provider).build().map_err(|_| own_defaults())?;
    let pinned = Pinned::new(usual, roots, algorithms, pins)?;
    let config = builder.dangerous().with_custom_certificate_verifier(Arc::new(pinned)).with_no_client_auth();
    Ok(Arc::new(config))
}

/// Nobody signs here: clients have no certificates. Without it all that makes signatures would be in the library.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General("no keys are used".to_owned()))
    }
}

fn add_pem(roots: &mut RootCertStore, pem: &str) -> Result<(), ErrorInfo> {
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate =
            certificate.map_err(|_| ErrorInfo::new(Code::InvalidArgument, "The extra certificates are no PEM."))?;
        roots
            .add(certificate)
            .map_err(|_| ErrorInfo::new(Code::InvalidArgument, "An extra certificate can't be used as a root."))?;
    }
    if roots.len() == before {
        return Err(ErrorInfo::new(Code::InvalidArgument, "The extra certificates hold no certificate."));
    }
    Ok(())
}

/// Secures a fresh connection, until `until`.
pub(super) fn handshake(
    config: Arc<ClientConfig>,
    host: &str,
    socket: &TcpStream,
    until: Instant,
) -> Result<Box<ClientConnection>, TransportFault> {
    let failed = || unreached(Code::TlsFailed, "The connection could not be secured.");
    let name = ServerName::try_from(host.to_owned()).map_err(|_| failed())?;
    let mut connection = ClientConnection::new(config, name).map_err(|_| failed())?;
    connection.complete_io(&mut Timed::until(socket, until)).map_err(|error| match error.kind() {
        // rustls wraps its own verdicts (an unknown CA, a message that is no TLS) in this kind.
        io::ErrorKind::InvalidData => failed(),
        _ => unreached(Code::ConnectFailed, "The connection ended while it was being secured."),
    })?;
    Ok(Box::new(connection))
}
